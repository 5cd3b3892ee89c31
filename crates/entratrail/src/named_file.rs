//! Files that a person names or a stranger sent, which may be anything.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// Bytes of the longest file of keys, settings or signatures that is read; real ones have a few
/// thousand.
const LONGEST_TEXT: u64 = 1024 * 1024;

/// Reads a regular file of at most `longest` bytes whole. A pipe would be waited for, and a device
/// has no end.
pub fn read(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut body = Vec::new();
    File::open(path)?.take(longest + 1).read_to_end(&mut body)?;
    if body.len() as u64 > longest {
        let what = format!("it has more than {longest} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, what));
    }
    Ok(body)
}

/// Reads a regular file of at most 1 MiB of UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    let body = read(path, LONGEST_TEXT)?;
    // Without the bytes: they may hold a private key.
    String::from_utf8(body)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is no text in UTF-8"))
}
