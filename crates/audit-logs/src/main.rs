//! The Lambda function that archives a tenant's directory audit logs.

use entratrail::log::Log;
use entratrail_lambda::function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    function::serve(Log::DirectoryAudits).await
}
