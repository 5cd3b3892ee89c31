//! An archive in an S3 bucket.

mod failure;
mod multipart;

pub(super) use multipart::Multipart;

use super::store::Whole;
use crate::error::Error;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, DateTime as AwsDateTime};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use failure::{Action, is_conflict, is_missing};

/// A bucket with the layout of the archive.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    s3: Client,
    name: String,
}

/// An object that is being downloaded.
#[derive(Debug)]
pub(super) struct Content {
    address: String,
    body: ByteStream,
    pub(super) stored_at: DateTime<Utc>,
}

impl Bucket {
    pub(super) fn new(s3: Client, name: String) -> Self {
        Self { s3, name }
    }

    pub(super) fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    pub(super) async fn read(&self, key: &str) -> Result<Option<Whole>, Error> {
        let object = match self.s3.get_object().bucket(&self.name).key(key).send().await {
            Ok(object) => object,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(self.failed(Action::Read, key, &error)),
        };
        let version = object.e_tag;
        let body = object.body.collect().await.map_err(|_| broke_off(&self.address(key)))?;
        Ok(Some(Whole { body: body.to_vec(), version }))
    }

    pub(super) async fn open(&self, key: &str) -> Result<Content, Error> {
        let found = self.s3.get_object().bucket(&self.name).key(key).send().await;
        let found = found.map_err(|error| self.failed(Action::Read, key, &error))?;
        let stored_at = to_chrono(found.last_modified);
        Ok(Content { address: self.address(key), body: found.body, stored_at })
    }

    pub(super) async fn replace(
        &self,
        key: &str,
        body: Vec<u8>,
        version: Option<String>,
    ) -> Result<bool, Error> {
        let must_be_new = version.is_none().then(|| "*".to_owned());
        let request = self.s3.put_object().bucket(&self.name).key(key).content_type("application/x-ndjson");
        let request = request.set_if_match(version).set_if_none_match(must_be_new).body(body.into());
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if is_conflict(&error) => Ok(false),
            Err(error) => Err(self.failed(Action::Write, key, &error)),
        }
    }

    pub(super) async fn create(&self, key: &str, body: Vec<u8>) -> Result<bool, Error> {
        let request = self.s3.put_object().bucket(&self.name).key(key).if_none_match("*");
        match request.body(body.into()).send().await {
            Ok(_) => Ok(true),
            Err(error) if is_conflict(&error) => Ok(false),
            Err(error) => Err(self.failed(Action::Write, key, &error)),
        }
    }

    pub(super) async fn put(&self, key: &str, body: Vec<u8>) -> Result<(), Error> {
        let put = self.s3.put_object().bucket(&self.name).key(key).body(body.into()).send().await;
        put.map(drop).map_err(|error| self.failed(Action::Write, key, &error))
    }

    pub(super) async fn keys(
        &self,
        prefix: &str,
        after: Option<String>,
        is_flat: bool,
    ) -> Result<Vec<String>, Error> {
        let request = self.s3.list_objects_v2().bucket(&self.name).prefix(prefix).set_start_after(after);
        let mut pages = request.set_delimiter(is_flat.then(|| "/".to_owned())).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed(Action::List, prefix, &error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
        }
        Ok(keys)
    }
}

impl Content {
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.body.next().await.transpose().map_err(|_| broke_off(&self.address))
    }
}

fn broke_off(address: &str) -> Error {
    Error::Archive(format!("reading {address} broke off; the next run tries again"))
}

fn to_chrono(time: Option<AwsDateTime>) -> DateTime<Utc> {
    time.and_then(|time| DateTime::from_timestamp(time.secs(), time.subsec_nanos())).unwrap_or_default()
}
