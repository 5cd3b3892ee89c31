//! Reading an object of the folder, piece by piece.

use super::failure::{FolderAction, failed};
use super::{Folder, blocking};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use entratrail_core::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes that are read at once. Unpacked they are at most a thousand times as many.
const PIECE: usize = 64 * 1024;

/// An object that is being read.
#[derive(Debug)]
pub(crate) struct FolderStream {
    path: PathBuf,
    file: Arc<File>,
    pub(crate) stored_at: DateTime<Utc>,
}

impl Folder {
    pub(crate) async fn get_stream(&self, key: &str) -> Result<FolderStream, Error> {
        let folder = self.clone();
        let path = self.path(key);
        blocking(move || {
            let opened =
                folder.open_file(&path).and_then(|file| Ok((file.metadata()?.modified()?, file)));
            let (stored_at, file) =
                opened.map_err(|error| failed(FolderAction::Read, &path, error))?;
            Ok(FolderStream { path, file: Arc::new(file), stored_at: stored_at.into() })
        })
        .await
    }
}

impl FolderStream {
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let file = Arc::clone(&self.file);
        let path = self.path.clone();
        blocking(move || {
            let mut piece = Vec::with_capacity(PIECE);
            let read = (&*file).take(PIECE as u64).read_to_end(&mut piece);
            read.map_err(|error| failed(FolderAction::Read, &path, error))?;
            Ok((!piece.is_empty()).then(|| piece.into()))
        })
        .await
    }
}
