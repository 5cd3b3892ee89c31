//! An S3 server on a temporary folder that refuses what S3 refuses, and traps that end a run in the
//! middle of one of its requests.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod rules;

pub use rules::{OWNER, Refusal};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use entratrail::archive::{Archive, Bucket, Operator};
use entratrail::config::Encryption;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rules::{BOUND, Rules};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

const BUCKET: &str = "archive";

/// Folder of the bucket.
const REGION: &str = "eu-central-1";

/// The access key of the account's owner, who changes the archive as somebody with all rights
/// might.
const UNBOUND: &str = "owner";

/// A running S3 server with one bucket. It stops when dropped.
#[derive(Debug)]
pub struct Storage {
    url: String,
    /// The way to the archive.
    client: aws_sdk_s3::Client,
    owner: aws_sdk_s3::Client,
    traps: Arc<Traps>,
    rules: Arc<Rules>,
    server: JoinHandle<()>,
    _folder: TempDir,
}

/// A step between a page and the ledger row, as S3 sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A multipart upload begins.
    BeginUpload,
    /// A part of one.
    UploadPart,
    /// It is completed, so that the object appears.
    CompleteUpload,
    /// A small object is put.
    PutObject,
    /// A table object is written, in whatever way.
    WriteTable,
    /// The ledger is written.
    WriteLedger,
    /// Anything is read or listed.
    Read,
}

impl Step {
    fn of(request: &Request<Incoming>) -> Option<Self> {
        let query = request.uri().query().unwrap_or_default();
        let is_ledger = request.uri().path().contains("/ledger/");
        let is_table = request.uri().path().contains("/tables/");
        match *request.method() {
            Method::PUT | Method::POST if is_table => Some(Self::WriteTable),
            Method::PUT if is_ledger => Some(Self::WriteLedger),
            Method::PUT if query.contains("partNumber") => Some(Self::UploadPart),
            Method::PUT => Some(Self::PutObject),
            Method::POST if query.contains("uploads") => Some(Self::BeginUpload),
            Method::POST if query.contains("uploadId") => Some(Self::CompleteUpload),
            Method::GET => Some(Self::Read),
            _ => None,
        }
    }
}

/// Whether a trap springs before S3 does what it was asked, or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The request has no effect.
    Before,
    /// It has its effect, but the answer never comes.
    After,
}

/// A request of a run, and a side of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Kind of the request.
    pub step: Step,
    /// Number of the request among those of its kind, from 1.
    pub nth: u32,
    /// Side of the request.
    pub moment: Moment,
}

#[derive(Debug, Default)]
struct Traps {
    turn: Turn,
    armed: Mutex<Option<Trap>>,
    sprung: Notify,
}

#[derive(Debug)]
struct Trap {
    /// Request that springs it; its number counts down to 0.
    at: Point,
    /// Lets the request go on. Nobody does where the run is killed.
    release: Arc<Notify>,
}

impl Traps {
    /// Springs the trap where this is the request that it waits for.
    async fn pass(&self, step: Option<Step>, moment: Moment) {
        let sprung = {
            let mut armed = self.armed();
            let fits = armed
                .as_mut()
                .filter(|trap| Some(trap.at.step) == step && trap.at.moment == moment);
            let springs = fits.is_some_and(|trap| {
                trap.at.nth -= 1;
                trap.at.nth == 0
            });
            if springs { armed.take() } else { None }
        };
        if let Some(trap) = sprung {
            self.sprung.notify_one();
            trap.release.notified().await;
        }
    }

    /// Sets a trap in the place of any other, and returns what lets go of who is caught in it.
    fn set(&self, at: Point) -> Arc<Notify> {
        let release = Arc::new(Notify::new());
        *self.armed() = Some(Trap { at, release: Arc::clone(&release) });
        release
    }

    fn armed(&self) -> MutexGuard<'_, Option<Trap>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run that stands still, or has ended before it came to that.
struct Held<T> {
    ended: Option<T>,
    release: Arc<Notify>,
}

impl<T> Held<T> {
    /// Lets `work` go on to its end.
    async fn go_on(self, work: impl Future<Output = T>) -> T {
        self.release.notify_one();
        match self.ended {
            Some(ended) => ended,
            None => work.await,
        }
    }
}

impl Storage {
    /// Starts on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut builder =
            S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("the folder is there"));
        let mut auth = SimpleAuth::new();
        for access_key in [BOUND, UNBOUND] {
            auth.register(access_key.to_owned(), "test".into());
        }
        builder.set_auth(auth);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let traps = Arc::new(Traps::default());
        let rules = Arc::new(Rules::default());
        let s3 = builder.build();
        let server = tokio::spawn(serve(listener, s3, Arc::clone(&traps), Arc::clone(&rules)));
        let owner = client(&url, REGION, UNBOUND);
        let client = client(&url, REGION, BOUND);
        owner.create_bucket().bucket(BUCKET).send().await.expect("the bucket can be made");
        Self { url, client, owner, traps, rules, server, _folder: folder }
    }

    /// The archive in it.
    pub fn archive(&self) -> Archive {
        Archive::in_bucket(self.bucket().owned_by(OWNER.to_owned()))
    }

    /// The archive for somebody who takes `account` for the bucket's owner.
    pub fn archive_of(&self, account: &str) -> Archive {
        Archive::in_bucket(self.bucket().owned_by(account.to_owned()))
    }

    /// The archive for somebody who works in another region.
    pub fn archive_from(&self, region: &'static str, operator: Operator) -> Archive {
        let client = client(&self.url, region, BOUND);
        Archive::in_bucket(Bucket::new(client, BUCKET.to_owned(), operator))
    }

    /// The archive for somebody who names the encryption of each object.
    pub fn archive_encrypted(&self, encryption: Encryption) -> Archive {
        Archive::in_bucket(self.bucket().encrypted(encryption))
    }

    fn bucket(&self) -> Bucket {
        Bucket::new(self.client.clone(), BUCKET.to_owned(), Operator::Function)
    }

    /// Has S3 refuse requests.
    pub fn refuse(&self, refusal: Refusal) {
        self.rules.script(refusal);
    }

    /// Puts a policy on the bucket that denies writes without an encryption header.
    pub fn demand_encryption(&self) {
        self.rules.demand_encryption();
    }

    /// Runs `work` until it ends, or until a request at which it is dropped as a killed process
    /// would be. `None` where it was killed.
    pub async fn kill_at<T>(&self, at: Point, work: impl Future<Output = T>) -> Option<T> {
        self.hold_at(at, work).await.ended
    }

    /// Has two runs meet: `one` stands still at its request, while `other` comes as far as its own;
    /// then `one` goes on to its end, and after it `other`. Tells whether both came to stand still.
    pub async fn meet<T>(
        &self,
        (one_at, one): (Point, impl Future<Output = T>),
        (other_at, other): (Point, impl Future<Output = T>),
    ) -> (bool, [T; 2]) {
        let mut one = pin!(one);
        let mut other = pin!(other);
        let one_held = self.hold_at(one_at, one.as_mut()).await;
        let other_held = self.hold_at(other_at, other.as_mut()).await;
        let have_met = one_held.ended.is_none() && other_held.ended.is_none();
        let one = one_held.go_on(one).await;
        let other = other_held.go_on(other).await;
        (have_met, [one, other])
    }

    /// Runs `work` until it ends or stands still.
    async fn hold_at<T>(&self, at: Point, work: impl Future<Output = T>) -> Held<T> {
        let release = self.traps.set(at);
        let ended = tokio::select! {
            ended = work => Some(ended),
            () = self.traps.sprung.notified() => None,
        };
        *self.traps.armed() = None;
        Held { ended, release }
    }

    /// Every object with its body.
    pub async fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let mut objects = BTreeMap::new();
        let mut pages = self.owner.list_objects_v2().bucket(BUCKET).into_paginator().send();
        while let Some(page) = pages.next().await {
            for object in page.expect("the bucket can be listed").contents.unwrap_or_default() {
                let key = object.key.expect("an object has a key");
                let body = self
                    .owner
                    .get_object()
                    .bucket(BUCKET)
                    .key(&key)
                    .send()
                    .await
                    .expect("it is there")
                    .body;
                objects.insert(key, body.collect().await.expect("it arrives").to_vec());
            }
        }
        objects
    }

    /// Puts an object, as somebody else might.
    pub async fn put(&self, key: &str, body: &[u8]) {
        let request = self.owner.put_object().bucket(BUCKET).key(key).body(body.to_vec().into());
        request.send().await.expect("the object can be put");
    }

    /// Removes an object, as somebody else might.
    pub async fn remove(&self, key: &str) {
        self.owner
            .delete_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await
            .expect("the object can be removed");
    }

    /// Uploads that were begun and neither completed nor given up.
    pub async fn open_uploads(&self) -> usize {
        let listed = self.client.list_multipart_uploads().bucket(BUCKET).send().await;
        listed.map_or(0, |listed| listed.uploads.unwrap_or_default().len())
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// S3 decides on a conditional write and does it in one step; a folder does not, so requests take
/// turns.
type Turn = tokio::sync::Mutex<()>;

/// Does in full what S3 was asked in full, even if the one who asked is gone before the answer;
/// what did not arrive in full is not done at all.
async fn all_or_nothing(
    s3: &S3Service,
    request: Request<Incoming>,
    traps: &Arc<Traps>,
    rules: &Arc<Rules>,
) -> std::io::Result<Response<s3s::Body>> {
    let step = Step::of(&request);
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    if let Some(refusal) = rules.refuse(&head, &body, step) {
        return Ok(refusal);
    }
    let s3 = s3.clone();
    let traps = Arc::clone(traps);
    let rules = Arc::clone(rules);
    let done = tokio::spawn(async move {
        let _turn = traps.turn.lock().await;
        let asked = head.clone();
        let answer = s3.call(Request::from_parts(head, body.into())).await;
        let answer = answer.map_err(|error| std::io::Error::other(format!("{error:?}")))?;
        let (mut head, body) = answer.into_parts();
        let body = body.collect().await.expect("the folder can be read").to_bytes();
        rules.note(&asked, &body);
        Rules::echo(&asked, &mut head.headers);
        Ok(Response::from_parts(head, body.into()))
    });
    done.await.expect("S3 does not panic")
}

/// A client of the server at `url`.
fn client(url: &str, region: &'static str, access_key: &str) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::from_static(region))
        .credentials_provider(Credentials::new(access_key, "test", None, None, "test"))
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

async fn serve(listener: TcpListener, s3: S3Service, traps: Arc<Traps>, rules: Arc<Rules>) {
    let connections = Builder::new(TokioExecutor::new());
    while let Ok((socket, _)) = listener.accept().await {
        let s3 = s3.clone();
        let traps = Arc::clone(&traps);
        let rules = Arc::clone(&rules);
        let connections = connections.clone();
        socket.set_nodelay(true).unwrap_or_default();
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let s3 = s3.clone();
                let traps = Arc::clone(&traps);
                let rules = Arc::clone(&rules);
                async move {
                    let step = Step::of(&request);
                    traps.pass(step, Moment::Before).await;
                    let answer = all_or_nothing(&s3, request, &traps, &rules).await;
                    traps.pass(step, Moment::After).await;
                    answer
                }
            });
            // A connection that breaks off is the client's business.
            let _ = connections.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}
