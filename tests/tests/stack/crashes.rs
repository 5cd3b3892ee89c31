//! A function that is killed, and functions that meet.

use std::pin::pin;
use std::time::Duration;

use entratrail_tests::stack::Function;
use graph_simulator::{Faults, Served};

use crate::events::event;
use crate::installation::{Installation, OFFICE, SIGN_IN_LOGS};

fn is_sign_in(stream: &str) -> bool {
    stream != "directoryAudits"
}

/// The office behind a Graph that takes its time.
async fn slow_office() -> Installation {
    let scenario =
        OFFICE.replace("requests_per_10s = 0", "requests_per_10s = 0\npage_latency_ms = 100");
    Installation::of(&scenario).await
}

/// The office behind a Graph that serves that many pages, and then does not answer.
async fn office_that_hangs_after(pages: u64) -> Installation {
    let hangs = format!(
        "[[faults.script]]\nkind = 'slow'\nnth = {}\ntimes = 1000\nseconds = 600\n",
        pages + 1
    );
    Installation::of(&format!("{OFFICE}{hangs}")).await
}

/// Kills the function as soon as that many pages have been served.
async fn kill_after(installation: &Installation, function: &Function<'_>, pages: u64) {
    while installation.tenant.counts().pages < pages {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    function.kill();
}

async fn assert_holds_everything(installation: &Installation) {
    let audit = installation.audit().await;
    audit.assert_sound();
    let visible: Vec<Served> = installation.visible(is_sign_in);
    assert_eq!(audit.record_count(), visible.len());
}

#[tokio::test]
async fn a_function_killed_while_it_reads_loses_nothing_and_doubles_nothing() {
    // A run just after midnight asks for fourteen pages.
    for pages in [1, 5, 9] {
        let installation = office_that_hangs_after(pages).await;
        let function = installation.deploy(SIGN_IN_LOGS).await;
        let scheduled = event("scheduled");
        let mut invoked = pin!(function.invoke(&scheduled));
        let killed = tokio::select! {
            ended = &mut invoked => panic!("it ended before {pages} pages: {ended:?}"),
            () = kill_after(&installation, &function, pages) => invoked.await,
        };
        assert_eq!(killed.error.expect("it was killed").error_type, "Runtime.ExitError");

        installation.tenant.set_faults(Faults::default());
        let report = installation.run(&function, &scheduled).await;
        assert_eq!(report["remainingWindows"], 0, "killed after {pages} pages");
        assert_holds_everything(&installation).await;
    }
}

#[tokio::test]
async fn two_functions_at_once_on_the_same_windows_store_nothing_twice() {
    let installation = slow_office().await;
    let function = installation.deploy(SIGN_IN_LOGS).await;
    let scheduled = event("scheduled");
    let (one, other) = tokio::join!(
        installation.run(&function, &scheduled),
        installation.run(&function, &scheduled)
    );
    assert_holds_everything(&installation).await;
    let stored = one["new"].as_u64().unwrap() + other["new"].as_u64().unwrap();
    assert_eq!(stored, installation.visible(is_sign_in).len() as u64, "{one}\n{other}");
    let rest = installation.run(&function, &event("dry-run")).await;
    assert_eq!(rest["remainingWindows"], 0);
}
