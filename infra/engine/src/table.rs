//! Creating the table, where no template does it.
//!
//! In the cloud the table comes from the template; only those who use this engine need to create
//! it, so this stands here and not in the store.

use aws_sdk_dynamodb::{
    Client,
    error::{BuildError, DisplayErrorContext, ProvideErrorMetadata},
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, IndexStatus, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType, TableDescription, TableStatus,
        TimeToLiveSpecification, TimeToLiveStatus,
    },
};
use std::time::Duration;

/// A table with two text keys, one sparse index with two text keys of its own and a TTL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// At least three characters, as DynamoDB demands.
    pub name: String,
    /// Partition and sort key.
    pub keys: [String; 2],
    /// Name of the index; it projects everything.
    pub index: String,
    /// Partition and sort key of the index. Items without them are not in it.
    pub index_keys: [String; 2],
    /// The attribute with the epoch second after which an item may be deleted.
    pub ttl: String,
}

impl TableSpec {
    /// The product's table under a name of choice: `pk`, `sk`, `gsi1(g1p, g1s)`, `ttl`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            keys: ["pk".into(), "sk".into()],
            index: "gsi1".into(),
            index_keys: ["g1p".into(), "g1s".into()],
            ttl: "ttl".into(),
        }
    }
}

/// Why there is no usable table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The database refused.
    #[error("cannot {action} the table `{table}`: {message}")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// The table.
        table: String,
        /// The service's answer.
        message: String,
    },
    /// A table of that name has other keys or indexes.
    #[error("the table `{table}` exists with other keys: choose another name, or move the old data away")]
    Differs {
        /// The table.
        table: String,
    },
    /// It was created and did not become active in time.
    #[error("the table `{table}` was not ready after {waited:?}: try again")]
    NotReady {
        /// The table.
        table: String,
        /// How long was waited.
        waited: Duration,
    },
}

const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Creates the table if it is missing, turns its TTL on, and waits until it is usable. Any number
/// of callers may do so at once, any number of times.
///
/// # Errors
/// If the database refuses, or if a table of that name has other keys.
pub async fn ensure_table(client: &Client, spec: &TableSpec) -> Result<(), TableError> {
    create(client, spec).await?;
    wait_until_active(client, spec).await?;
    enable_ttl(client, spec).await
}

async fn create(client: &Client, spec: &TableSpec) -> Result<(), TableError> {
    let create = "create";
    let names = spec.keys.iter().chain(&spec.index_keys);
    let index = GlobalSecondaryIndex::builder()
        .index_name(&spec.index)
        .set_key_schema(Some(key_schema(&spec.index_keys).map_err(|error| refused(create, spec, error))?))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .map_err(|error| refused(create, spec, error))?;
    let created = client
        .create_table()
        .table_name(&spec.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(&spec.keys).map_err(|error| refused(create, spec, error))?))
        .set_attribute_definitions(Some(attributes(names).map_err(|error| refused(create, spec, error))?))
        .global_secondary_indexes(index)
        .send()
        .await;
    match created {
        Err(error) if error.code() != Some("ResourceInUseException") => Err(refused(create, spec, error)),
        _ => Ok(()),
    }
}

async fn wait_until_active(client: &Client, spec: &TableSpec) -> Result<(), TableError> {
    for _ in 0..LOOKS {
        let described = client.describe_table().table_name(&spec.name).send().await;
        let table = described.map_err(|error| refused("describe", spec, error))?.table;
        if let Some(table) = table {
            if !has_keys(&table, spec) {
                return Err(TableError::Differs { table: spec.name.clone() });
            }
            if is_active(&table) {
                return Ok(());
            }
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(TableError::NotReady { table: spec.name.clone(), waited: BETWEEN_LOOKS * LOOKS })
}

/// Asks first: DynamoDB refuses to enable what is enabled. For the same reason a refusal counts
/// only if nobody else enabled it in between.
async fn enable_ttl(client: &Client, spec: &TableSpec) -> Result<(), TableError> {
    if has_ttl(client, spec).await? {
        return Ok(());
    }
    let enable = "enable the TTL of";
    let wanted = TimeToLiveSpecification::builder().enabled(true).attribute_name(&spec.ttl).build();
    let wanted = wanted.map_err(|error| refused(enable, spec, error))?;
    let request = client.update_time_to_live().table_name(&spec.name).time_to_live_specification(wanted);
    match request.send().await {
        Err(error) if !has_ttl(client, spec).await? => Err(refused(enable, spec, error)),
        _ => Ok(()),
    }
}

async fn has_ttl(client: &Client, spec: &TableSpec) -> Result<bool, TableError> {
    let described = client.describe_time_to_live().table_name(&spec.name).send().await;
    let ttl = described.map_err(|error| refused("describe the TTL of", spec, error))?;
    Ok(ttl.time_to_live_description.is_some_and(|ttl| {
        matches!(ttl.time_to_live_status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
            && ttl.attribute_name.as_ref() == Some(&spec.ttl)
    }))
}

fn has_keys(table: &TableDescription, spec: &TableSpec) -> bool {
    let index = table.global_secondary_indexes().iter().find(|index| index.index_name() == Some(&spec.index));
    names(table.key_schema()) == spec.keys
        && index.is_some_and(|index| names(index.key_schema()) == spec.index_keys)
}

fn is_active(table: &TableDescription) -> bool {
    table.table_status == Some(TableStatus::Active)
        && table
            .global_secondary_indexes()
            .iter()
            .all(|index| index.index_status == Some(IndexStatus::Active))
}

/// Partition key first, as DynamoDB answers and demands.
fn names(schema: &[KeySchemaElement]) -> Vec<&str> {
    schema.iter().map(KeySchemaElement::attribute_name).collect()
}

fn key_schema(names: &[String; 2]) -> Result<Vec<KeySchemaElement>, BuildError> {
    let types = [KeyType::Hash, KeyType::Range];
    let element = |(name, key)| KeySchemaElement::builder().attribute_name(name).key_type(key).build();
    names.iter().zip(types).map(element).collect()
}

fn attributes<'a>(names: impl Iterator<Item = &'a String>) -> Result<Vec<AttributeDefinition>, BuildError> {
    let text = ScalarAttributeType::S;
    names
        .map(|name| AttributeDefinition::builder().attribute_name(name).attribute_type(text.clone()).build())
        .collect()
}

fn refused(action: &'static str, spec: &TableSpec, error: impl std::error::Error) -> TableError {
    TableError::Refused { action, table: spec.name.clone(), message: DisplayErrorContext(error).to_string() }
}
