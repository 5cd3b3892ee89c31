//! Progress of a command: bars on a terminal, lines now and then anywhere else.

mod bars;
mod lines;
mod objects;
mod questions;
mod speed;

pub(crate) use objects::ObjectProgress;
pub(crate) use questions::QuestionProgress;

use bars::Bars;
use entratrail::config::RunSettings;
use entratrail::log::Stream;
use entratrail::progress::{Counts, Progress};
use indicatif::ProgressStyle;
use lines::Lines;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Records that a page holds at most.
const PAGE_RECORDS: usize = 1000;

/// Time between two lines if nobody watches.
const LINE_PERIOD: Duration = Duration::from_secs(10);

/// Form in which progress is shown.
#[derive(Debug)]
pub(crate) enum RunProgress {
    Nothing,
    Bars(Bars),
    Lines(Lines),
}

impl RunProgress {
    /// Bars where a person watches, lines where a log is kept.
    pub(crate) fn for_this_terminal(settings: &RunSettings) -> Self {
        let allowed = (settings.graph.requests_per_10s * PAGE_RECORDS / 10) as u64;
        if console::user_attended_stderr() {
            Self::Bars(Bars::new(allowed))
        } else {
            Self::Lines(Lines::new(allowed))
        }
    }

    /// Does `work`, and shows its progress meanwhile.
    pub(crate) async fn beside<T>(
        mut self,
        progress: Vec<Arc<Progress>>,
        work: impl Future<Output = T>,
    ) -> T {
        let Some(period) = self.period() else { return work.await };
        let mut ticks = tokio::time::interval(period);
        ticks.tick().await;
        let mut work = std::pin::pin!(work);
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                _ = ticks.tick() => self.show(&counts(&progress)),
            }
        };
        self.end(&counts(&progress));
        done
    }

    fn period(&self) -> Option<Duration> {
        match self {
            Self::Nothing => None,
            Self::Bars(_) => Some(Duration::from_millis(200)),
            Self::Lines(_) => Some(LINE_PERIOD),
        }
    }

    fn show(&mut self, counts: &[(Stream, Counts)]) {
        match self {
            Self::Nothing => {}
            Self::Bars(bars) => bars.show(counts),
            Self::Lines(lines) => lines.show(counts),
        }
    }

    fn end(&mut self, counts: &[(Stream, Counts)]) {
        if let Self::Bars(bars) = self {
            bars.show(counts);
            bars.end();
        }
    }
}

/// The style of a bar.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn counts(progress: &[Arc<Progress>]) -> Vec<(Stream, Counts)> {
    progress.iter().flat_map(|progress| progress.counts()).collect()
}
