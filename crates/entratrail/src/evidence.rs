//! The signed log of the ledger: written, signed, stamped and checked.
//!
//! [`seal`] decides what is written when, and is pure like the formats beside it. [`sealing`] does
//! it, [`signer`] signs, [`stamping`] asks for time stamps, and [`audit`] checks what is there.

pub mod audit;
pub mod cosigned;
pub mod sealing;
pub mod signer;
pub mod stamping;

pub use entratrail_core::evidence::{
    Broken, checkpoint, cosignature, entry, head, note, origin, proof, proof_key, seal, tiles,
    time_stamp,
};
