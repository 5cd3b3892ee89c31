//! Graph's collections below `auditLogs`: from a request to the bytes of its page.

pub(crate) mod audit_logs;
pub(crate) mod filter;
pub(crate) mod json_writer;
pub(crate) mod layout;
pub(crate) mod page;
pub(crate) mod page_body;
pub(crate) mod request;
