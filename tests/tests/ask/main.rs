//! The questions to the archive that `template.yaml` saves, and the tables they are put to: asked
//! here without Athena, of archives that the collector made of the simulated tenant. `DuckDB`
//! stands for Athena, after sqlglot has taken the SQL for Athena's.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod activities;
mod archive;
#[cfg(feature = "athena")]
mod athena;
mod calm;
mod catalogue;
mod made;
mod questions;
mod sessions;
mod stories;
