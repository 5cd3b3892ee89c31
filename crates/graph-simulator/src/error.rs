//! Why a simulator could not be started.

use std::path::PathBuf;

/// Fault of a scenario, or of the address it should be served on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is missing or unreadable: check the path.
    #[error("cannot read the scenario {path}: {source}")]
    Read {
        /// The file that was asked for.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// Not TOML, or a key that scenarios do not have: the message names line and key.
    #[error("the scenario is not valid: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Well-formed, but it asks for something impossible.
    #[error("the scenario asks for something impossible: {0}")]
    Impossible(String),
    /// The address cannot be listened on: choose another port.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: std::net::SocketAddr,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The server's own thread or keys could not be set up.
    #[error("cannot start the simulator: {0}")]
    Start(String),
}

impl Error {
    /// The scenario asks for something impossible, and why it is.
    pub(crate) fn impossible(reason: impl Into<String>) -> Self {
        Self::Impossible(reason.into())
    }
}
