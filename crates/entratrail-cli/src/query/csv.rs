//! Comma-separated values, as RFC 4180 has them.

/// A line of cells, without its end.
pub(super) fn csv_line(cells: impl Iterator<Item = String>) -> String {
    cells.map(quoted).collect::<Vec<_>>().join(",")
}

fn quoted(cell: String) -> String {
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be() {
        let cells = ["plain", "a,b", "say \"a\"", "two\nlines", ""].map(str::to_owned);
        assert_eq!(csv_line(cells.into_iter()), "plain,\"a,b\",\"say \"\"a\"\"\",\"two\nlines\",");
    }
}
