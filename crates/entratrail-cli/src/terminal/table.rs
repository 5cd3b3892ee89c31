//! An aligned table for people.

use crate::sql::{Column, Row, text};
use crate::terminal::numbers::count;
use entratrail::shown::visible;
use std::fmt;

/// Characters of a cell that are shown on a terminal. What is piped is whole.
const WIDEST: usize = 60;

/// Rows as they are printed.
#[derive(Debug, Default)]
pub(crate) struct TextTable {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl TextTable {
    /// Adds rows with these columns.
    pub(crate) fn add(&mut self, columns: &[Column], rows: &[Row]) {
        self.columns = columns.to_vec();
        let widest = if console::user_attended() { WIDEST } else { usize::MAX };
        for row in rows {
            let cells = columns.iter().map(|column| cut(&text(row.get(&column.name)), widest));
            self.rows.push(cells.collect());
        }
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let cells: Vec<_> = cells
            .iter()
            .zip(widths)
            .zip(&self.columns)
            .map(|((cell, &width), column): ((&String, &usize), &Column)| {
                let padding = " ".repeat(width.saturating_sub(width_of(cell)));
                if column.is_number {
                    format!("{padding}{cell}")
                } else {
                    format!("{cell}{padding}")
                }
            })
            .collect();
        cells.join("  ").trim_end().to_owned()
    }
}

impl fmt::Display for TextTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> =
            self.columns.iter().map(|column| visible(&column.name).into_owned()).collect();
        let mut widths = vec![0; names.len()];
        for cells in self.rows.iter().chain([&names]) {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = width_of(cell).max(*width);
            }
        }
        let rule: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
        for cells in [&names, &rule].into_iter().chain(&self.rows) {
            writeln!(f, "{}", self.line(cells, &widths))?;
        }
        write!(f, "{}", count(self.rows.len() as u64, "row"))
    }
}

fn width_of(cell: &str) -> usize {
    console::measure_text_width(cell)
}

/// The cell in one line, without anything that a terminal would obey: records hold what strangers
/// typed.
fn cut(cell: &str, widest: usize) -> String {
    let cell = visible(cell);
    let mut shown: String = cell.chars().take(widest).collect();
    if cell.chars().nth(widest).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_aligned_and_control_characters_are_shown_as_such() {
        let column = |name: &str, is_number| Column { name: name.to_owned(), is_number };
        let row = |name: &str, number: u64| match json!({"user": name, "failed": number}) {
            serde_json::Value::Object(row) => row,
            _ => unreachable!(),
        };
        let mut table = TextTable::default();
        table.add(
            &[column("user", false), column("failed", true)],
            &[row("zoë", 7), row("\u{1b}[31mred", 1200)],
        );
        let text = table.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "user           failed");
        assert_eq!(lines[2], "zoë                 7");
        assert_eq!(lines[3], "\\u{1b}[31mred    1200");
        assert_eq!(lines[4], "2 rows");
    }

    #[test]
    fn a_long_cell_is_cut() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
    }
}
