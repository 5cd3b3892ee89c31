//! Why a run failed, in the operator's terms.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// Failure of a run.
///
/// Its text says what was tried, what came back and what to do next. Neither the text nor the
/// source holds a token, a secret, a record, a response body or a link, and the source is never
/// printed with the text.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    scope: ErrorScope,
    message: String,
    remedy: Option<Cow<'static, str>>,
    additions: Vec<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Kind of failure: each is a different duty of the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A setting or an argument is missing or malformed: correct it.
    Configuration,
    /// The event is none of the forms that the function understands: correct the event.
    Event,
    /// Entra refused the credential: renew it, or correct tenant and client id.
    Credentials,
    /// The app registration lacks a permission: grant it and consent.
    Permission,
    /// The tenant has no licence for this log.
    Licence,
    /// Graph or Entra kept answering "too many requests": another reader shares the limit.
    Throttled,
    /// Graph answered in a way that cannot be archived.
    Graph,
    /// The archive could not be read or written, or holds something damaged.
    Archive,
    /// An SSM parameter is missing, unreadable or malformed.
    Parameters,
    /// Work is left although nothing is broken: a later run has to go on.
    Incomplete,
}

/// Part of a run that an error ends, the smaller first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorScope {
    /// One window; another one may succeed.
    Window,
    /// The whole run: every other window would fail in the same way.
    Run,
}

impl ErrorKind {
    /// The stable word that the Lambda result, alarms and mails carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration",
            Self::Event => "Event",
            Self::Credentials => "Credentials",
            Self::Permission => "Permission",
            Self::Licence => "Licence",
            Self::Throttled => "Throttled",
            Self::Graph => "Graph",
            Self::Archive => "Archive",
            Self::Parameters => "Parameters",
            Self::Incomplete => "Incomplete",
        }
    }

    /// The scope of an error of this kind. A full disk has a wider one.
    fn scope(self) -> ErrorScope {
        match self {
            Self::Credentials | Self::Permission | Self::Licence | Self::Parameters => {
                ErrorScope::Run
            }
            Self::Configuration
            | Self::Event
            | Self::Throttled
            | Self::Graph
            | Self::Archive
            | Self::Incomplete => ErrorScope::Window,
        }
    }
}

/// Constructors. The message says what was tried, on what, and what came back.
impl Error {
    /// Wrong settings or arguments.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// An unusable event.
    pub fn event(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Event, message)
    }

    /// A credential that Entra refuses.
    pub fn credentials(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Credentials, message)
    }

    /// A lack of permission.
    pub fn permission(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Permission, message)
    }

    /// A lack of licence.
    pub fn licence(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Licence, message)
    }

    /// Throttling that did not end.
    pub fn throttled(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Throttled, message)
    }

    /// An answer of Graph or Entra that is of no use, or none at all.
    pub fn graph(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Graph, message)
    }

    /// An archive that cannot be used, or damage in it.
    pub fn archive(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Archive, message)
    }

    /// A full or read-only disk: nothing else can be written either.
    pub fn disk(message: impl Into<String>) -> Self {
        Self { scope: ErrorScope::Run, ..Self::new(ErrorKind::Archive, message) }
    }

    /// An unusable parameter or key.
    pub fn parameters(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Parameters, message)
    }

    /// Work that is left.
    pub fn incomplete(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Incomplete, message)
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            scope: kind.scope(),
            message: message.into(),
            remedy: None,
            additions: Vec::new(),
            source: None,
        }
    }

    /// Names what to do next, in one imperative sentence.
    #[must_use]
    pub fn with_remedy(self, remedy: impl Into<Cow<'static, str>>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// Keeps the cause, for programs. It must not hold what the text must not hold.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { source: Some(Arc::from(source.into())), ..self }
    }

    /// Adds a text to the end, for what only the caller knows.
    #[must_use]
    pub fn and(mut self, text: impl Into<String>) -> Self {
        self.additions.push(text.into());
        self
    }
}

impl Error {
    /// Kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable word that the Lambda result, alarms and mails carry.
    pub fn error_type(&self) -> &'static str {
        self.kind.name()
    }

    /// Part of the run that it ends.
    pub fn scope(&self) -> ErrorScope {
        self.scope
    }

    /// Part of the text that says what to do next.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// True where Graph refused one stream for lack of a permission or licence; it may serve
    /// others.
    pub fn is_refusal_of_a_stream(&self) -> bool {
        matches!(self.kind, ErrorKind::Permission | ErrorKind::Licence)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let additions = self.additions.iter().map(String::as_str);
        self.remedy().into_iter().chain(additions).try_for_each(|part| write!(f, "; {part}"))
    }
}

/// Kind and text, as the Lambda runtime logs a failure; never the source.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(self.error_type()).field(&self.to_string()).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The source does not count: most of them cannot be compared.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.scope == other.scope
            && self.message == other.message
            && self.remedy == other.remedy
            && self.additions == other.additions
    }
}

impl Eq for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn the_text_is_the_message_the_remedy_and_what_callers_add() {
        let error = Error::archive("the object is damaged");
        assert_eq!(error.to_string(), "the object is damaged");
        let error = error.and("2 more objects differ").with_remedy("restore it from a backup");
        assert_eq!(error.remedy(), Some("restore it from a backup"));
        assert_eq!(
            error.and("1 window could not be read").to_string(),
            "the object is damaged; restore it from a backup; 2 more objects differ; 1 window \
             could not be read"
        );
    }

    #[test]
    fn a_source_is_kept_and_neither_printed_nor_compared() {
        let error = Error::archive("x could not be read").with_remedy("check the disk");
        let caused = error.clone().with_source(io::Error::other("hidden"));
        assert!(caused.source().is_some_and(<dyn StdError>::is::<io::Error>));
        assert_eq!(caused, error);
        assert_eq!(caused.to_string(), "x could not be read; check the disk");
        assert_eq!(format!("{caused:?}"), "Archive(\"x could not be read; check the disk\")");
    }

    #[test]
    fn a_full_disk_is_a_failure_of_the_archive_that_ends_the_run() {
        let error = Error::disk("the disk is full");
        assert_eq!((error.kind(), error.scope()), (ErrorKind::Archive, ErrorScope::Run));
        assert_eq!(Error::archive("x is damaged").scope(), ErrorScope::Window);
    }
}
