//! The bucket: what it holds, and writing to it so that nothing there is ever lost.

mod failure;
mod holdings;
mod upload;

pub use holdings::Listing;
pub use upload::{PreparedObject, Upload};

use crate::error::Error;
use crate::ledger::{Ledger, ReadRow};
use crate::log::Stream;
use crate::object::{ledger_key, raw_key};
use crate::plan::{Holdings, RawObject};
use crate::raw::{ObjectDigest, RawDecoder};
use crate::record::Record;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, DateTime as AwsDateTime};
use chrono::{DateTime, NaiveDate, Utc};
use failure::{Action, is_conflict, is_missing};

/// Attempts to write a ledger that others are writing too. Each lost attempt is another writer's success.
const MOST_CONFLICTS: u32 = 50;

/// An S3 bucket with the layout of the archive.
#[derive(Debug, Clone)]
pub struct Archive {
    s3: Client,
    bucket: String,
}

/// How recording a read ended.
#[derive(Debug)]
pub enum Recorded {
    /// The row is on record; this is the ledger now.
    Done(Ledger),
    /// Another run has recorded a read of the same minutes since this one began.
    Superseded,
}

/// A stored object as read back.
#[derive(Debug)]
pub struct StoredObject {
    /// Hash and size of what is there.
    pub digest: ObjectDigest,
    /// When S3 took it.
    pub stored_at: DateTime<Utc>,
}

impl Archive {
    /// The archive in `bucket`.
    pub fn new(s3: Client, bucket: String) -> Self {
        Self { s3, bucket }
    }

    /// The ledger of a day and the version of its file; empty where there is no file yet.
    pub async fn ledger(&self, stream: Stream, day: NaiveDate) -> Result<(Ledger, Option<String>), Error> {
        let key = ledger_key(stream, day);
        let object = match self.s3.get_object().bucket(&self.bucket).key(&key).send().await {
            Ok(object) => object,
            Err(error) if is_missing(&error) => return Ok((Ledger::default(), None)),
            Err(error) => return Err(self.failed(Action::Read, &key, &error)),
        };
        let version = object.e_tag;
        let body = object.body.collect().await.map_err(|_| self.broke_off(&key))?;
        let ledger = Ledger::parse(&body.into_bytes()).map_err(|damage| {
            Error::Archive(format!(
                "line {} of s3://{}/{key} is damaged: {}; nothing of that day was read or changed; restore the file from \
                 an earlier version of the object, or move it away to have the day read again",
                damage.line, self.bucket, damage.what
            ))
        })?;
        Ok((ledger, version))
    }

    /// Puts `row` on record. `basis` holds the rows that the read built on: where others have come since, nothing
    /// is written, because what this read takes for new may be stored by now.
    pub async fn record(
        &self,
        stream: Stream,
        row: &ReadRow,
        basis: Option<&[ReadRow]>,
    ) -> Result<Recorded, Error> {
        for _ in 0..MOST_CONFLICTS {
            let (mut ledger, version) = self.ledger(stream, row.window.day()).await?;
            if basis.is_some_and(|basis| !ledger.still_has(basis, row)) {
                return Ok(Recorded::Superseded);
            }
            if !ledger.record(row.clone())
                || self.replace_ledger(stream, row.window.day(), &ledger, version).await?
            {
                return Ok(Recorded::Done(ledger));
            }
        }
        let key = ledger_key(stream, row.window.day());
        Err(Error::Archive(format!(
            "s3://{}/{key} could not be written: others wrote to it {MOST_CONFLICTS} times",
            self.bucket
        )))
    }

    /// Writes the ledger, unless somebody has written it since `version`; says whether it did.
    async fn replace_ledger(
        &self,
        stream: Stream,
        day: NaiveDate,
        ledger: &Ledger,
        version: Option<String>,
    ) -> Result<bool, Error> {
        let key = ledger_key(stream, day);
        let text = ledger
            .to_text()
            .map_err(|error| Error::Archive(format!("{key} could not be encoded: {error}")))?;
        let must_be_new = version.is_none().then(|| "*".to_owned());
        let request =
            self.s3.put_object().bucket(&self.bucket).key(&key).content_type("application/x-ndjson");
        let request = request.set_if_match(version).set_if_none_match(must_be_new).body(text.into());
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if is_conflict(&error) => Ok(false),
            Err(error) => Err(self.failed(Action::Write, &key, &error)),
        }
    }

    /// Reads a raw object and hands each record to `visit`.
    pub async fn read_object(
        &self,
        stream: Stream,
        object: RawObject,
        mut visit: impl FnMut(Record),
    ) -> Result<StoredObject, Error> {
        let key = raw_key(stream, object);
        let found = self.s3.get_object().bucket(&self.bucket).key(&key).send().await;
        let mut found = found.map_err(|error| self.failed(Action::Read, &key, &error))?;
        let damaged = |error: std::io::Error| {
            Error::Archive(format!("s3://{}/{key} is damaged: {error}; it was left as it is", self.bucket))
        };
        let mut decoder = RawDecoder::new(stream.log().time_field());
        while let Some(chunk) = found.body.next().await {
            decoder.push(&chunk.map_err(|_| self.broke_off(&key))?, &mut visit).map_err(damaged)?;
        }
        let digest = decoder.finish(visit).map_err(damaged)?;
        Ok(StoredObject { digest, stored_at: to_chrono(found.last_modified) })
    }

    /// What the archive holds of one stream and day.
    pub async fn holdings(&self, stream: Stream, day: NaiveDate) -> Result<Holdings, Error> {
        let objects = self.list_raw(stream, day).await?;
        Ok(Holdings { stream, day, ledger: self.ledger(stream, day).await?.0, objects })
    }

    /// Begins a multipart upload and gives it up, which shows that objects can be written and leaves nothing.
    pub async fn check_write(&self, stream: Stream) -> Result<(), Error> {
        let key = format!("{}write-check", crate::object::raw_folder(stream));
        let begun = self.s3.create_multipart_upload().bucket(&self.bucket).key(&key).send().await;
        let begun = begun.map_err(|error| self.failed(Action::Write, &key, &error))?;
        let id = begun.upload_id.unwrap_or_default();
        let ended =
            self.s3.abort_multipart_upload().bucket(&self.bucket).key(&key).upload_id(id).send().await;
        ended.map(drop).map_err(|error| self.failed(Action::Write, &key, &error))
    }

    fn broke_off(&self, key: &str) -> Error {
        Error::Archive(format!("reading s3://{}/{key} broke off; the next run tries again", self.bucket))
    }
}

fn to_chrono(time: Option<AwsDateTime>) -> DateTime<Utc> {
    time.and_then(|time| DateTime::from_timestamp(time.secs(), time.subsec_nanos())).unwrap_or_default()
}

fn body(bytes: Vec<u8>) -> ByteStream {
    ByteStream::from(bytes)
}
