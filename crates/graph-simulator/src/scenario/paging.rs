//! The layout of chains of pages, and the writer of JSON that makes an answer.

use serde::Deserialize;

use crate::error::Error;
use crate::stream::Stream;

/// One `[[paging]]` table: the layout of the chains of one stream.
///
/// A chain that such a table lays out is a snapshot: it serves what was on file when it began. The
/// first table that fits a chain decides.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Paging {
    /// The stream whose chains are laid out so; absent: every stream.
    pub stream: Option<Stream>,
    /// Order of the records, whatever `$orderby` says; absent: the usual order.
    pub order: Option<Order>,
    /// Page sizes, one of which is drawn for each page; `$top` still limits them. Empty: `$top`.
    pub sizes: Vec<usize>,
    /// Condition for a page to end.
    pub boundary: Boundary,
    /// Pages without records.
    pub empty: Option<EmptyPages>,
    /// Number of chains that serve a changed record twice: first as it was, at the end as it is.
    pub both_versions: u32,
    /// Whether next links carry raw quotes, brackets and plus signs besides encoded ones.
    pub raw_links: bool,
}

/// Orders in which a chain can serve its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Newest first, by record time.
    Newest,
    /// Oldest first, by record time.
    Oldest,
    /// Newest first, by the moment at which a record appeared.
    Arrival,
    /// By the id of the records.
    Id,
    /// Shuffled, in another way for each chain.
    Random,
    /// Several stretches of time in a drawn sequence, each of them newest or oldest first.
    Changing,
}

/// Places at which a page may end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// Wherever the page is full.
    #[default]
    Anywhere,
    /// At a change of the second of the record times, unless a full page has only one.
    Second,
    /// At a change of the hour, or when the page is full.
    Hour,
    /// At a change of the record time: all records of a page have the same.
    EqualTimes,
}

/// Pages without records inside a chain.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmptyPages {
    /// Their number, in a row.
    pub pages: u32,
    /// Part of the chain that they stand in.
    #[serde(default)]
    pub at: PartOfChain,
}

/// Parts of a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartOfChain {
    /// Before the first record.
    #[default]
    Start,
    /// After half of the pages with records.
    Middle,
    /// After the last record; the last of the empty pages has no next link.
    End,
}

/// The `[writer]` table: another writer of JSON makes some of the answers.
///
/// It writes the same content in other bytes: members in another order, white space between tokens,
/// escapes in place of literals, numbers in another form.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writer {
    /// Share of the pages that it writes.
    #[serde(default = "all")]
    pub share: f64,
    /// First simulated day on which it writes, counted from the day of the scenario's `now`.
    #[serde(default = "always")]
    pub from_day: i32,
}

impl Paging {
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.sizes.contains(&0) {
            return Err(Error::Impossible("a page size of paging must be at least 1".to_owned()));
        }
        Ok(())
    }
}

impl Writer {
    pub(super) fn check(&self) -> Result<(), Error> {
        if (0.0..=1.0).contains(&self.share) {
            return Ok(());
        }
        Err(Error::Impossible("writer.share must be 0 to 1".to_owned()))
    }
}

fn all() -> f64 {
    1.0
}

fn always() -> i32 {
    i32::MIN
}
