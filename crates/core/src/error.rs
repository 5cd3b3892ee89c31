//! Why a run failed, in the operator's terms.

use thiserror::Error as ThisError;

/// Failure of a run: each variant is a different duty of the operator.
///
/// The text says what was tried, what came back and what to do next. It never holds a token, a
/// secret, a record, a response body or a link.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Error {
    /// An environment variable is missing or malformed: correct the function's settings.
    #[error("{0}")]
    Configuration(String),
    /// The event is none of the forms that the function understands: correct the event.
    #[error("{0}")]
    Event(String),
    /// Entra refused the credential: renew it, or correct tenant and client id.
    #[error("{0}")]
    Credentials(String),
    /// The app registration lacks a permission: grant it and consent.
    #[error("{0}")]
    Permission(String),
    /// The tenant has no licence for this log.
    #[error("{0}")]
    Licence(String),
    /// Graph or Entra kept answering "too many requests": another reader shares the limit.
    #[error("{0}")]
    Throttled(String),
    /// Graph answered in a way that cannot be archived.
    #[error("{0}")]
    Graph(String),
    /// The bucket could not be read or written, or holds something damaged.
    #[error("{0}")]
    Archive(String),
    /// The disk of a local archive is full or read-only: make room.
    #[error("{0}")]
    Disk(String),
    /// An SSM parameter is missing, unreadable or malformed.
    #[error("{0}")]
    Parameters(String),
    /// Work is left although nothing is broken: a later run has to go on.
    #[error("{0}")]
    Incomplete(String),
}

impl Error {
    /// The stable word that the Lambda result, alarms and mails carry.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Configuration(_) => "Configuration",
            Self::Event(_) => "Event",
            Self::Credentials(_) => "Credentials",
            Self::Permission(_) => "Permission",
            Self::Licence(_) => "Licence",
            Self::Throttled(_) => "Throttled",
            Self::Graph(_) => "Graph",
            Self::Archive(_) | Self::Disk(_) => "Archive",
            Self::Parameters(_) => "Parameters",
            Self::Incomplete(_) => "Incomplete",
        }
    }

    /// True where every other window would fail in the same way, so that the run ends at once.
    pub fn stops_the_run(&self) -> bool {
        matches!(
            self,
            Self::Credentials(_)
                | Self::Permission(_)
                | Self::Licence(_)
                | Self::Parameters(_)
                | Self::Disk(_)
        )
    }

    /// True where Graph refused one stream for lack of a permission or licence; it may serve
    /// others.
    pub fn is_refusal_of_a_stream(&self) -> bool {
        matches!(self, Self::Permission(_) | Self::Licence(_))
    }

    /// Adds `text` after the message, for what only the caller knows.
    #[must_use]
    pub fn and(self, text: &str) -> Self {
        let said = format!("{self}; {text}");
        match self {
            Self::Configuration(_) => Self::Configuration(said),
            Self::Event(_) => Self::Event(said),
            Self::Credentials(_) => Self::Credentials(said),
            Self::Permission(_) => Self::Permission(said),
            Self::Licence(_) => Self::Licence(said),
            Self::Throttled(_) => Self::Throttled(said),
            Self::Graph(_) => Self::Graph(said),
            Self::Archive(_) => Self::Archive(said),
            Self::Disk(_) => Self::Disk(said),
            Self::Parameters(_) => Self::Parameters(said),
            Self::Incomplete(_) => Self::Incomplete(said),
        }
    }
}
