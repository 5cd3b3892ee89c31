//! The bytes of a raw object: gzip of one record per line, made and read piece by piece.

mod line;

pub use line::Line;

use crate::merkle::MerkleTree;
use crate::record::{RecordReader, as_one_line};
use aws_lc_rs::digest::{Context, SHA256};
use flate2::Compression;
use flate2::write::{GzEncoder, MultiGzDecoder};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write as _};

/// A part of a multipart upload is sent when this much is compressed; S3 takes no smaller part but
/// the last.
pub const PART_BYTES: usize = 5 * 1024 * 1024;

/// Bytes that a line may have. A record is part of one page of Graph's, and no page is that large;
/// without a bound, a few megabytes of gzip would fill the memory.
const LONGEST_LINE: usize = 256 * 1024 * 1024;

/// Room for a part and the page that fills it, taken with the first record. Growing to that would
/// take twice the memory for a moment.
const ROOM: usize = PART_BYTES + PART_BYTES / 2;

/// Compresses records into the object of a read.
#[derive(Debug)]
pub struct RawEncoder {
    gzip: GzEncoder<Vec<u8>>,
    digest: Digest,
    lines: MerkleTree,
}

impl Default for RawEncoder {
    fn default() -> Self {
        Self {
            gzip: GzEncoder::new(Vec::new(), Compression::default()),
            digest: Digest::default(),
            lines: MerkleTree::default(),
        }
    }
}

impl RawEncoder {
    /// Adds one record as a line, and returns that.
    pub fn push<'json>(&mut self, json: &'json [u8]) -> io::Result<Cow<'json, [u8]>> {
        if self.gzip.get_ref().capacity() == 0 {
            self.gzip.get_mut().reserve_exact(ROOM);
        }
        let line = as_one_line(json);
        self.gzip.write_all(&line)?;
        self.gzip.write_all(b"\n")?;
        self.lines.push(&line);
        Ok(line)
    }

    /// The compressed bytes so far, as soon as they are enough for a part.
    pub fn take_part(&mut self) -> Option<Vec<u8>> {
        let is_full = self.gzip.get_ref().len() >= PART_BYTES;
        is_full.then(|| {
            let part = std::mem::take(self.gzip.get_mut());
            self.digest.update(&part);
            part
        })
    }

    /// The remaining bytes, and what they complete.
    pub fn finish(mut self) -> io::Result<(Vec<u8>, ObjectDigest)> {
        self.gzip.try_finish()?;
        let rest = std::mem::take(self.gzip.get_mut());
        self.digest.update(&rest);
        Ok((rest, self.digest.finish(&self.lines)))
    }
}

/// Hashes and size of a whole object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectDigest {
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub bytes: u64,
    /// RFC 6962 root over the lines in their order, each without its line feed, in hexadecimal.
    pub records_root: String,
    /// Lines, each a record version.
    pub lines: u64,
}

/// SHA-256 of what `content` holds, in hexadecimal, read piece by piece.
pub fn sha256_of(mut content: impl io::Read) -> io::Result<String> {
    let mut digest = Digest::default();
    let mut piece = vec![0; 256 * 1024];
    loop {
        match content.read(&mut piece)? {
            0 => return Ok(digest.sha256()),
            length => digest.update(&piece[..length]),
        }
    }
}

/// The SHA-256 of these bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let mut digest = Digest::default();
    digest.update(bytes);
    digest.sha256()
}

/// These bytes as lower-case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}"); // writing to a string cannot fail
    }
    digits
}

/// SHA-256 and size of bytes that come piece by piece.
#[derive(Clone)]
pub struct Digest {
    context: Context,
    bytes: u64,
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digest").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self { context: Context::new(&SHA256), bytes: 0 }
    }
}

impl Digest {
    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// The SHA-256 in hexadecimal.
    pub fn sha256(self) -> String {
        hexadecimal(self.context.finish().as_ref())
    }

    fn finish(self, lines: &MerkleTree) -> ObjectDigest {
        ObjectDigest {
            bytes: self.bytes,
            sha256: self.sha256(),
            records_root: hexadecimal(&lines.root()),
            lines: lines.leaves(),
        }
    }
}

/// Reads the object of an earlier read, chunk by chunk.
#[derive(Debug)]
pub struct RawDecoder {
    gunzip: MultiGzDecoder<Vec<u8>>,
    digest: Digest,
    lines: MerkleTree,
    records: RecordReader,
}

impl RawDecoder {
    /// A decoder for records with that time field.
    pub fn new(time_field: &'static str) -> Self {
        Self {
            gunzip: MultiGzDecoder::new(Vec::new()),
            digest: Digest::default(),
            lines: MerkleTree::default(),
            records: RecordReader::new(time_field),
        }
    }

    /// Takes the next bytes of the object and hands every line that they complete to `visit`.
    pub fn push(&mut self, chunk: &[u8], visit: impl FnMut(Line<'_>)) -> io::Result<()> {
        self.digest.update(chunk);
        self.gunzip.write_all(chunk)?;
        self.visit_lines(visit)
    }

    /// Takes the end of the object.
    pub fn finish(mut self, visit: impl FnMut(Line<'_>)) -> io::Result<ObjectDigest> {
        self.gunzip.try_finish()?;
        self.visit_lines(visit)?;
        if self.gunzip.get_ref().is_empty() {
            Ok(self.digest.finish(&self.lines))
        } else {
            Err(damaged())
        }
    }

    fn visit_lines(&mut self, mut visit: impl FnMut(Line<'_>)) -> io::Result<()> {
        let buffer = self.gunzip.get_mut();
        let Some(end) = memchr::memrchr(b'\n', buffer) else {
            return if buffer.len() > LONGEST_LINE { Err(endless()) } else { Ok(()) };
        };
        for json in buffer[..end].split(|&byte| byte == b'\n') {
            let line = Line::of(json, &mut self.records).map_err(|_| damaged())?;
            self.lines.push(json);
            visit(line);
        }
        buffer.drain(..=end);
        Ok(())
    }
}

fn endless() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it holds a line that is longer than any record")
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it holds lines that are no JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;

    fn encode(records: &[&[u8]]) -> (Vec<u8>, ObjectDigest) {
        let mut encoder = RawEncoder::default();
        for record in records {
            encoder.push(record).unwrap();
        }
        encoder.finish().unwrap()
    }

    fn decode(bytes: &[u8], chunk: usize) -> io::Result<(Vec<Record>, ObjectDigest)> {
        let mut records = Vec::new();
        let mut decoder = RawDecoder::new("t");
        for chunk in bytes.chunks(chunk) {
            decoder.push(chunk, |mut line| records.push(line.record()))?;
        }
        let digest = decoder.finish(|mut line| records.push(line.record()))?;
        Ok((records, digest))
    }

    #[test]
    fn an_object_is_read_back_whatever_the_chunks() {
        let (bytes, written) =
            encode(&[br#"{"id":"a"}"#, b"{\n\"id\" : \"b\" }", "{\"id\":\"ü\"}".as_bytes()]);
        for chunk in [1, 7, 1000] {
            let (records, read) = decode(&bytes, chunk).unwrap();
            assert_eq!(records.len(), 3);
            assert_eq!(read, written);
            assert_eq!(read.lines, 3);
        }
    }

    #[test]
    fn a_line_is_opaque_bytes() {
        let lines: [&[u8]; 5] = [
            b"{\"id\":\"a\xff\xc3\"}",
            b"null",
            b"[1,\"\xed\xa0\xbd\"]",
            b"17",
            b"{\"\xfe\":\"\\ud83d\"}",
        ];
        let (bytes, written) = encode(&lines);
        let mut decoder = RawDecoder::new("t");
        let mut found = Vec::new();
        decoder.push(&bytes, |line| found.push(line.json().to_vec())).unwrap();
        assert_eq!(decoder.finish(|line| found.push(line.json().to_vec())).unwrap(), written);
        assert_eq!(found, lines);
    }

    #[test]
    fn the_same_records_make_the_same_bytes() {
        assert_eq!(encode(&[b"{}"]), encode(&[b"{}"]));
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_fills_the_memory() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        let digits = vec![b'1'; 1024 * 1024];
        for _ in 0..LONGEST_LINE / digits.len() + 64 {
            gzip.write_all(&digits).unwrap();
        }
        let error = decode(&gzip.finish().unwrap(), 64 * 1024).unwrap_err();
        assert!(error.to_string().contains("longer than any record"), "{error}");
    }

    #[test]
    fn a_damaged_object_is_an_error() {
        let (bytes, _) = encode(&[br#"{"id":"a"}"#, br#"{"id":"b"}"#]);
        assert!(decode(&bytes[..bytes.len() - 3], 10).is_err());
        assert!(decode(b"not gzip at all", 10).is_err());
        assert!(decode(&encode(&[b"{\"id\":"]).0, 10).is_err());
        let mut flipped = bytes.clone();
        flipped[15] ^= 0x40;
        assert!(decode(&flipped, 10).is_err());
    }
}
