//! Records of Microsoft Graph and their versions: whatever touches every byte of them.
//!
//! * [`page`] finds the records of a page.
//! * [`record`] reads a record: its id, its time, and the hash that identifies its version.
//! * [`raw`] writes and reads raw objects, gzipped NDJSON, and hashes them.
//! * [`stored`] knows the versions that are stored and counts what a read brings.
//! * [`table`] declares the columns of the tables, once, and makes Parquet of records.
//! * [`log`] names the logs and streams, and what differs between them.
//! * [`merkle`] is the tree of RFC 6962, over lines and over entries of the log.
//!
//! Everything is a pure function of its arguments. The crate is compiled for speed, the rest of a
//! function for size.

mod canonical;
mod json;
pub mod log;
pub mod merkle;
pub mod page;
pub mod raw;
pub mod record;
pub mod stored;
pub mod table;
