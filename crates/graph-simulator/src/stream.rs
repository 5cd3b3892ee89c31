//! The streams that Graph serves: four kinds of sign-ins, and one of each other log.

use serde::Deserialize;

use crate::scenario::Log;

/// One kind of record that a reader asks for on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stream {
    /// Sign-ins of a person in front of a screen: the only kind that v1.0 serves.
    InteractiveUser,
    /// Sign-ins that a client made for a user, for example with a refresh token.
    NonInteractiveUser,
    /// Sign-ins of applications with their own credential.
    ServicePrincipal,
    /// Sign-ins of Azure resources.
    ManagedIdentity,
    /// Changes in the directory.
    DirectoryAudits,
    /// Accounts and groups that a provisioning job carries from one system to another.
    Provisioning,
}

impl Stream {
    /// Every stream, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::InteractiveUser,
        Self::NonInteractiveUser,
        Self::ServicePrincipal,
        Self::ManagedIdentity,
        Self::DirectoryAudits,
        Self::Provisioning,
    ];

    /// The four values of `signInEventTypes`.
    pub const SIGN_INS: [Self; 4] = [
        Self::InteractiveUser,
        Self::NonInteractiveUser,
        Self::ServicePrincipal,
        Self::ManagedIdentity,
    ];

    /// Microsoft's word for the stream, as in `signInEventTypes` and in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Self::InteractiveUser => "interactiveUser",
            Self::NonInteractiveUser => "nonInteractiveUser",
            Self::ServicePrincipal => "servicePrincipal",
            Self::ManagedIdentity => "managedIdentity",
            Self::DirectoryAudits => "directoryAudits",
            Self::Provisioning => "provisioning",
        }
    }

    /// The log that it belongs to.
    pub fn log(self) -> Log {
        match self {
            Self::DirectoryAudits => Log::DirectoryAudits,
            Self::Provisioning => Log::Provisioning,
            _ => Log::SignIns,
        }
    }

    /// The sign-in stream with this `signInEventTypes` value.
    pub(crate) fn sign_in(name: &str) -> Option<Self> {
        Self::SIGN_INS.into_iter().find(|stream| stream.name() == name)
    }

    pub(crate) fn number(self) -> u8 {
        self as u8
    }
}

/// The two versions of the API that differ in what records hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ApiVersion {
    /// `/v1.0`
    V1,
    /// `/beta`
    Beta,
}

impl ApiVersion {
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}
