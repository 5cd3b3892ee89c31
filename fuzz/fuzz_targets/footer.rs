//! Opens bytes as a table object, and reads every value of what opens.
#![no_main]

#[allow(dead_code, reason = "the command uses the rest")]
#[path = "../../crates/entratrail-cli/src/sql/parquet_file.rs"]
mod parquet_file;

#[path = "../../crates/entratrail-cli/src/sql/shared_file.rs"]
mod shared_file;

use datafusion::arrow::datatypes::SchemaRef;
use entratrail::log::Log;
use entratrail::table::arrow_schema;
use std::io::Write as _;
use std::sync::LazyLock;

static TABLE: LazyLock<SchemaRef> = LazyLock::new(|| arrow_schema(Log::DirectoryAudits));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(mut object) = tempfile::NamedTempFile::new_in("/dev/shm") else { return };
    if object.write_all(bytes).is_err() {
        return;
    }
    if let Ok(table) = parquet_file::ParquetFile::open("key".to_owned(), object.path(), &TABLE) {
        let _ = table.examine();
    }
});
