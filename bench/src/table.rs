//! The printed result: each figure beside its target.

use std::fmt;

/// The figures of one measurement.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    rows: Vec<Row>,
}

/// One figure.
#[derive(Debug)]
struct Row {
    what: String,
    measured: String,
    target: Option<Target>,
}

/// Promise for a figure, and whether it is kept.
#[derive(Debug)]
pub(crate) struct Target {
    wanted: String,
    is_met: bool,
}

impl Target {
    pub(crate) fn new(wanted: impl Into<String>, is_met: bool) -> Self {
        Self { wanted: wanted.into(), is_met }
    }
}

impl Table {
    /// An empty table; the title says under which conditions its figures were taken.
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rows: Vec::new() }
    }

    /// Adds a figure that only serves as a comparison.
    pub(crate) fn add(&mut self, what: impl Into<String>, measured: impl Into<String>) {
        self.rows.push(Row { what: what.into(), measured: measured.into(), target: None });
    }

    /// Adds a figure that has a target.
    pub(crate) fn add_with_target(
        &mut self,
        what: impl Into<String>,
        measured: impl Into<String>,
        target: Target,
    ) {
        self.rows.push(Row { what: what.into(), measured: measured.into(), target: Some(target) });
    }

    fn width(&self, column: impl Fn(&Row) -> &str) -> usize {
        self.rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.width(|row| &row.what);
        let measured = self.width(|row| &row.measured);
        let wanted = self.width(|row| row.target.as_ref().map_or("", |target| &target.wanted));
        writeln!(f, "{}", self.title)?;
        for row in &self.rows {
            write!(f, "  {:what$}  {:>measured$}", row.what, row.measured)?;
            if let Some(target) = &row.target {
                let verdict = if target.is_met { "met" } else { "NOT MET" };
                write!(f, "  target: {:wanted$}  {verdict}", target.wanted)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A whole number with commas.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count as a factor; exact for everything that is counted here.
#[expect(clippy::cast_precision_loss, reason = "no count of a bench comes near 2^53")]
pub(crate) fn as_float(count: u64) -> f64 {
    count as f64
}

/// Bytes as megabytes of a million bytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    as_float(bytes) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_stands_beside_its_figure() {
        let mut table = Table::new("memory");
        table.add("plain", "9 MB");
        table.add_with_target("product", "100 MB", Target::new("below 96 MB", false));
        let text = "memory\n  plain      9 MB\n  product  100 MB  target: below 96 MB  NOT MET\n";
        assert_eq!(table.to_string(), text);
    }

    #[test]
    fn numbers_have_commas() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
