//! The query of a request for a page, which its next link remembers.

use crate::scenario::Log;
use crate::stream::{ApiVersion, Stream};

/// Query of a collection request, without the place at which its page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) version: ApiVersion,
    pub(crate) log: Log,
    pub(crate) filter: Filter,
    pub(crate) top: usize,
    pub(crate) descending: bool,
    /// The options as they were sent, without the skip token.
    pub(crate) options: Vec<(String, String)>,
}

/// A filter that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Inclusive bounds that Graph really applies.
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Bounds that the caller meant, `gt` and `lt` included: Graph ignores those two.
    pub(crate) meant_from: i64,
    pub(crate) meant_to: i64,
    /// Streams that are served.
    pub(crate) streams: Vec<Stream>,
}

impl Query {
    pub(crate) fn streams(&self) -> &[Stream] {
        &self.filter.streams
    }
}

impl Filter {
    /// No clause at all: everything of the default streams.
    pub(crate) fn all(log: Log) -> Self {
        Self {
            from: i64::MIN,
            to: i64::MAX,
            meant_from: i64::MIN,
            meant_to: i64::MAX,
            streams: vec![log.usual_stream()],
        }
    }

    /// Whether a record of this time was asked for, `gt` and `lt` included.
    pub(crate) fn means(&self, time: i64) -> bool {
        (self.meant_from..=self.meant_to).contains(&time) && (self.from..=self.to).contains(&time)
    }
}
