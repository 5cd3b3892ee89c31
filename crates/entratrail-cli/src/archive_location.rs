//! The location of an archive.

use aws_config::BehaviorVersion;
use entratrail::archive::{Access, Archive, Bucket, Operator};
use entratrail::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A folder of this machine, or a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArchiveLocation {
    Folder(PathBuf),
    Bucket(String),
}

impl ArchiveLocation {
    /// Opens the archive there. A bucket is reached with the credentials and the region of the AWS
    /// environment.
    pub(crate) async fn open(&self, access: Access) -> Result<Archive, Error> {
        match self {
            Self::Folder(folder) => Archive::in_folder(folder, access),
            Self::Bucket(bucket) => {
                let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
                let is_redirected = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"]
                    .iter()
                    .any(|name| std::env::var_os(name).is_some());
                let s3 =
                    aws_sdk_s3::config::Builder::from(&aws).force_path_style(is_redirected).build();
                let client = aws_sdk_s3::Client::from_conf(s3);
                Ok(Archive::in_bucket(Bucket::new(client, bucket.clone(), Operator::Person)))
            }
        }
    }
}

impl fmt::Display for ArchiveLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Bucket(bucket) => write!(f, "s3://{bucket}"),
        }
    }
}

impl FromStr for ArchiveLocation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("s3://").map(|bucket| bucket.trim_end_matches('/')) {
            None if text.is_empty() => {
                Err("it must name a folder, or a bucket as s3://BUCKET".to_owned())
            }
            None => Ok(Self::Folder(text.into())),
            Some(bucket) if bucket.is_empty() || bucket.contains('/') => {
                Err("a bucket is an archive as a whole: s3:// and its name, nothing more"
                    .to_owned())
            }
            Some(bucket) => Ok(Self::Bucket(bucket.to_owned())),
        }
    }
}
