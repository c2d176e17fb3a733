//! What the tests share: folders that vanish, a table, and items in short notation.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]
#![allow(dead_code, reason = "each test binary uses some of it")]

use aws_sdk_dynamodb::{
    Client,
    operation::transact_write_items::TransactWriteItemsError,
    primitives::Blob,
    types::{AttributeValue, CancellationReason},
};
use hlsops_engine::{Durability, Engine, EngineConfig, TableSpec, ensure_table};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

pub(crate) const TABLE: &str = "hlsops";
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A new folder, removed at the end of the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hlsops-engine-{name}-{}-{nth}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Without waiting for the disk: what that is worth has a test of its own.
    pub(crate) fn config(&self) -> EngineConfig {
        EngineConfig { durability: Durability::Process, ..EngineConfig::new(self.path()) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An engine in memory with its table.
pub(crate) async fn engine() -> Engine {
    let engine = Engine::in_memory().unwrap();
    table(&engine.client()).await;
    engine
}

pub(crate) async fn client() -> Client {
    engine().await.client()
}

pub(crate) async fn table(client: &Client) {
    ensure_table(client, &TableSpec::new(TABLE)).await.unwrap();
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn binary(bytes: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// An item under a key, with more attributes.
pub(crate) fn item<const N: usize>(pk: &str, sk: &str, more: [(&str, AttributeValue); N]) -> Item {
    let mut item = key(pk, sk);
    item.extend(more.map(|(name, value)| (name.to_owned(), value)));
    item
}

pub(crate) fn key(pk: &str, sk: &str) -> Item {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

pub(crate) async fn put(client: &Client, item: Item) {
    client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
}

pub(crate) async fn get(client: &Client, pk: &str, sk: &str) -> Option<Item> {
    client.get_item().table_name(TABLE).set_key(Some(key(pk, sk))).send().await.unwrap().item
}

/// Sort keys of items, in order.
pub(crate) fn sort_keys(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item["sk"].as_s().unwrap().as_str()).collect()
}

/// The reasons of a cancelled transaction, one per action.
#[track_caller]
pub(crate) fn reasons(error: TransactWriteItemsError) -> Vec<CancellationReason> {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            cancelled.cancellation_reasons.unwrap_or_default()
        }
        other => panic!("not a cancelled transaction: {other:?}"),
    }
}
