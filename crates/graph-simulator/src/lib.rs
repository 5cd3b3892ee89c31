//! Plays Microsoft Entra's token endpoint and Microsoft Graph's audit logs over real HTTP, from a
//! scenario file.
//!
//! A [`Scenario`] says what a tenant's logs hold and what goes wrong; a [`Simulator`] serves it on
//! a loopback port. Everything follows from the scenario's seed: records are made on demand, so a
//! million of them cost 32 MB.
//!
//! # Floors
//!
//! Each imports only from those below it:
//!
//! - `simulator`: what a test holds in its hands; `server`: routes
//! - `entra`, `graph`, `aws`: one handler for each endpoint
//! - `http`: answers, how they leave, and the faults that any endpoint can suffer
//! - `state`: whatever a running tenant remembers: journal, links, limiter, tokens, clock
//! - `tenant`: the people of Contoso, what happened there and when, and the records of it
//! - [`scenario`], `fault`: the scenario file
//!
//! A page request is routed by `server`, admitted and understood by `graph::audit_logs`. The
//! `tenant::timeline` selects record versions, `fault` may spoil the page, `graph::page_body`
//! writes it from `tenant::records`, and `state::journal` remembers it.

mod aws;
mod entra;
mod error;
mod fault;
mod graph;
mod guid;
mod http;
pub mod scenario;
mod server;
mod simulator;
mod state;
mod stream;
mod tenant;
mod ticks;

pub use error::Error;
pub use fault::{ChainFault, ChainFaultKind, FaultKind, Faults, ScriptedFault, Target};
pub use scenario::Scenario;
pub use simulator::Simulator;
pub use state::journal::{CompletedChain, Counts, OnFile, RequestKind, RequestLine, Served};
pub use stream::{ApiVersion, Stream};
