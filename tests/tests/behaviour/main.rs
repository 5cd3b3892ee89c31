//! What the collector does, told in scenario files and played over real HTTP in simulated time.

#![expect(
    clippy::unwrap_used,
    clippy::large_futures,
    reason = "a test ends at the first surprise, and its size is no cost"
)]

mod before;
mod bucket;
mod chaos;
mod crashes;
mod draw;
mod evidence;
mod orders;
mod pace;
mod scenarios;
mod scrub;
mod tables;
mod volumes;
mod witnesses;
mod worlds;
