//! The Lambda function that archives a tenant's provisioning logs.

use entratrail::{lambda, log::Log};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::serve(Log::Provisioning).await
}
