//! The two compiled functions behind a real Lambda Runtime API, with the files of `events/`,
//! reading a simulated tenant over HTTP into a bucket of the AWS emulator.
//!
//! What only the whole can show belongs here: start-up, settings, parameters, credentials, events,
//! deadlines, kills and logs. What a collector makes of Graph's misbehaviour is told in the
//! scenarios of `behaviour`.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod archiving;
mod checking;
mod crashes;
mod credentials;
mod damage;
mod days;
mod deadlines;
mod events;
mod evidence;
mod installation;
mod laptop;
mod provisioning;
mod refusals;
mod restoring;
mod second_opinion;
mod secrecy;
mod settings;
mod spans;
