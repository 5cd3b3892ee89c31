//! `make demo`: a made-up company, an AWS that runs on this machine, both compiled functions, and
//! what they leave in the bucket. The archive is kept in `.demo`, so that a second run shows that
//! nothing is read or stored twice.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a demo is there to be read in a terminal"
)]
#![expect(
    clippy::expect_used,
    reason = "the demo ends with one sentence at the first thing that is not as it should be"
)]

mod folder;
mod incidents;
mod progress;
mod stage;
mod table;

use std::process::ExitCode;

use folder::Folder;
use stage::Stage;

const INTRODUCTION: &str = "\
EntraTrail keeps a tenant's Microsoft Entra ID logs in its own S3 bucket, and proves that nothing is missing.
This demo plays both sides on this machine: Contoso, a company of 40 people, and AWS. Nothing leaves it.
";

const WHAT_NEXT: &str = "\
What to try next
  make demo                      once more: nothing is left to do, and nothing is stored twice
  rm -r .demo/archive/ledger     then make demo: the ledger is made again from the objects
  rm -r .demo/archive/raw/directory-audits .demo/archive/ledger/directory-audits
                                 then make demo: what is missing is found and read again
  zcat .demo/archive/raw/directory-audits/*/*.gz | head -n 1 | python3 -m json.tool
                                 one record, as Graph served it
  cat .demo/archive/ledger/directory-audits/*
                                 the proof: one line for each read
  rm -r .demo                    start over";

#[tokio::main]
async fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("\n{}", panic.payload_as_str().unwrap_or("the demo broke off"));
    }));
    println!("{INTRODUCTION}");
    let folder = Folder::open();
    let stage = Stage::set(&folder).await;
    let mut has_failed = false;
    for name in ["sign-in-logs", "audit-logs"] {
        has_failed |= !stage.run(name).await;
    }
    let objects = stage.objects().await;
    folder.save(&objects);
    println!("\nIn the bucket, and kept in {}:\n\n{}", folder::ARCHIVE, table::of(&objects));
    println!("What a security engineer finds in it\n{}\n", incidents::of(&objects));
    println!("{WHAT_NEXT}");
    if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
