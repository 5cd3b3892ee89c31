//! An S3 server with one bucket, in a temporary folder.

use crate::Failure;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const NAME: &str = "archive";
const KEY: &str = "bench";

/// A bucket that goes with this value, and everything in it.
#[derive(Debug)]
pub(crate) struct Bucket {
    folder: TempDir,
    url: String,
    server: JoinHandle<()>,
}

impl Bucket {
    /// Serves an empty bucket.
    pub(crate) async fn open() -> Result<Self, Failure> {
        let folder = TempDir::with_prefix("entratrail-bench-")?;
        fs::create_dir(folder.path().join(NAME))?;
        let files = FileSystem::new(folder.path()).map_err(|error| format!("{error:?}"))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(KEY, KEY));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let server = tokio::spawn(serve(listener, service.build()));
        Ok(Self { folder, url, server })
    }

    /// Variables of a function's environment that name the bucket.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 5] {
        [
            ("ARCHIVE_BUCKET", NAME),
            ("AWS_ENDPOINT_URL", &self.url),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", KEY),
        ]
    }

    /// The files of all raw objects.
    pub(crate) fn raw_objects(&self) -> Result<Vec<PathBuf>, Failure> {
        files_below(&self.folder.path().join(NAME).join("raw"), ".ndjson.gz")
    }

    /// Whether the history of the ledger is signed.
    pub(crate) fn is_signed(&self) -> bool {
        self.folder.path().join(NAME).join("proof/sign-ins/checkpoint").exists()
    }

    /// New records of all complete reads on record.
    pub(crate) fn new_on_record(&self) -> Result<u64, Failure> {
        let mut new = 0;
        for ledger in files_below(&self.folder.path().join(NAME).join("ledger"), ".ndjson")? {
            for line in fs::read_to_string(ledger)?.lines() {
                let row: Value = serde_json::from_str(line)?;
                if row["status"] == "complete" {
                    new += row["new"].as_u64().unwrap_or(0);
                }
            }
        }
        Ok(new)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    while let Ok((socket, _)) = listener.accept().await {
        let service = service.clone();
        tokio::spawn(async move {
            // A connection that breaks fails a request of the measured process, which reports it.
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

fn files_below(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.append(&mut files_below(&path, ending)?);
        } else if path.to_string_lossy().ends_with(ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
