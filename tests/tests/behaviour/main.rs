//! What the collector does, told in scenario files and played over real HTTP in simulated time.

mod chaos;
mod crashes;
mod scenarios;
mod volumes;
