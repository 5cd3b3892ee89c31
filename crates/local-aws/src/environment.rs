//! The clock of a whole run of tests, for every program that it starts.

use std::ffi::OsString;

/// Variables that set another clock (faketime) or another time zone. Tests start programs without
/// any variable of their own but these: otherwise the tests and the programs would live on other
/// days.
const CLOCK_VARIABLES: [&str; 6] = [
    "LD_PRELOAD",
    "FAKETIME",
    "FAKETIME_SHARED",
    "FAKETIME_DONT_FAKE_MONOTONIC",
    "FAKETIME_DONT_RESET",
    "TZ",
];

/// Those of the variables that are set.
pub fn clock_variables() -> Vec<(&'static str, OsString)> {
    CLOCK_VARIABLES.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))).collect()
}
