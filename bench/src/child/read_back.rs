//! The raw objects of an archive read back, with their table objects made of them or without.

use super::collect::open_archive;
use super::{Outcome, Source};
use crate::Failure;
use entratrail::config::Config;
use entratrail::log::Stream;
use entratrail::plan::RawObject;
use std::hint::black_box;

/// Reads every raw object of the span in the bucket that the environment names.
pub(super) async fn read_back(source: &Source, with_tables: bool) -> Result<Outcome, Failure> {
    let archive = open_archive(&Config::read(|name| std::env::var(name).ok())?).await;
    let mut outcome = Outcome::default();
    for stream in Stream::all() {
        for day in archive.list(stream, source.first_day).await?.ledgers {
            for row in archive.ledger(stream, day).await?.0.reads_with_object() {
                if with_tables {
                    let Some(object) = row.object() else { continue };
                    outcome.records +=
                        archive.write_table(stream, object, row.started_at).await?.rows;
                } else {
                    let object = RawObject { window: row.window, read: row.read };
                    let read = archive.read_object(stream, object, |mut line| {
                        black_box(line.record());
                        outcome.records += 1;
                    });
                    read.await?;
                }
            }
        }
    }
    Ok(outcome)
}
