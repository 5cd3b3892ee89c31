//! A program that is watched from outside, so that every program is measured alike.

use crate::Failure;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Time between two looks at it. A peak of memory is the operating system's own, up to the last
/// look.
const INTERVAL: Duration = Duration::from_millis(5);
/// Letters of a message that are shown.
const LONGEST_MESSAGE: usize = 160;

/// Resources that a program used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system time of all its threads.
    pub(crate) cpu: Duration,
    /// The most memory that was resident at once.
    pub(crate) peak_bytes: u64,
}

/// The way it ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) cost: Cost,
    pub(crate) how: How,
}

/// The ways of ending.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// With exit status 0.
    Well,
    /// With another one, and this last line on its standard error stream.
    Failed(String),
    /// Killed when it was to be.
    Killed,
    /// Killed because it took too long.
    BrokenOff,
}

impl Cost {
    /// Both, one after the other.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            cpu: self.cpu + other.cpu,
            peak_bytes: self.peak_bytes.max(other.peak_bytes),
        }
    }
}

/// Runs a program to its end, until `is_to_die` says so, or until `patience` has run out.
pub(crate) fn watch(
    mut command: Command,
    input: &[u8],
    patience: Duration,
    is_to_die: impl Fn() -> bool,
) -> Result<Ending, Failure> {
    let folder = TempDir::with_prefix("entratrail-bench-")?;
    let messages = folder.path().join("messages");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(std::fs::File::create(&messages)?);
    let started = Instant::now();
    let mut process = command.spawn()?;
    // A program that takes no input may close it.
    let _ = process.stdin.take().map(|mut pipe| pipe.write_all(input));
    let proc = Path::new("/proc").join(process.id().to_string());
    let mut cost = Cost::default();
    let mut forced = None;
    loop {
        let status = std::fs::read_to_string(proc.join("status"))?;
        cost.peak_bytes = peak_bytes(&status).unwrap_or(cost.peak_bytes);
        if has_ended(&status) {
            break;
        }
        if forced.is_none() && (is_to_die() || started.elapsed() > patience) {
            forced = Some(if started.elapsed() > patience { How::BrokenOff } else { How::Killed });
            process.kill()?;
        }
        std::thread::sleep(INTERVAL);
    }
    cost.wall = started.elapsed();
    // What has ended keeps its account until it is waited for.
    let stat = std::fs::read_to_string(proc.join("stat"))?;
    cost.cpu = cpu_time(&stat, rustix::param::clock_ticks_per_second())
        .ok_or("/proc/PID/stat is not understood")?;
    let is_well = process.wait()?.success();
    let how = forced
        .unwrap_or_else(|| if is_well { How::Well } else { How::Failed(last_line(&messages)) });
    Ok(Ending { cost, how })
}

/// `VmHWM` of `/proc/PID/status`; a process that has ended has none.
fn peak_bytes(status: &str) -> Option<u64> {
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"))?;
    peak.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// Whether all that is left of the process is its account.
fn has_ended(status: &str) -> bool {
    status.lines().any(|line| line.starts_with("State:") && line.contains('Z'))
}

/// User and system time of `/proc/PID/stat`: the 14th and 15th word. The second one, the name, may
/// hold blanks.
fn cpu_time(stat: &str, ticks_per_second: u64) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut words = rest.split_whitespace().skip(11);
    let user: u64 = words.next()?.parse().ok()?;
    let system: u64 = words.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / ticks_per_second))
}

fn last_line(messages: &Path) -> String {
    let messages = std::fs::read(messages).unwrap_or_default();
    let text = String::from_utf8_lossy(&messages);
    let line = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("without a word");
    let mut shown: String = line.trim().chars().take(LONGEST_MESSAGE).collect();
    if shown.len() < line.trim().len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn how(script: &str, patience: Duration, is_to_die: bool) -> How {
        watch(shell(script), b"", patience, || is_to_die).unwrap().how
    }

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn every_way_of_ending_is_told_apart() {
        assert_eq!(how("exit 0", LONG, false), How::Well);
        let failed = how("echo first >&2; echo why >&2; echo >&2; exit 3", LONG, false);
        assert_eq!(failed, How::Failed("why".to_owned()));
        assert_eq!(how("exit 1", LONG, false), How::Failed("without a word".to_owned()));
        assert_eq!(how("read line; while :; do :; done", LONG, true), How::Killed);
        assert_eq!(how("read line; while :; do :; done", Duration::ZERO, false), How::BrokenOff);
    }

    #[test]
    fn input_arrives_and_memory_and_time_are_counted() {
        let script = "read word; [ \"$word\" = hello ]; end=$?; i=0; while [ $i -lt 100000 ]; do \
                      i=$((i+1)); done; exit $end";
        let ending = watch(shell(script), b"hello\n", LONG, || false).unwrap();
        assert_eq!(ending.how, How::Well);
        assert!(
            ending.cost.peak_bytes > 100_000 && ending.cost.cpu > Duration::ZERO,
            "{:?}",
            ending.cost
        );
        assert!(ending.cost.wall >= ending.cost.cpu / 2);
    }

    #[test]
    fn the_files_below_proc_are_understood() {
        let status = "Name:\tread) Z\nState:\tR (running)\nVmHWM:\t   12345 kB\nVmRSS:\t 1 kB\n";
        assert_eq!((peak_bytes(status), has_ended(status)), (Some(12_345 * 1024), false));
        assert!(
            has_ended("Name:\tsh\nState:\tZ (zombie)\n")
                && peak_bytes("State:\tZ (zombie)\n").is_none()
        );
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 9 9 20 0 1 0 5 6 7";
        assert_eq!(cpu_time(stat, 100), Some(Duration::from_secs(3)));
        assert_eq!(cpu_time("7 (a", 100), None);
    }
}
