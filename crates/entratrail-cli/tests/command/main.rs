//! The command as people run it: the built binary, real HTTP to a simulated tenant, real folders.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod asking;
mod attacks;
mod bucket;
mod collecting;
mod coverage;
mod damage;
mod demonstration;
mod disks;
mod evidence;
mod hostile;
mod interruptions;
mod provisioning;
mod readme;
mod rebuilding;
mod reporting;
mod signing_in;
mod stage;
mod tampering;
mod witnesses;
