//! The Lambda function that archives a tenant's sign-in logs.

use entratrail::{lambda, log::Log};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda::serve(Log::SignIns).await
}
