//! A refusal by S3 in the words of whoever can do something about it.

use super::{Bucket, Operator};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use entratrail_core::error::Error;
use std::error::Error as StdError;

/// A code, a region or a request id has at most this many characters; what came from outside is no
/// longer in an error.
const MAX_WORD: usize = 100;

/// Request that was tried.
#[derive(Debug, Clone, Copy)]
pub(super) enum BucketAction {
    Read,
    Write,
    List,
}

/// Whether the object is not there.
pub(super) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(error.code(), Some("NoSuchKey" | "NotFound"))
}

/// Whether the condition of a write did not hold, or held no longer. That a multipart upload is
/// gone says the same: it was completed by a first try whose answer got lost.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
pub(super) fn is_conflict<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let status = error.raw_response().map(|response| response.status().as_u16());
    matches!(status, Some(412 | 409))
        || matches!(error.code(), Some("NoSuchUpload"))
        || is_missing(error)
}

/// Facts of a request that failed.
#[derive(Debug, Clone, Copy, Default)]
struct Failure<'answer> {
    /// S3's word for it.
    code: Option<&'answer str>,
    /// 0 where nothing was answered.
    status: u16,
    request_id: Option<&'answer str>,
    /// The region in which the bucket lies, where the answer names it.
    bucket_region: Option<&'answer str>,
    /// Why nothing was sent, where credentials were the reason.
    credentials: Option<Credentials>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credentials {
    None,
    Unusable,
}

impl<'answer> Failure<'answer> {
    fn of<E>(error: &'answer SdkError<E, HttpResponse>) -> Self
    where
        E: StdError + ProvideErrorMetadata + RequestId + 'static,
    {
        let response = error.raw_response();
        let header = response.and_then(|response| response.headers().get("x-amz-bucket-region"));
        let body = response.and_then(|response| response.body().bytes()).unwrap_or_default();
        Self {
            code: error.code().and_then(checked),
            status: response.map_or(0, |response| response.status().as_u16()),
            request_id: error.as_service_error().and_then(RequestId::request_id).and_then(checked),
            bucket_region: header.or_else(|| region_in(body)).and_then(checked),
            credentials: credentials_in(error),
        }
    }

    fn describe(&self) -> String {
        match (self.credentials, self.status) {
            (Some(Credentials::None), _) => "no credentials".to_owned(),
            (Some(Credentials::Unusable), _) => "credentials could not be loaded".to_owned(),
            (None, 0) => "no answer".to_owned(),
            (None, status) => format!(
                "{}, status {status}, request-id {}",
                self.code.unwrap_or("no error code"),
                self.request_id.unwrap_or("none")
            ),
        }
    }

    fn remedy(&self, bucket: &Bucket) -> String {
        let operator = bucket.operator;
        let is_credentials = self.credentials.is_some();
        match self.code.unwrap_or_default() {
            _ if is_credentials => advise(operator, NO_CREDENTIALS).to_owned(),
            "PermanentRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException"
            | "TemporaryRedirect" => self.advise_on_region(bucket),
            _ if self.status == 301 => self.advise_on_region(bucket),
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
                advise(operator, EXPIRED_CREDENTIALS).to_owned()
            }
            "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "InvalidToken"
            | "SignatureDoesNotMatch"
            | "InvalidSecurity" => advise(operator, INVALID_CREDENTIALS).to_owned(),
            "RequestTimeTooSkewed" | "RequestExpired" => advise(operator, CLOCK).to_owned(),
            "NoSuchBucket" => advise(operator, NO_BUCKET).to_owned(),
            "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" => {
                let owner = bucket.owner.as_ref().map_or(String::new(), |account| {
                    format!("; the bucket must belong to account {account}")
                });
                format!("{}{owner}", advise(operator, DENIED))
            }
            code if code.starts_with("KMS.") => advise(operator, KEY).to_owned(),
            "InvalidObjectState" => {
                "the object lies in a storage class that must be restored before it is read"
                    .to_owned()
            }
            "NoSuchKey" => {
                "the ledger names this object, and it is gone: bring back its earlier version \
                            (docs/operate.md, Restoring), or restore it from a backup"
                    .to_owned()
            }
            _ if self.status == 0 => advise(operator, UNREACHABLE).to_owned(),
            _ => advise(operator, LATER).to_owned(),
        }
    }

    fn advise_on_region(&self, bucket: &Bucket) -> String {
        let used = Client::config(&bucket.s3).region().map_or("none", AsRef::as_ref);
        let lies_in = self.bucket_region.unwrap_or("another region");
        match bucket.operator {
            Operator::Function => format!(
                "the bucket lies in {lies_in}, and the function asks in {used}: deploy the stack \
                 in the bucket's region, or name a bucket of {used} in ExistingBucket"
            ),
            Operator::Person => {
                let region = self.bucket_region.unwrap_or("THE-REGION-OF-THE-BUCKET");
                format!(
                    "the bucket lies in {lies_in}, and your region is {used}: set \
                     AWS_REGION={region}"
                )
            }
        }
    }
}

/// Advice for a function's operator, and for a person at a terminal.
type Advice = (&'static str, &'static str);

const NO_CREDENTIALS: Advice = (
    "the function got no credentials of its role: see whether the role still exists and whether \
     Lambda may assume it",
    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a profile with single \
     sign-on or MFA run aws configure export-credentials --format env and set what it prints",
);
const EXPIRED_CREDENTIALS: Advice = (
    "the credentials of the function's role have expired; the next run gets new ones",
    "your AWS credentials have expired: sign in again, or set new ones",
);
const INVALID_CREDENTIALS: Advice = (
    "AWS does not accept the credentials of the function's role: see whether the role still exists",
    "AWS does not accept your credentials: check AWS_PROFILE, or AWS_ACCESS_KEY_ID, \
     AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
);
const CLOCK: Advice = (
    "the clock of the function's machine is wrong, which only AWS can mend; the next run tries \
     again",
    "the clock of this machine is more than 15 minutes off: set it, and run the same command again",
);
const NO_BUCKET: Advice = (
    "the bucket does not exist: check ARCHIVE_BUCKET",
    "the bucket does not exist: check the name after s3://, and which cloud or endpoint you use",
);
const DENIED: Advice = (
    "the function's role may not do that: check its policy, the bucket's and the key's",
    "your AWS credentials may not do that: check their policy, the bucket's and the key's",
);
const KEY: Advice = (
    "the KMS key does not serve: see whether it is enabled, and whether its policy and the role's \
     allow its use",
    "the KMS key does not serve: see whether it is enabled, and whether its policy and yours allow \
     its use",
);
const UNREACHABLE: Advice = (
    "S3 could not be reached: check region, network and endpoint",
    "S3 could not be reached: check AWS_REGION, the network and AWS_ENDPOINT_URL",
);
const LATER: Advice = ("the next run tries again", "run the same command again later");

fn advise(operator: Operator, (function, person): Advice) -> &'static str {
    match operator {
        Operator::Function => function,
        Operator::Person => person,
    }
}

impl Bucket {
    /// The error of a request that S3 refused or did not answer. That of the SDK is no source of
    /// it: it holds the body and the headers of the answer.
    pub(super) fn failed<E>(
        &self,
        action: BucketAction,
        key: &str,
        error: &SdkError<E, HttpResponse>,
    ) -> Error
    where
        E: StdError + ProvideErrorMetadata + RequestId + 'static,
    {
        let verb = match action {
            BucketAction::Read => "read",
            BucketAction::Write => "written",
            BucketAction::List => "listed",
        };
        let failure = Failure::of(error);
        let address = self.address(key);
        let description = failure.describe();
        Error::archive(format!("{address} could not be {verb} ({description})"))
            .with_remedy(failure.remedy(self))
    }
}

/// A word that may stand in an error although it came from outside.
fn checked(word: &str) -> Option<&str> {
    let is_word = !word.is_empty()
        && word.len() <= MAX_WORD
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    is_word.then_some(word)
}

/// The region that S3 names in the body where a signature is for another one.
fn region_in(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("<Region>")?;
    rest.split_once("</Region>").map(|(region, _)| region)
}

/// Whether a cause of `error` is that there were no credentials to sign with.
fn credentials_in(error: &(dyn StdError + 'static)) -> Option<Credentials> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<CredentialsError>() {
            Some(CredentialsError::CredentialsNotLoaded(_)) => return Some(Credentials::None),
            Some(_) => return Some(Credentials::Unusable),
            None => cause = error.source(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::config::{BehaviorVersion, Region};

    fn advice(operator: Operator, failure: Failure<'_>) -> String {
        let config = aws_sdk_s3::Config::builder().behavior_version(BehaviorVersion::latest());
        let client = Client::from_conf(config.region(Region::from_static("eu-central-1")).build());
        let bucket = Bucket::new(client, "archive".to_owned(), operator);
        failure.remedy(&bucket.owned_by("111122223333".to_owned()))
    }

    #[test]
    fn each_refusal_is_told_in_the_words_of_whoever_runs_it() {
        let check = |code: &'static str, function: &str, person: &str| {
            let failure = Failure { code: Some(code), status: 400, ..Failure::default() };
            for (operator, part) in [(Operator::Function, function), (Operator::Person, person)] {
                let advice = advice(operator, failure);
                assert!(advice.contains(part), "{code} for {operator:?}: {advice}");
                assert!(!advice.contains('"'), "{advice}");
            }
        };
        check("AccessDenied", "function's role", "your AWS credentials may not");
        check("AccessDenied", "account 111122223333", "account 111122223333");
        check("ExpiredToken", "function's role", "sign in again");
        check("InvalidAccessKeyId", "function's role", "AWS_PROFILE");
        check("SignatureDoesNotMatch", "function's role", "AWS_SECRET_ACCESS_KEY");
        check("RequestTimeTooSkewed", "clock", "set it");
        check("NoSuchBucket", "check ARCHIVE_BUCKET", "after s3://");
        check("KMS.DisabledException", "the role's", "yours");
        check("SlowDown", "the next run tries again", "run the same command again");
        check("SomethingNew", "the next run tries again", "run the same command again");
    }

    #[test]
    fn another_region_is_named() {
        let failure =
            Failure { status: 301, bucket_region: Some("eu-west-1"), ..Failure::default() };
        let function = advice(Operator::Function, failure);
        assert!(
            function.contains("lies in eu-west-1, and the function asks in eu-central-1"),
            "{function}"
        );
        let person = advice(Operator::Person, failure);
        assert!(person.ends_with("set AWS_REGION=eu-west-1"), "{person}");
        assert_eq!(region_in(b"<Error><Region>eu-west-1</Region></Error>"), Some("eu-west-1"));
    }

    #[test]
    fn a_word_from_outside_is_checked() {
        assert_eq!(checked("KMS.DisabledException"), Some("KMS.DisabledException"));
        let long = "x".repeat(MAX_WORD + 1);
        for word in ["", "a b", "<script>", "ü", long.as_str()] {
            assert_eq!(checked(word), None, "{word}");
        }
    }
}
