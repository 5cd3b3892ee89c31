//! The compiled function outside of Lambda.

use std::process::Command;

#[test]
fn without_its_settings_it_ends_and_names_the_first_that_is_missing() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_provisioning-logs")).env_clear().output().unwrap();
    assert!(!output.status.success());
    let log =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("ARCHIVE_BUCKET is not set"), "{log}");
}
