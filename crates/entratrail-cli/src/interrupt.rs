//! Ctrl-C: the first asks the run to stop, the second ends it at once.

use crate::terminal::output::print_status;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The exit status of a process that Ctrl-C ended.
const ENDED_AT_ONCE: i32 = 130;

/// Tells whether the run is to stop.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn listen() -> Self {
        let (stop, stopped) = watch::channel(false);
        // Ctrl-C, and what a shutting-down system or a closed terminal sends. Where they cannot be
        // listened to, they end the process.
        if let (Ok(mut interrupted), Ok(mut terminated), Ok(mut hung_up)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) {
            tokio::spawn(async move {
                first_of(&mut interrupted, &mut terminated, &mut hung_up).await;
                print_status("stopping: what is in flight is given up; once more ends at once");
                stop.send_replace(true);
                first_of(&mut interrupted, &mut terminated, &mut hung_up).await;
                std::process::exit(ENDED_AT_ONCE);
            });
        }
        Self(stopped)
    }

    /// Waits until the run is to stop.
    pub(crate) async fn wait(&self) {
        let mut stopped = self.0.clone();
        if stopped.wait_for(|is_stopped| *is_stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the run was told to stop.
    pub(crate) fn has_come(&self) -> bool {
        *self.0.borrow()
    }
}

async fn first_of(one: &mut Signal, other: &mut Signal, third: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
        _ = third.recv() => {}
    }
}
