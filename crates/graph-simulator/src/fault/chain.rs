//! Faults of whole chains: those that end, die, loop or never end.

use serde::Deserialize;

use crate::stream::Stream;

/// One `[[faults.chain]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainFault {
    /// Kind of the fault.
    pub kind: ChainFaultKind,
    /// Only chains of this stream.
    pub stream: Option<Stream>,
    /// Pages that are served before it does.
    #[serde(default = "one_page")]
    pub after: usize,
    /// Share of the chains that suffer.
    #[serde(default = "all")]
    pub share: f64,
    /// Only chains whose span touches these days, first and last, counted from the day of `now`.
    pub days: Option<(i32, i32)>,
    /// Only chains whose span is longer.
    #[serde(default)]
    pub longer_than_minutes: i64,
    /// Largest number of chains that suffer; absent: no limit.
    pub chains: Option<u32>,
    /// Requests of the fatal link that are refused; absent: all of them.
    pub times: Option<u32>,
}

/// Kinds of faults that befall a whole chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainFaultKind {
    /// The next link is left out although more follows: a short read that looks complete.
    EndsEarly,
    /// The next link is refused with 400 `Invalid Skip Token`.
    Dies,
    /// The next link is the link just requested.
    Repeats,
    /// Empty pages follow, each with a new next link, without end.
    Endless,
}

/// A fault that a chain was given when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainBreak {
    pub(crate) kind: ChainFaultKind,
    pub(crate) after: usize,
    pub(crate) times: Option<u32>,
}

/// Properties of a chain on which the choice of its fault depends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChainOccasion<'a> {
    pub(crate) streams: &'a [Stream],
    /// First and last day of its span, counted from the day on which the simulator started.
    pub(crate) days: (i64, i64),
    pub(crate) minutes: i64,
    /// A number of its own.
    pub(crate) draw: u64,
}

impl ChainFault {
    /// Whether a chain suffers it, apart from the number of those that already did.
    pub(super) fn fits(&self, occasion: &ChainOccasion<'_>, drawn: f64) -> bool {
        let (first, last) = occasion.days;
        self.stream.is_none_or(|stream| occasion.streams.contains(&stream))
            && self.days.is_none_or(|(from, to)| first <= i64::from(to) && i64::from(from) <= last)
            && occasion.minutes > self.longer_than_minutes
            && drawn < self.share
    }
}

fn one_page() -> usize {
    1
}

fn all() -> f64 {
    1.0
}
