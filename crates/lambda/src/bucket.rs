//! The archive's bucket, in the account of the function that asks for it.

use aws_config::SdkConfig;
use entratrail::archive::{Bucket, Operator};
use entratrail::config::BucketSettings;
use lambda_runtime::Context;

/// The bucket with these settings.
pub fn open(aws: &SdkConfig, settings: &BucketSettings) -> Bucket {
    let BucketSettings { name, encryption, has_own_endpoint } = settings;
    let s3 = aws_sdk_s3::config::Builder::from(aws).force_path_style(*has_own_endpoint).build();
    let s3 = aws_sdk_s3::Client::from_conf(s3);
    let bucket = Bucket::new(s3, name.clone(), Operator::Function);
    match encryption {
        Some(encryption) => bucket.encrypted(encryption.clone()),
        None => bucket,
    }
}

/// `bucket` of the account in which the function runs, and no other of that name.
pub fn of_own_account(bucket: &Bucket, context: &Context) -> Bucket {
    match account_in(&context.invoked_function_arn) {
        Some(account) => bucket.clone().owned_by(account.to_owned()),
        None => bucket.clone(),
    }
}

/// The account in the ARN of a function.
pub fn account_in(function_arn: &str) -> Option<&str> {
    let account = function_arn.strip_prefix("arn:")?.split(':').nth(3)?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_knows_its_account_in_every_partition() {
        let check = |arn, account| assert_eq!(account_in(arn), account, "{arn}");
        check("arn:aws:lambda:eu-central-1:111122223333:function:x:$LATEST", Some("111122223333"));
        check("arn:aws-eusc:lambda:eusc-de-east-1:111122223333:function:x", Some("111122223333"));
        check("function-arn", None);
        check("arn:aws:lambda:eu-central-1:me:function:x", None);
        check("", None);
    }
}
