//! Numbers and spans as people read them.

use std::time::Duration;

/// A number with commas.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// A number and what it counts, e.g. `1 window` or `2,000 windows`.
pub(crate) fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(number))
}

/// Number of entries of a signed log.
pub(crate) fn entries(number: u64) -> String {
    let plural = if number == 1 { "entry" } else { "entries" };
    format!("{} {plural}", thousands(number))
}

/// About how long, e.g. `40 s`, `3 min` or `2 h 5 min`.
pub(crate) fn about(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..90 => format!("{seconds} s"),
        90..5400 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1, 2].map(|number| count(number, "window")), ["1 window", "2 windows"]);
        let spans = [5, 120, 7500].map(|seconds| about(Duration::from_secs(seconds)));
        assert_eq!(spans, ["5 s", "2 min", "2 h 5 min"]);
    }
}
