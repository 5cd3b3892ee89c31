//! The days that the stories of this crate are about.

pub(crate) use entratrail_tests::days::{day, midnight};
