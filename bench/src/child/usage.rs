//! Resources that this process has used, as the operating system counts them.

use crate::Failure;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// User and system time of all threads so far.
pub(super) fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// The most memory that was resident at once. Not `ru_maxrss`: that counts what the parent held
/// before this program took its place.
pub(super) fn peak_bytes() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
    let kibibytes: u64 = peak.ok_or("/proc/self/status does not say VmHWM")?.trim().parse()?;
    Ok(kibibytes * 1024)
}
