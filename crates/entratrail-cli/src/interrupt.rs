//! Ctrl-C: the first asks the run to stop, the second ends it at once.

use crate::output::note;
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
        tokio::spawn(async move {
            signal().await;
            note("stopping: what is in flight is given up; once more ends at once");
            stop.send_replace(true);
            signal().await;
            std::process::exit(ENDED_AT_ONCE);
        });
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

/// Waits for Ctrl-C, or for what a shutting-down system sends.
async fn signal() {
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
