//! The exit status.

use std::process::ExitCode;

/// End of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// All that was asked for is done, and nothing is wrong: 0.
    AllDone,
    /// Something could not be done, was left, or is wrong: 1.
    SomethingLeft,
    /// Nothing could be done at all: 2, as for wrong use.
    NothingDone,
    /// All is done, and a report found something new: 3.
    NewFindings,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::AllDone => 0,
            Status::SomethingLeft => 1,
            Status::NothingDone => 2,
            Status::NewFindings => 3,
        })
    }
}
