//! Parts of a scenario that are drawn at random: what Graph may do and no document rules out.

use fastrand::Rng;
use std::fmt::Write as _;

/// Every fault that a read can survive, and its weight among them.
pub(crate) const FAULTS: [(&str, f64); 19] = [
    ("throttle_seconds", 4.0),
    ("throttle_date", 3.0),
    ("throttle_bare", 3.0),
    ("unavailable", 3.0),
    ("server_error", 5.0),
    ("cut", 4.0),
    ("truncated_json", 3.0),
    ("broken_gzip", 3.0),
    ("html_200", 3.0),
    ("silence", 1.0),
    ("slow", 2.0),
    ("token_expired", 2.0),
    ("refused_link", 3.0),
    ("repeated_link", 1.0),
    ("foreign_link", 0.5),
    ("missing_link", 1.0),
    ("ignored_filter", 1.0),
    ("empty_page", 4.0),
    ("short_page", 5.0),
];

const ORDERS: [&str; 6] = ["newest", "oldest", "arrival", "id", "random", "changing"];
const BOUNDARIES: [&str; 4] = ["anywhere", "second", "hour", "equal_times"];
const SIZES: [&str; 5] = ["[]", "[1]", "[1, 3, 20]", "[2, 50]", "[1, 1, 1000]"];
const ODD_KINDS: [&str; 9] = [
    "no_time",
    "null_time",
    "local_time",
    "no_zone",
    "year_one",
    "null_record",
    "hours_outside",
    "just_outside",
    "invalid_utf8",
];

/// One of `choices`.
pub(crate) fn one_of<T: Copy>(dice: &mut Rng, choices: &[T]) -> T {
    choices[dice.usize(0..choices.len())]
}

/// Order, sizes and boundaries of pages.
pub(crate) fn paging(dice: &mut Rng) -> String {
    let order = one_of(dice, &ORDERS);
    let sizes = one_of(dice, &SIZES);
    let boundary = one_of(dice, &BOUNDARIES);
    let mut text =
        format!("[[paging]]\norder = \"{order}\"\nsizes = {sizes}\nboundary = \"{boundary}\"\n");
    if dice.u8(0..4) == 0 {
        let pages = dice.u32(1..6);
        let at = one_of(dice, &["start", "middle", "end"]);
        let _ = writeln!(text, "empty = {{ pages = {pages}, at = \"{at}\" }}");
    }
    let _ = writeln!(text, "both_versions = {}", dice.u32(0..3));
    text
}

/// Another writer of JSON for half of the tenants.
pub(crate) fn writer(dice: &mut Rng) -> String {
    if dice.bool() {
        return String::new();
    }
    format!("[writer]\nshare = {:.2}\nfrom_day = {}\n", dice.f64(), dice.i32(-1..3))
}

/// Odd records of `stream` on one of `days`, counted from the day of `now`.
pub(crate) fn odd(dice: &mut Rng, stream: &str, days: std::ops::Range<i32>) -> String {
    let mut text = String::new();
    for _ in 0..dice.u8(0..3) {
        let kind = one_of(dice, &ODD_KINDS);
        let day = dice.i32(days.clone());
        let count = dice.u32(1..4);
        let _ = write!(
            text,
            "[[odd]]\nkind = \"{kind}\"\nstream = \"{stream}\"\nday = {day}\ncount = {count}\n"
        );
    }
    text
}

/// Faults of single requests, `share` of them at most.
pub(crate) fn rates(dice: &mut Rng, share: f64) -> String {
    let weights: Vec<_> = FAULTS.iter().map(|(_, weight)| weight * dice.f64()).collect();
    let share = share * dice.f64() / weights.iter().sum::<f64>();
    let mut text = "[faults.rates]\n".to_owned();
    for ((kind, _), weight) in FAULTS.iter().zip(weights) {
        let _ = writeln!(text, "{kind} = {:.4}", weight * share);
    }
    text
}

/// Faults of whole chains: links that end early, die or repeat.
pub(crate) fn chain_faults(dice: &mut Rng) -> String {
    let mut text = String::new();
    for _ in 0..dice.u8(0..3) {
        let kind = one_of(dice, &["ends_early", "ends_early", "dies", "dies", "repeats"]);
        let after = dice.u32(1..4);
        let share = dice.f64();
        let longer = one_of(dice, &[0, 30, 180]);
        let _ = write!(
            text,
            "[[faults.chain]]\nkind = \"{kind}\"\nafter = {after}\nshare = {share:.2}\n\
             longer_than_minutes = {longer}\n"
        );
        if kind == "dies" && dice.bool() {
            let _ = writeln!(text, "times = {}", dice.u32(1..4));
        } else if kind != "ends_early" {
            // Each such chain is asked for in halves: more of them would only cost time.
            let _ = writeln!(text, "chains = {}", dice.u32(1..4));
        }
    }
    text
}
