//! Work that cannot be saved: unpacking the answers and compressing the objects, with the product's
//! codec and level.

use super::Outcome;
use super::usage::cpu_time;
use crate::Failure;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Lines that are compressed in one go, as many as a page has.
const LINES: usize = 1000;

/// Only the calls to the codec are on the account; reading files is not.
pub(super) fn unpack_and_compress(
    answers: &[PathBuf],
    objects: &[PathBuf],
) -> Result<Outcome, Failure> {
    let mut outcome = Outcome { cpu_seconds: unpack(answers)?.as_secs_f64(), ..Outcome::default() };
    for object in objects {
        compress(object, &mut outcome)?;
    }
    Ok(outcome)
}

fn unpack(answers: &[PathBuf]) -> Result<Duration, Failure> {
    let mut used = Duration::ZERO;
    let mut body = Vec::new();
    for answer in answers {
        let bytes = std::fs::read(answer)?;
        let before = cpu_time();
        body.clear();
        MultiGzDecoder::new(&bytes[..]).read_to_end(&mut body)?;
        used += cpu_time().saturating_sub(before);
    }
    Ok(used)
}

/// Compresses the lines of an object once more.
fn compress(object: &Path, outcome: &mut Outcome) -> Result<(), Failure> {
    let mut stored = BufReader::with_capacity(1 << 20, MultiGzDecoder::new(File::open(object)?));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    let mut lines = Vec::new();
    loop {
        lines.clear();
        let mut count = 0;
        while count < LINES && stored.read_until(b'\n', &mut lines)? > 0 {
            count += 1;
        }
        if count == 0 {
            break;
        }
        outcome.records += count as u64;
        let before = cpu_time();
        // Two calls a line, as the product makes: the codec's bytes depend on how it is fed.
        for line in lines.strip_suffix(b"\n").unwrap_or(&lines).split(|&byte| byte == b'\n') {
            gzip.write_all(line)?;
            gzip.write_all(b"\n")?;
        }
        outcome.cpu_seconds += cpu_time().saturating_sub(before).as_secs_f64();
        outcome.compressed_bytes += gzip.get_ref().len() as u64;
        gzip.get_mut().clear();
    }
    let before = cpu_time();
    let rest = gzip.finish()?;
    outcome.cpu_seconds += cpu_time().saturating_sub(before).as_secs_f64();
    outcome.compressed_bytes += rest.len() as u64;
    Ok(())
}
