//! Removing an installation; its data stays.

use std::time::Duration;

use crate::aws::Aws;
use crate::bucket::Bucket;
use crate::confirm::confirm;
use crate::deploy::{at, code_bucket};
use crate::error::Error;
use crate::stack::Stack;

/// Deletes the stack with the site and the code, and says what is retained.
///
/// # Errors
/// [`Error`].
pub async fn destroy(name: &str, agreed: bool) -> Result<(), Error> {
    let aws = Aws::connect().await?;
    println!("account {}, region {}{}", aws.account, aws.region, at(&aws));
    let stack = Stack { client: aws_sdk_cloudformation::Client::new(&aws.config), name: name.into() };
    if stack.find().await?.is_some() {
        let table = stack.resource("Table").await?;
        let question = "The functions, the API, the dashboard, queues, topics and logs will be deleted.";
        confirm(question, name, agreed)?;
        if let Some(site) = stack.resource("SiteBucket").await? {
            empty(&aws, site).await?;
        }
        stack.delete().await?;
        println!("stack {name}: deleted");
        if let Some(table) = table {
            println!("retained: the table `{table}` with its data and backups; to remove it for good:");
            println!("    aws dynamodb delete-table --table-name {table}");
        }
    } else {
        println!("stack {name}: not there");
    }
    if let Some(code) = empty(&aws, code_bucket(&aws, name)).await? {
        code.delete().await?;
        println!("bucket {}: deleted", code.name);
    }
    Ok(())
}

/// Empties a bucket; none if it is not there.
async fn empty(aws: &Aws, name: String) -> Result<Option<Bucket>, Error> {
    let bucket = Bucket { client: aws.s3(), name };
    if !bucket.exists().await? {
        return Ok(None);
    }
    let removed = bucket.sweep(Duration::ZERO, |_| false).await?;
    println!("bucket {}: {removed} objects removed", bucket.name);
    Ok(Some(bucket))
}
