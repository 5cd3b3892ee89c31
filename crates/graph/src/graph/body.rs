//! A body as it arrives: unpacked piece by piece into the page buffer, and never beyond what a page
//! may take.

use super::page::Oversized;
use super::refusal::is_plain;
use super::scan::Scan;
use flate2::write::MultiGzDecoder;
use std::io::{self, Write};

/// Bytes (2^20 each) that a page may take once unpacked. A thousand records of 11.5 KB take 12 MB;
/// a function has 256 MB, of which a run takes some 45 beside the page.
pub(super) const LARGEST_PAGE_BYTES: usize = 32 * 1024 * 1024;
/// A single record is looked through up to this size, and no further: whoever sends more sends no
/// record.
const LARGEST_SCAN_BYTES: u64 = 1024 * 1024 * 1024;

/// Why a body cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// More than [`LARGEST_PAGE_BYTES`].
    TooLarge,
    /// Said to be gzip, and is not, or not whole.
    NotGzip,
}

/// Takes the pieces of a body.
pub(super) enum Unpacker<'buffer> {
    /// As it is.
    Plain(Sink<'buffer>),
    /// With gzip.
    Gzip(Box<MultiGzDecoder<Sink<'buffer>>>),
}

/// The page buffer, which takes no more than a page, and the scan of what is beyond it, where that
/// is wanted.
pub(super) struct Sink<'buffer> {
    buffer: &'buffer mut Vec<u8>,
    scan: Option<Scan>,
    bytes: u64,
}

/// Result of unpacking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unpacked {
    /// The page buffer holds the whole body.
    Whole,
    /// The body is a page of one record that is too large; the link of the next page.
    Oversized(Oversized, Option<String>),
}

impl<'buffer> Unpacker<'buffer> {
    /// An unpacker into `buffer`. With a scan, a body that is too large is looked through instead
    /// of refused.
    pub(super) fn new(
        encoding: Option<&str>,
        buffer: &'buffer mut Vec<u8>,
        scan: Option<Scan>,
    ) -> Self {
        buffer.clear();
        let sink = Sink { buffer, scan, bytes: 0 };
        match encoding.map(str::trim) {
            Some(coding)
                if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") =>
            {
                Self::Gzip(Box::new(MultiGzDecoder::new(sink)))
            }
            _ => Self::Plain(sink),
        }
    }

    /// Makes room for a body that arrived whole. A gzip body says in its last four bytes how large
    /// it is (<https://www.rfc-editor.org/rfc/rfc1952>, 2.3.1); where that is too much it is not
    /// unpacked at all. Without room from the start, the buffer would grow to twice of what it
    /// needs.
    pub(super) fn expect_whole(&mut self, body: &[u8]) -> Result<(), BodyFault> {
        let trailer = body.last_chunk().map_or(0, |size| u32::from_le_bytes(*size));
        let (sink, size) = match self {
            Self::Plain(sink) => (sink, body.len()),
            Self::Gzip(gzip) => (gzip.get_mut(), usize::try_from(trailer).unwrap_or(usize::MAX)),
        };
        if size <= LARGEST_PAGE_BYTES {
            let _ = sink.buffer.try_reserve_exact(size);
            return Ok(());
        }
        if sink.scan.is_some() { Ok(()) } else { Err(BodyFault::TooLarge) }
    }

    /// Takes a piece.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), BodyFault> {
        let written = match self {
            Self::Plain(sink) => sink.write_all(piece),
            Self::Gzip(gzip) => gzip.write_all(piece),
        };
        written.map_err(|error| fault(&error))
    }

    /// Ends the body.
    pub(super) fn finish(self) -> Result<Unpacked, BodyFault> {
        let sink = match self {
            Self::Plain(sink) => sink,
            Self::Gzip(gzip) => gzip.finish().map_err(|error| fault(&error))?,
        };
        if sink.bytes <= LARGEST_PAGE_BYTES as u64 {
            return Ok(Unpacked::Whole);
        }
        sink.buffer.clear();
        let found = sink.scan.and_then(Scan::finish).ok_or(BodyFault::TooLarge)?;
        let next_link =
            found.next_link.map(String::from_utf8).transpose().map_err(|_| BodyFault::TooLarge)?;
        let oversized =
            Oversized { id: plain(found.id, ""), time: plain(found.time, ":+"), bytes: sink.bytes };
        Ok(Unpacked::Oversized(oversized, next_link))
    }
}

/// The text where it is plain, but for the `extra` characters.
fn plain(text: Option<Vec<u8>>, extra: &str) -> Option<String> {
    let text = String::from_utf8(text?).ok()?;
    is_plain(&text.replace(|character| extra.contains(character), "")).then_some(text)
}

impl Write for Sink<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.bytes += piece.len() as u64;
        if self.bytes <= LARGEST_PAGE_BYTES as u64 {
            let missing = (self.buffer.len() + piece.len()).saturating_sub(self.buffer.capacity());
            if missing > 0 {
                // Grows to twice its size as a vector would, but never beyond a page.
                let capacity = (self.buffer.capacity() * 2).min(LARGEST_PAGE_BYTES);
                self.buffer.reserve_exact(piece.len().max(capacity - self.buffer.len()));
            }
            self.buffer.extend_from_slice(piece);
        } else if self.scan.is_none() || self.bytes > LARGEST_SCAN_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if let Some(scan) = &mut self.scan {
            scan.push(piece);
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fault(error: &io::Error) -> BodyFault {
    if error.kind() == io::ErrorKind::FileTooLarge {
        BodyFault::TooLarge
    } else {
        BodyFault::NotGzip
    }
}
