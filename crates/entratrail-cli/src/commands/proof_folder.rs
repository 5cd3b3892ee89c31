//! Names of the files in a folder that `prove` writes and `check` reads.

/// Name of the record's line, without its line feed.
pub(crate) const RECORD: &str = "record.json";
/// Name of the path from the line to `records_root`.
pub(crate) const RECORD_PROOF: &str = "record.tlog-proof";
/// Name of the entry of the log, as it is hashed.
pub(crate) const ENTRY: &str = "entry";
/// Name of the entry of change `number` of the key that signs, from 1.
pub(crate) fn key_change(number: usize) -> String {
    format!("key-{number:03}")
}

/// Name of the proof that leads from the entry of that name to a checkpoint.
pub(crate) fn proof_of(entry: &str) -> String {
    format!("{entry}.tlog-proof")
}
