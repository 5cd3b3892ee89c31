//! The Lambda function that mails what is new among the findings.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    findings::function::serve().await
}
