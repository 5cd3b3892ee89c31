//! Comma-separated values, as RFC 4180 has them.

use entratrail::shown::visible;

/// A line of cells, without its end.
pub(super) fn csv_line(cells: impl Iterator<Item = String>) -> String {
    cells.map(quoted).collect::<Vec<_>>().join(",")
}

/// The text of a cell as a spreadsheet shows it and does not work it out: what looks like a formula
/// has an apostrophe before it, and what a reader would obey is escaped.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
pub(super) fn safe(cell: &str) -> String {
    let cell = visible(cell);
    // Some spreadsheets skip white space, and take the wide forms of the signs for the signs.
    let first = cell.trim_start().chars().next();
    let is_formula = matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
        || cell.starts_with("\\u{9}")
        || cell.starts_with("\\u{d}");
    if is_formula { format!("'{cell}") } else { cell.into_owned() }
}

fn quoted(cell: String) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be() {
        let cells = ["plain", "a,b", "say \"a\"", "two\nlines", ""].map(str::to_owned);
        assert_eq!(csv_line(cells.into_iter()), "plain,\"a,b\",\"say \"\"a\"\"\",\"two\nlines\",");
    }

    #[test]
    fn a_safe_cell_is_no_formula_and_hides_nothing() {
        for cell in ["=HYPERLINK(1)", "+1+1", "-1", "@SUM(1)", " =1", "\t=1", "\r=1", "＝1"] {
            assert!(safe(cell).starts_with('\''), "{cell:?}");
        }
        assert_eq!(safe("a\u{202e}b\nc"), "a\\u{202e}b\\u{a}c");
        assert_eq!(safe("plain"), "plain");
    }
}
