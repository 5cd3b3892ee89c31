//! `deploy.sh` and `template.yaml` as an operator meets them: the script unchanged, the command
//! lines of AWS and SAM, the AWS emulator, the compiled functions, a simulated tenant. What a
//! linter or a second opinion can say of the two files stands in `files`, what the roles may do in
//! `privileges`.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod evidence;
mod files;
mod findings;
mod journey;
mod mails;
mod mutations;
mod neighbours;
mod operator;
mod privileges;
mod provisioning;
mod refusals;
mod resident;
mod self_test;
mod states;
mod template;
mod upgrade;
