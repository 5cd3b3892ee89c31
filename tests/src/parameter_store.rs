//! A Parameter Store that numbers its versions, and lets another run write between a look and a
//! write.

#![expect(
    clippy::expect_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use crate::stand::Stand;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ssm::config::{Credentials, SharedCredentialsProvider};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A running store. It stops when dropped.
#[derive(Debug)]
pub struct ParameterStore {
    stand: Stand,
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Debug, Default)]
struct Shelf {
    /// Values of each parameter, the first version first.
    versions: BTreeMap<String, Vec<String>>,
    /// What another run writes, and the number of looks at that parameter before it does.
    meddling: Option<(String, u32, String)>,
}

impl ParameterStore {
    /// Starts an empty store on this machine.
    pub async fn start() -> Self {
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        let served = Arc::clone(&shelf);
        let stand = Stand::start(move |request| {
            answer(&mut served.lock().unwrap_or_else(PoisonError::into_inner), &request)
        });
        Self { stand: stand.await, shelf }
    }

    /// What clients of this store are made of.
    pub fn config(&self) -> SdkConfig {
        let credentials = Credentials::new("test", "test", None, None, "stand");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .endpoint_url(&self.stand.url)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// Writes a new version of a parameter.
    pub fn put(&self, name: &str, value: &str) {
        self.with(|shelf| shelf.put(name, value));
    }

    /// Newest version of a parameter.
    pub fn value(&self, name: &str) -> Option<String> {
        self.with(|shelf| shelf.versions.get(name)?.last().cloned())
    }

    /// Has another run write `value` right after so many more looks at a parameter.
    pub fn write_after_looks(&self, name: &str, looks: u32, value: &str) {
        self.with(|shelf| shelf.meddling = Some((name.to_owned(), looks, value.to_owned())));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Shelf) -> T) -> T {
        act(&mut self.shelf.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shelf {
    fn put(&mut self, name: &str, value: &str) -> usize {
        let versions = self.versions.entry(name.to_owned()).or_default();
        versions.push(value.to_owned());
        versions.len()
    }

    /// Looks at a parameter; its name may end in a colon and the number of a version.
    fn get(&mut self, asked: &str) -> Option<Value> {
        let (name, version) = asked.split_once(':').unwrap_or((asked, ""));
        let versions = self.versions.get(name).cloned().unwrap_or_default();
        let version = version.parse().unwrap_or(versions.len());
        let value = versions.get(version.checked_sub(1)?)?;
        let found = json!({"Name": name, "Type": "String", "Value": value, "Version": version});
        if let Some((meddled, looks, value)) = self.meddling.take() {
            match looks.checked_sub(u32::from(meddled == asked)) {
                Some(0) => drop(self.put(&meddled, &value)),
                left => self.meddling = left.map(|left| (meddled, left, value)),
            }
        }
        Some(json!({"Parameter": found}))
    }
}

fn answer(shelf: &mut Shelf, request: &Request<Bytes>) -> Response<Full<Bytes>> {
    let operation = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let asked: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let name = asked["Name"].as_str().unwrap_or_default();
    let found = match operation {
        Some("AmazonSSM.GetParameter") => shelf.get(name).ok_or("ParameterNotFound"),
        Some("AmazonSSM.PutParameter") if asked["Overwrite"] == true => {
            let value = asked["Value"].as_str().unwrap_or_default();
            Ok(json!({"Version": shelf.put(name, value), "Tier": "Standard"}))
        }
        _ => Err("UnknownOperationException"),
    };
    let (status, body) = match found {
        Ok(found) => (200, found),
        Err(code) => (400, json!({"__type": code})),
    };
    let answer =
        Response::builder().status(status).header("content-type", "application/x-amz-json-1.1");
    answer.body(Full::new(Bytes::from(body.to_string()))).expect("the answer is well formed")
}
