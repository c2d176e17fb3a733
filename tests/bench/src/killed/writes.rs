//! Writes through the API, and which of them were answered.

use std::collections::{BTreeMap, BTreeSet};

use hlsops_origin::Origin;
use reqwest::Method;
use serde_json::{Value, json};

use super::life::Life;
use crate::BenchError;

/// What was asked and what was answered.
#[derive(Debug, Default)]
pub(super) struct Writes {
    asked: u64,
    /// Streams that were answered as added: name by id.
    pub(super) added: BTreeMap<String, String>,
    /// Incidents that were answered as acknowledged.
    pub(super) acknowledged: BTreeSet<String>,
}

impl Writes {
    /// Adds the origin's streams, watched; their ids by the origin's names.
    pub(super) async fn add_watched(
        &mut self,
        life: &Life,
        names: &[String],
        origin: &Origin,
    ) -> Result<BTreeMap<String, String>, BenchError> {
        let mut ids = BTreeMap::new();
        for name in names {
            let body = json!({"manifest_url": origin.url(name), "name": name});
            let id = self.add(life, name, &body).await.ok_or(BenchError::NoFigures { role: "adding" })?;
            ids.insert(name.clone(), id);
        }
        Ok(ids)
    }

    /// Adds a stream that is not watched, and acknowledges what is open, now and then. What is not answered may
    /// have been done or not.
    pub(super) async fn some(&mut self, life: &Life) {
        self.asked += 1;
        if self.asked.is_multiple_of(8) {
            self.acknowledge(life).await;
            return;
        }
        let name = format!("write-{}", self.asked);
        let body = json!({"manifest_url": "https://example.com/a.m3u8", "name": name, "enabled": false});
        self.add(life, &name, &body).await;
    }

    async fn add(&mut self, life: &Life, name: &str, body: &Value) -> Option<String> {
        let (status, answer) = life.ask(Method::POST, "streams", body).await?;
        let id = answer.get("id").and_then(Value::as_str).filter(|_| status.is_success())?;
        self.added.insert(id.to_owned(), name.to_owned());
        Some(id.to_owned())
    }

    async fn acknowledge(&mut self, life: &Life) {
        let open = life.ask(Method::GET, "incidents?status=open", &Value::Null).await;
        let items = open.and_then(|(_, page)| page.get("items").and_then(Value::as_array).cloned());
        for id in items.iter().flatten().filter_map(|item| item.get("id").and_then(Value::as_str)) {
            let path = format!("incidents/{id}/acknowledge");
            let answer = life.ask(Method::POST, &path, &json!({"by": "night shift"})).await;
            // An incident that was resolved meanwhile cannot be taken, and is refused.
            if answer.is_some_and(|(status, _)| status.is_success()) {
                self.acknowledged.insert(id.to_owned());
            }
        }
    }
}
