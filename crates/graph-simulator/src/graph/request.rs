//! A request for a page, as the server understood its headers.

use crate::http::answer::RequestIds;
use crate::scenario::Log;
use crate::stream::ApiVersion;

/// A request for a page.
#[derive(Clone, Debug)]
pub(crate) struct PageRequest {
    pub(crate) version: ApiVersion,
    pub(crate) log: Log,
    pub(crate) path_and_query: String,
    pub(crate) bearer: Option<String>,
    pub(crate) prefer: bool,
    pub(crate) gzip: bool,
    pub(crate) host: String,
    pub(crate) ids: RequestIds,
}
