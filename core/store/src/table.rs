//! Creating the table where no template does it.

use std::time::Duration;

use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TableDescription, TableStatus, TimeToLiveSpecification,
    TimeToLiveStatus,
};

use crate::Store;
use crate::error::StoreError;
use crate::keys::attribute::{G1P, G1S, INDEX, PK, SK, TTL};

const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

impl Store {
    /// Creates the table if it is missing, switches its expiry on, and waits until it is usable.
    ///
    /// Any number of callers may do so at once and any number of times.
    ///
    /// # Errors
    /// If the database refuses, or a table of that name has other keys.
    pub async fn ensure_table(&self) -> Result<(), StoreError> {
        self.create().await?;
        self.wait_until_active().await?;
        self.enable_ttl().await
    }

    async fn create(&self) -> Result<(), StoreError> {
        let refuse = |error: BuildError| refused("CreateTable", "incomplete", &error);
        let index = GlobalSecondaryIndex::builder()
            .index_name(INDEX)
            .set_key_schema(Some(schema(G1P, G1S).map_err(refuse)?))
            .projection(Projection::builder().projection_type(ProjectionType::All).build())
            .build()
            .map_err(refuse)?;
        let names = [PK, SK, G1P, G1S].map(|name| {
            let definition = AttributeDefinition::builder().attribute_name(name);
            definition.attribute_type(ScalarAttributeType::S).build()
        });
        let created = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .set_key_schema(Some(schema(PK, SK).map_err(refuse)?))
            .set_attribute_definitions(Some(names.into_iter().collect::<Result<_, _>>().map_err(refuse)?))
            .global_secondary_indexes(index)
            .send()
            .await;
        match created {
            Err(error) if error.code() != Some("ResourceInUseException") => {
                Err(refused("CreateTable", error.code().unwrap_or("no code"), &error))
            }
            _ => Ok(()),
        }
    }

    async fn wait_until_active(&self) -> Result<(), StoreError> {
        let operation = "DescribeTable";
        for _ in 0..LOOKS {
            let described = self.client.describe_table().table_name(&self.table).send().await;
            let described =
                described.map_err(|error| refused(operation, error.code().unwrap_or("no code"), &error))?;
            let Some(table) = described.table else { continue };
            if !fits(&table) {
                return Err(StoreError::Refused {
                    operation,
                    code: "other keys".into(),
                    reason: format!("the table `{}` is another program's: choose another name", self.table),
                });
            }
            if table.table_status == Some(TableStatus::Active) {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        let reason = format!("the table `{}` is not ready yet", self.table);
        Err(StoreError::Unanswered { operation, attempts: LOOKS, reason })
    }

    /// Asks first, because enabling what is enabled is refused; a refusal counts only if nobody else has
    /// enabled it in between.
    async fn enable_ttl(&self) -> Result<(), StoreError> {
        if self.has_ttl().await? {
            return Ok(());
        }
        let operation = "UpdateTimeToLive";
        let wanted = TimeToLiveSpecification::builder().enabled(true).attribute_name(TTL).build();
        let wanted = wanted.map_err(|error| refused(operation, "incomplete", &error))?;
        let update = self.client.update_time_to_live().table_name(&self.table);
        match update.time_to_live_specification(wanted).send().await {
            Err(error) if !self.has_ttl().await? => {
                Err(refused(operation, error.code().unwrap_or("no code"), &error))
            }
            _ => Ok(()),
        }
    }

    async fn has_ttl(&self) -> Result<bool, StoreError> {
        let described = self.client.describe_time_to_live().table_name(&self.table).send().await;
        let described = described
            .map_err(|error| refused("DescribeTimeToLive", error.code().unwrap_or("no code"), &error))?;
        Ok(described.time_to_live_description.is_some_and(|ttl| {
            matches!(ttl.time_to_live_status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
                && ttl.attribute_name.as_deref() == Some(TTL)
        }))
    }
}

fn schema(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |name, key| KeySchemaElement::builder().attribute_name(name).key_type(key).build();
    Ok(vec![element(partition, KeyType::Hash)?, element(sort, KeyType::Range)?])
}

fn fits(table: &TableDescription) -> bool {
    let named = |schema: &[KeySchemaElement], names: [&str; 2]| {
        schema.iter().map(KeySchemaElement::attribute_name).eq(names)
    };
    named(table.key_schema(), [PK, SK])
        && table
            .global_secondary_indexes()
            .iter()
            .any(|index| index.index_name() == Some(INDEX) && named(index.key_schema(), [G1P, G1S]))
}

fn refused(operation: &'static str, code: &str, error: &(dyn std::error::Error + 'static)) -> StoreError {
    StoreError::Refused { operation, code: code.into(), reason: DisplayErrorContext(error).to_string() }
}
