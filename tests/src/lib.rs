//! Stands of the black-box tests: an S3 server and a simulated tenant for the library, the
//! whole stack for the compiled functions, and an auditor that knows the archive's format but
//! shares no code with what writes it.

pub mod audit;
pub mod check;
pub mod days;
pub mod folder;
pub mod parameter_store;
pub mod simulated_time;
mod stand;
pub mod states;
pub mod storage;
pub mod tables;
pub mod time_stamps;
pub mod world;

pub use local_aws as stack;
