//! Listing the table objects of an archive, and files to read them from.

use super::store::Store;
use crate::Archive;
use crate::store::Depth;
use entratrail_core::error::Error;
use entratrail_core::log::Stream;
use entratrail_core::object::parse_table_key;
use entratrail_core::plan::RawObject;
use entratrail_core::raw::Digest;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Content of the folder of a stream's tables.
#[derive(Debug, Default)]
pub struct TableListing {
    /// The table objects with their keys, in the order of their keys.
    pub objects: Vec<(RawObject, String)>,
    /// Keys that EntraTrail does not give.
    pub foreign: Vec<String>,
}

impl Archive {
    /// Lists the table objects of `stream`.
    pub async fn tables(&self, stream: Stream) -> Result<TableListing, Error> {
        let mut listing = TableListing::default();
        for key in self
            .store
            .keys(&format!("tables/{}/", stream.table_folder()), None, Depth::Tree)
            .await?
        {
            match parse_table_key(stream, &key) {
                Some(object) => listing.objects.push((object, key)),
                None => listing.foreign.push(key),
            }
        }
        Ok(listing)
    }

    /// SHA-256 of an object, in hexadecimal. Read piece by piece.
    pub async fn sha256_of(&self, key: &str) -> Result<String, Error> {
        let mut content = self.store.get_stream(key).await?;
        let mut digest = Digest::default();
        while let Some(piece) = content.next().await? {
            digest.update(&piece);
        }
        Ok(digest.sha256())
    }

    /// A file that holds the object: its own where the archive is a folder, a copy in `scratch`,
    /// for its owner alone, of what lies in a bucket.
    pub async fn file_of(&self, key: &str, scratch: &Path) -> Result<PathBuf, Error> {
        if let Store::Folder(folder) = &self.store {
            return folder.file_path(key);
        }
        let copy = scratch.join(key.replace('/', "_"));
        let mut content = self.store.get_stream(key).await?;
        let mut options = std::fs::File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&copy).map_err(|error| not_copied(key, &copy, error))?;
        while let Some(piece) = content.next().await? {
            file.write_all(&piece).map_err(|error| not_copied(key, &copy, error))?;
        }
        Ok(copy)
    }
}

fn not_copied(key: &str, copy: &Path, error: std::io::Error) -> Error {
    Error::disk(format!("{key} could not be copied to {}: {error}", copy.display()))
        .with_remedy("make room there")
        .with_source(error)
}
