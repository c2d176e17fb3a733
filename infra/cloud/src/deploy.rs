//! Deploying: code, stack, first key, site. Each step finds out what is done already, so it may be run again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use hlsops_api::{Secret, create_key};
use hlsops_domain::EpochMs;
use hlsops_store::{KeyScope, Store};

use crate::aws::Aws;
use crate::bucket::{Bucket, Manners};
use crate::confirm::confirm;
use crate::error::Error;
use crate::package::{Architecture, FUNCTIONS, content_hash};
use crate::site;
use crate::stack::{Change, Found, Stack};
use crate::template::{self, TEMPLATE};
use crate::workarounds;

/// What to deploy, and how.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The stack's name.
    pub stack: String,
    /// Folder with `probe.zip` and `api.zip`.
    pub zips: PathBuf,
    /// What the zips are built for.
    pub architecture: Architecture,
    /// Folder of the built dashboard; without it the site is left as it is.
    pub site: Option<PathBuf>,
    /// Parameters of the template.
    pub parameters: BTreeMap<String, String>,
    /// Whether the user has agreed to every change beforehand.
    pub agreed: bool,
    /// Whether the endpoint is MiniStack, whose defects need avoiding.
    pub ministack: bool,
}

/// What was deployed.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// Resources that were added, changed or removed.
    pub changes: usize,
    /// The stack's outputs by name.
    pub outputs: BTreeMap<String, String>,
    /// The first key, if it was made now. It is stored nowhere.
    pub first_key: Option<Secret>,
}

/// The account the first key is for; the only one until there are more.
const ACCOUNT: &str = "default";

/// Deploys; telling the outputs and the key is left to the caller.
///
/// # Errors
/// [`Error`].
pub async fn deploy(wanted: &Deployment) -> Result<Deployed, Error> {
    let aws = Aws::connect().await?;
    if wanted.ministack {
        aws.must_be_emulator()?;
    }
    println!("account {}, region {}{}", aws.account, aws.region, at(&aws));
    let stack =
        Stack { client: aws_sdk_cloudformation::Client::new(&aws.config), name: wanted.stack.clone() };
    let now = stack.find().await?;
    let values = upload_code(&aws, wanted, now.as_ref()).await?;
    let (changes, found) = bring_up_to_date(&stack, wanted, now, &values).await?;
    let output = |name: &'static str| found.outputs.get(name).cloned().ok_or(Error::Lacks { what: name });
    upload_site(&aws, wanted, output("SiteBucket")?).await?;
    let first_key = first_key(&aws, &output("Table")?).await?;
    Ok(Deployed { changes, outputs: found.outputs, first_key })
}

/// Uploads the zips under the hashes of their contents; the parameters that name them.
async fn upload_code(
    aws: &Aws,
    wanted: &Deployment,
    now: Option<&Found>,
) -> Result<BTreeMap<String, String>, Error> {
    let parameters = template::parameters(TEMPLATE)?;
    let mut given = wanted.parameters.clone();
    let bucket = Bucket { client: aws.s3(), name: code_bucket(aws, &wanted.stack) };
    bucket.ensure(&aws.region).await?;
    given.insert("CodeBucket".into(), bucket.name.clone());
    given.insert("Architecture".into(), wanted.architecture.name().into());
    let manners = Manners { content_type: "application/zip", cache_control: "private" };
    for (function, parameter) in FUNCTIONS.into_iter().zip(["ProbeCodeKey", "ApiCodeKey"]) {
        let path = wanted.zips.join(format!("{function}.zip"));
        let zip = fs::read(&path).map_err(Error::file("read", &path))?;
        let key = format!("{function}/{}.zip", content_hash(&zip));
        let bytes = zip.len();
        let stored = bucket.put(&key, zip, &manners).await?;
        println!("code: {function} {bytes} bytes, {}", if stored { "uploaded" } else { "there already" });
        given.insert(parameter.into(), key);
    }
    let had = now.map(|found| found.parameters.clone()).unwrap_or_default();
    Ok(template::values(&parameters, &given, &had)?)
}

/// Shows what would change, asks, and changes it.
async fn bring_up_to_date(
    stack: &Stack,
    wanted: &Deployment,
    now: Option<Found>,
    values: &BTreeMap<String, String>,
) -> Result<(usize, Found), Error> {
    let text = if wanted.ministack {
        for defect in workarounds::defects() {
            println!("emulator: avoiding that {defect}");
        }
        workarounds::for_emulator(TEMPLATE, &template::parameters(TEMPLATE)?, values)
    } else {
        TEMPLATE.to_owned()
    };
    let Some(plan) = stack.plan(now.as_ref(), &text, values).await? else {
        println!("stack {}: no changes", stack.name);
        return Ok((0, now.ok_or(Error::Lacks { what: "stack" })?));
    };
    println!("\nstack {}: {} changes", stack.name, plan.changes.len());
    for change in &plan.changes {
        println!("  {}", line(change));
    }
    if let Err(declined) = confirm("Apply these changes?", "yes", wanted.agreed) {
        stack.discard(&plan).await?;
        return Err(declined);
    }
    println!("stack {}: applying; the first time takes some minutes, most of it CloudFront", stack.name);
    let found = stack.apply(&plan).await?;
    println!("stack {}: {}", stack.name, found.status);
    Ok((plan.changes.len(), found))
}

async fn upload_site(aws: &Aws, wanted: &Deployment, name: String) -> Result<(), Error> {
    let Some(folder) = wanted.site.as_deref() else {
        println!("site: left as it is (no built dashboard given)");
        return Ok(());
    };
    let bucket = Bucket { client: aws.s3(), name };
    let done = site::upload(&bucket, Path::new(folder)).await?;
    println!("site: {} files, {} uploaded, {} old ones removed", done.files, done.changed, done.removed);
    Ok(())
}

/// Makes a key if there is none.
async fn first_key(aws: &Aws, table: &str) -> Result<Option<Secret>, Error> {
    // The store repeats by itself.
    let config = aws_sdk_dynamodb::config::Builder::from(&aws.config)
        .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled());
    let store = Store::new(aws_sdk_dynamodb::Client::from_conf(config.build()), table);
    if !store.api_keys(ACCOUNT, None, 1).await?.value.0.is_empty() {
        return Ok(None);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now = EpochMs(u64::try_from(now).unwrap_or(u64::MAX));
    let (secret, _) = create_key(&store, ACCOUNT, "first key", KeyScope::Admin, None, now).await?;
    Ok(Some(secret))
}

/// The bucket of the zips: its name must be unique in the world, and is found again without being stored.
pub(crate) fn code_bucket(aws: &Aws, stack: &str) -> String {
    format!("{}-code-{}-{}", stack.to_lowercase(), aws.account, aws.region)
}

pub(crate) fn at(aws: &Aws) -> String {
    aws.endpoint().map(|url| format!(", endpoint {url}")).unwrap_or_default()
}

fn line(change: &Change) -> String {
    let warning = if change.replaces { "  (REPLACES what is there)" } else { "" };
    format!("{:<7} {:<26} {}{warning}", change.action, change.resource, change.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_cannot_be_overlooked() {
        let mut change = Change {
            action: "Modify".into(),
            resource: "Table".into(),
            kind: "AWS::DynamoDB::Table".into(),
            replaces: false,
        };
        assert_eq!(line(&change), "Modify  Table                      AWS::DynamoDB::Table");
        change.replaces = true;
        assert!(line(&change).ends_with("(REPLACES what is there)"));
    }
}
