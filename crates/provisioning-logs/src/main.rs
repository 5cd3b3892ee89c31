//! The Lambda function that archives a tenant's provisioning logs.

use entratrail::log::Log;
use entratrail_lambda::function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    function::serve(Log::Provisioning).await
}
