//! The memory of what was told, in the bucket.

use crate::told::Told;
use entratrail::archive::Bucket;
use entratrail::error::Error;
use entratrail::object::{Precondition, Written};

/// Key of the object.
pub const KEY: &str = "findings/told.json";

/// The object, and the version of it that was seen last.
#[derive(Debug)]
pub struct Memory {
    bucket: Bucket,
    version: Option<String>,
}

impl Memory {
    /// The memory in `bucket`.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket, version: None }
    }

    /// Reads it; an empty one where there is none yet.
    pub async fn load(&mut self) -> Result<Told, Error> {
        let Some(object) = self.bucket.get(KEY).await? else {
            self.version = None;
            return Ok(Told::default());
        };
        self.version = object.version;
        Told::parse(&object.body).ok_or_else(|| {
            Error::archive(format!(
                "{} is damaged, or of a later version of EntraTrail",
                self.bucket.address(KEY)
            ))
            .with_remedy(
                "restore an earlier version of the object, or move it away to have everything told \
                 again",
            )
        })
    }

    /// Writes it if nobody has written since it was read.
    pub async fn write(&self, told: &Told) -> Result<Written, Error> {
        let unchanged = Precondition::unchanged(self.version.clone());
        self.bucket.put(KEY, told.to_bytes(), unchanged).await
    }
}
