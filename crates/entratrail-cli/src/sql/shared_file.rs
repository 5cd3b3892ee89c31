//! A file that several readers read at once, each at a place of its own.
//!
//! Descriptors that `File::try_clone` makes share one position, so two threads that seek and then
//! read would be given each other's bytes. Here nobody seeks: every read names its place.

use bytes::Bytes;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// A file without a position. Clones are the same file.
#[derive(Debug, Clone)]
pub(super) struct SharedFile {
    file: Arc<File>,
    bytes: u64,
}

/// A reader of a shared file, with a position of its own.
#[derive(Debug)]
pub(super) struct ReadFrom {
    file: Arc<File>,
    position: u64,
}

impl SharedFile {
    /// Takes the file as large as it is now.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), bytes })
    }

    /// Reads from `position` on.
    pub(super) fn from(&self, position: u64) -> ReadFrom {
        ReadFrom { file: Arc::clone(&self.file), position }
    }
}

impl Read for ReadFrom {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Length for SharedFile {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for SharedFile {
    type T = BufReader<ReadFrom>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(self.from(start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // Before there is room for them: a damaged footer may claim any number.
        let end = start.checked_add(length as u64).filter(|end| *end <= self.bytes);
        if end.is_none() {
            return Err(ParquetError::EOF(format!(
                "{length} bytes from {start} on, of a file of {}",
                self.bytes
            )));
        }
        let mut buffer = vec![0; length];
        self.file.read_exact_at(&mut buffer, start)?;
        Ok(buffer.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn file_of(bytes: &[u8]) -> SharedFile {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        SharedFile::new(file).unwrap()
    }

    #[test]
    fn readers_at_once_are_given_the_bytes_of_their_own_place() {
        const BLOCK: usize = 4_096;
        let content: Vec<u8> = (0..=255_u8).flat_map(|block| [block; BLOCK]).collect();
        let file = file_of(&content);
        std::thread::scope(|scope| {
            for block in 0..=255_u8 {
                let file = file.clone();
                scope.spawn(move || {
                    let start = u64::from(block) * BLOCK as u64;
                    for _ in 0..50 {
                        let bytes = file.get_bytes(start, BLOCK).unwrap();
                        assert!(bytes.iter().all(|byte| *byte == block));
                        let mut read = [0; BLOCK];
                        file.get_read(start).unwrap().read_exact(&mut read).unwrap();
                        assert!(read.iter().all(|byte| *byte == block));
                    }
                });
            }
        });
    }

    #[test]
    fn what_is_not_there_is_refused_before_there_is_room_for_it() {
        let file = file_of(b"abc");
        assert_eq!(file.get_bytes(1, 2).unwrap(), "bc");
        for (start, length) in [(1, 3), (4, 0), (0, usize::MAX), (u64::MAX, 1)] {
            assert!(file.get_bytes(start, length).is_err(), "{length} from {start}");
        }
    }
}
