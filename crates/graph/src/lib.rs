//! Microsoft's side: who the collector is to Entra, and pages of Graph.
//!
//! * [`entra`] proves who asks and fetches access tokens.
//! * [`graph`] asks for pages: what to ask, when to ask and what an answer means are pure.
//! * [`http`] is the client below both.

mod backoff;
pub mod entra;
pub mod graph;
pub mod http;
