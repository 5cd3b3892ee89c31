//! The logs and their streams: the only place where one log differs from another.

/// A log of Entra ID that Graph serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Log {
    /// Sign-ins of users, service principals and managed identities.
    SignIns,
    /// Changes to the directory.
    DirectoryAudits,
    /// Accounts and groups that a provisioning job carries from one system to another.
    Provisioning,
}

impl Log {
    /// Every log.
    pub const ALL: [Self; 3] = [Self::SignIns, Self::DirectoryAudits, Self::Provisioning];

    /// The logs that are collected where nobody says otherwise.
    pub const USUAL: [Self; 2] = [Self::SignIns, Self::DirectoryAudits];

    /// Whether it is collected only where somebody asks for it.
    pub fn is_optional(self) -> bool {
        !Self::USUAL.contains(&self)
    }

    /// The name in reports, metrics and object keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIns => "sign-ins",
            Self::DirectoryAudits => "directory-audits",
            Self::Provisioning => "provisioning",
        }
    }

    /// The table that holds its records.
    pub fn table(self) -> &'static str {
        match self {
            Self::SignIns => "sign_ins",
            Self::DirectoryAudits => "directory_audits",
            Self::Provisioning => "provisioning",
        }
    }

    /// The Graph collection below `auditLogs`.
    pub fn collection(self) -> &'static str {
        match self {
            Self::SignIns => "signIns",
            Self::DirectoryAudits => "directoryAudits",
            Self::Provisioning => "provisioning",
        }
    }

    /// The member of a record that says when it happened, and the one that Graph filters on.
    pub fn time_field(self) -> &'static str {
        match self {
            Self::SignIns => "createdDateTime",
            Self::DirectoryAudits | Self::Provisioning => "activityDateTime",
        }
    }

    /// The streams of this log, given the event types that the operator wants.
    pub fn streams(self, event_types: &[EventType]) -> Vec<Stream> {
        match self {
            Self::SignIns => event_types.iter().copied().map(Stream::SignIns).collect(),
            Self::DirectoryAudits => vec![Stream::DirectoryAudits],
            Self::Provisioning => vec![Stream::Provisioning],
        }
    }
}

/// A value of `signInEventTypes`: who or what signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventType {
    /// A person, with a prompt.
    InteractiveUser,
    /// A client on behalf of a person.
    NonInteractiveUser,
    /// An application with its own credential.
    ServicePrincipal,
    /// An Azure resource with an identity that Azure manages.
    ManagedIdentity,
}

impl EventType {
    /// Every event type, in the order in which they are read.
    pub const ALL: [Self; 4] = [
        Self::InteractiveUser,
        Self::NonInteractiveUser,
        Self::ServicePrincipal,
        Self::ManagedIdentity,
    ];

    /// Microsoft's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::InteractiveUser => "interactiveUser",
            Self::NonInteractiveUser => "nonInteractiveUser",
            Self::ServicePrincipal => "servicePrincipal",
            Self::ManagedIdentity => "managedIdentity",
        }
    }

    /// The event type of that spelling.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event_type| event_type.name() == name)
    }
}

/// One thing that is read on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// Sign-ins of one event type.
    SignIns(EventType),
    /// All directory audits.
    DirectoryAudits,
    /// All provisioning records.
    Provisioning,
}

impl Stream {
    /// Every stream that an archive can hold.
    pub fn all() -> Vec<Self> {
        Log::ALL.into_iter().flat_map(|log| log.streams(&EventType::ALL)).collect()
    }

    /// The log that this stream belongs to.
    pub fn log(self) -> Log {
        match self {
            Self::SignIns(_) => Log::SignIns,
            Self::DirectoryAudits => Log::DirectoryAudits,
            Self::Provisioning => Log::Provisioning,
        }
    }

    /// The event type, which sign-ins alone have.
    pub fn event_type(self) -> Option<EventType> {
        match self {
            Self::SignIns(event_type) => Some(event_type),
            Self::DirectoryAudits | Self::Provisioning => None,
        }
    }

    /// The name in reports: the event type, or the log where it has just one stream.
    pub fn name(self) -> &'static str {
        self.event_type().map_or(self.log().name(), EventType::name)
    }

    /// The folder of this stream below `raw/` and `ledger/`, without a slash at either end.
    pub fn folder(self) -> String {
        self.folder_below(self.log().name())
    }

    /// The folder of this stream below `tables/`, without a slash at either end.
    pub fn table_folder(self) -> String {
        self.folder_below(self.log().table())
    }

    fn folder_below(self, log: &str) -> String {
        match self.event_type() {
            Some(event_type) => format!("{log}/event_type={}", event_type.name()),
            None => log.to_owned(),
        }
    }
}

/// The version of Graph that serves a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphVersion {
    /// `v1.0`: serves every log, but of the sign-ins the interactive ones only.
    V1,
    /// `beta`: serves every event type, by a filter.
    Beta,
}

impl GraphVersion {
    /// The version that serves all of `streams`: beta as soon as any but interactive sign-ins are
    /// wanted.
    pub fn serving(streams: &[Stream]) -> Self {
        let is_in_v1 =
            |stream: &Stream| stream.event_type().is_none_or(|of| of == EventType::InteractiveUser);
        if streams.iter().all(is_in_v1) { Self::V1 } else { Self::Beta }
    }

    /// The first segment of the path.
    pub fn path(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}
