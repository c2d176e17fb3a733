//! The one line an invocation logs: what it did, which CloudWatch reads as metrics (embedded metric format).

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::{SystemTime, UNIX_EPOCH};

use hlsops_store::Spent;
use serde_json::{Map, Value, json};

use super::config::Role;

/// A log line under construction; shown as JSON.
#[derive(Clone, Debug)]
pub struct Line {
    role: Role,
    deployment: String,
    request_id: String,
    metrics: BTreeMap<&'static str, f64>,
    fields: Map<String, Value>,
}

impl Line {
    pub(super) fn new(role: Role, deployment: &str, request_id: &str) -> Self {
        Self {
            role,
            deployment: deployment.into(),
            request_id: request_id.into(),
            metrics: BTreeMap::new(),
            fields: Map::new(),
        }
    }

    /// Adds to a metric.
    pub(super) fn count(&mut self, name: &'static str, by: u64) {
        #[expect(clippy::cast_precision_loss, reason = "counts of one invocation are far below 2^52")]
        let by = by as f64;
        *self.metrics.entry(name).or_default() += by;
    }

    /// States a metric.
    pub(super) fn measure(&mut self, name: &'static str, value: f64) {
        self.metrics.insert(name, value);
    }

    /// What the table charged.
    pub(super) fn spent(&mut self, spent: Spent) {
        self.measure("ReadUnits", spent.read_units);
        self.measure("WriteUnits", spent.write_units);
    }

    /// Something to read, and no metric.
    pub(super) fn say(&mut self, name: &str, value: Value) {
        self.fields.insert(name.into(), value);
    }

    pub(super) fn failed(&mut self, error: &dyn Display) {
        self.count("Failures", 1);
        self.say("error", error.to_string().into());
    }

    /// A metric's value; none if nothing was counted.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.get(name).copied()
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let names: Vec<Value> =
            self.metrics.keys().map(|name| json!({ "Name": name, "Unit": unit(name) })).collect();
        let mut line = self.fields.clone();
        line.insert(
            "_aws".into(),
            json!({
                "Timestamp": u64::try_from(now.as_millis()).unwrap_or_default(),
                "CloudWatchMetrics": [
                    { "Namespace": "HLSOps", "Dimensions": [["Deployment"]], "Metrics": names }
                ],
            }),
        );
        line.insert("Deployment".into(), self.deployment.clone().into());
        line.insert("role".into(), self.role.name().into());
        line.insert("request_id".into(), self.request_id.clone().into());
        line.extend(self.metrics.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        write!(f, "{}", Value::Object(line))
    }
}

/// A metric that is no count says so at the end of its name.
fn unit(name: &str) -> &'static str {
    if name.ends_with("Seconds") { "Seconds" } else { "Count" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_declared_and_has_its_value() {
        let mut line = Line::new(Role::Dispatch, "prod", "r-1");
        line.count("Heartbeat", 1);
        line.count("WorkSent", 2);
        line.count("WorkSent", 1);
        line.spent(Spent { read_units: 1.5, write_units: 2.0 });
        line.measure("OutboxAgeSeconds", 0.5);
        line.say("shards", 4.into());
        line.failed(&"no table");
        let text = line.to_string();
        assert!(!text.contains('\n'));
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let declared = &read["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(declared["Dimensions"], json!([["Deployment"]]));
        let names: Vec<&str> =
            declared["Metrics"].as_array().expect("list").iter().filter_map(|m| m["Name"].as_str()).collect();
        assert_eq!(
            names,
            ["Failures", "Heartbeat", "OutboxAgeSeconds", "ReadUnits", "WorkSent", "WriteUnits"]
        );
        assert_eq!(declared["Metrics"][2]["Unit"], json!("Seconds"));
        assert!(names.iter().all(|name| read[name].is_number()));
        assert_eq!((&read["WorkSent"], &read["shards"]), (&json!(3.0), &json!(4)));
        assert_eq!((&read["Deployment"], &read["error"]), (&json!("prod"), &json!("no table")));
    }
}
