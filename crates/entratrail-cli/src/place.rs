//! The place of an archive.

use aws_config::BehaviorVersion;
use entratrail::archive::{Access, Archive, Bucket, Operator};
use entratrail::error::Error;
use std::fmt;
use std::path::PathBuf;

/// A folder of this machine, or a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Folder(PathBuf),
    Bucket(String),
}

impl Place {
    /// Opens the archive there. A bucket is reached with the credentials and the region of the AWS
    /// environment.
    pub(crate) async fn open(&self, access: Access) -> Result<Archive, Error> {
        match self {
            Self::Folder(folder) => Archive::in_folder(folder, access),
            Self::Bucket(bucket) => {
                let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
                let is_set = |name| std::env::var_os(name).is_some();
                let is_redirected = is_set("AWS_ENDPOINT_URL") || is_set("AWS_ENDPOINT_URL_S3");
                let s3 =
                    aws_sdk_s3::config::Builder::from(&aws).force_path_style(is_redirected).build();
                let client = aws_sdk_s3::Client::from_conf(s3);
                Ok(Archive::in_bucket(Bucket::new(client, bucket.clone(), Operator::Person)))
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Bucket(bucket) => write!(f, "s3://{bucket}"),
        }
    }
}
