//! The form of a record, which depends on the request that it answers.

use crate::stream::ApiVersion;

/// The form in which records leave: it decides members and hidden enum values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RecordForm {
    pub(crate) version: ApiVersion,
    /// The caller did not send `Prefer: include-unknown-enum-members`.
    pub(crate) masked: bool,
}
