//! A Parameter Store that numbers its versions, and lets another run write between a look and a write.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test ends at the first thing that is not as it should be"
)]

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ssm::config::{Credentials, SharedCredentialsProvider};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running store. It stops when dropped.
#[derive(Debug)]
pub struct ParameterStore {
    url: String,
    shelf: Arc<Mutex<Shelf>>,
    server: JoinHandle<()>,
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
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let shelf = Arc::new(Mutex::new(Shelf::default()));
        let kept = Arc::clone(&shelf);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shelf = Arc::clone(&kept);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(Arc::clone(&shelf), request));
                    // A client that hangs up is no failure of the store.
                    let _ = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, shelf, server }
    }

    /// What clients of this store are made of.
    pub fn config(&self) -> SdkConfig {
        let credentials = Credentials::new("test", "test", None, None, "stand");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .endpoint_url(&self.url)
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

impl Drop for ParameterStore {
    fn drop(&mut self) {
        self.server.abort();
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

async fn answer(
    shelf: Arc<Mutex<Shelf>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let operation = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = operation.unwrap_or_default().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
    let found = match operation.as_str() {
        "AmazonSSM.GetParameter" => shelf.get(text("Name")).ok_or("ParameterNotFound"),
        "AmazonSSM.PutParameter" if asked["Overwrite"] == true => {
            Ok(json!({"Version": shelf.put(text("Name"), text("Value")), "Tier": "Standard"}))
        }
        _ => Err("UnknownOperationException"),
    };
    let (status, body) = match found {
        Ok(found) => (200, found),
        Err(code) => (400, json!({"__type": code})),
    };
    let answer = Response::builder().status(status).header("content-type", "application/x-amz-json-1.1");
    Ok(answer.body(Full::new(Bytes::from(body.to_string()))).expect("the answer is well formed"))
}
