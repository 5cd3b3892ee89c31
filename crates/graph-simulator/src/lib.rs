//! Plays Microsoft Entra's token endpoint and Microsoft Graph's audit logs over real HTTP, from a
//! scenario file.
//!
//! A [`Scenario`] says what a tenant's logs hold and what goes wrong; a [`Simulator`] serves it on
//! a loopback port. Everything follows from the scenario's seed: records are made on demand, so a
//! million of them cost 32 MB.
//!
//! The way of a page request: `server` routes it, `graph` admits and understands it, `timeline`
//! selects record versions, `fault` may spoil it, `page` writes it from `records`, `journal`
//! remembers it.

mod aadsts;
mod access;
mod activity;
mod answer;
mod assertion;
mod audit;
mod cast;
mod chain;
mod clock;
mod curve;
mod directory;
mod error;
mod fault;
mod filter;
mod form;
mod generic_fault;
mod graph;
mod guid;
mod issuer;
mod journal;
mod layout;
mod limit;
mod link;
mod odd;
mod outcome;
mod page;
mod person;
mod provisioning;
mod records;
mod response;
pub mod scenario;
mod server;
mod sign_in;
mod simulator;
mod stories;
mod stream;
mod sts;
mod template;
mod ticks;
mod timeline;
mod token;
mod world;
mod writer;

pub use error::Error;
pub use fault::{ChainFault, ChainFaultKind, FaultKind, Faults, ScriptedFault, Target};
pub use journal::{CompletedChain, Counts, OnFile, RequestKind, RequestLine, Served};
pub use scenario::Scenario;
pub use simulator::Simulator;
pub use stream::{ApiVersion, Stream};
