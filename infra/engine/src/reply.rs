//! Replies in DynamoDB's JSON protocol, as the SDK reads them.

use crate::operation::Operation;
use aws_smithy_runtime_api::{
    client::{orchestrator::HttpResponse, result::ConnectorError},
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// A status and a JSON body.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// A modelled error of DynamoDB.
    pub(crate) fn error(status: u16, kind: &str, message: &str) -> Self {
        Self::failed(status, kind, json!({ "message": message }))
    }

    /// A transaction that did not happen, with the same reason for each of its actions.
    pub(crate) fn cancelled(code: &str, message: &str, actions: usize) -> Self {
        let reason = json!({ "Code": code, "Message": message });
        let text = format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]: {message}",
            vec![code; actions].join(", ")
        );
        let fields = json!({ "Message": text, "CancellationReasons": vec![reason; actions] });
        Self::failed(400, "TransactionCanceledException", fields)
    }

    fn failed(status: u16, kind: &str, mut fields: Value) -> Self {
        fields["__type"] = json!(format!("com.amazonaws.dynamodb.v20120810#{kind}"));
        Self { status, body: fields.to_string().into_bytes() }
    }

    /// The form the SDK takes it in.
    pub(crate) fn into_response(self) -> Result<HttpResponse, ConnectorError> {
        let status =
            StatusCode::try_from(self.status).map_err(|error| ConnectorError::other(error.into(), None))?;
        let mut response = HttpResponse::new(status, SdkBody::from(self.body));
        response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
        Ok(response)
    }
}

/// Whether a request could make the data grow, and how many actions it has. Reads the body.
pub(crate) struct Actions {
    /// Actions of a transaction or requests of a batch; 1 for everything else.
    pub(crate) count: usize,
    /// At least one of them puts or updates.
    pub(crate) grows: bool,
}

impl Actions {
    /// Looks into the body of a batch or a transaction.
    pub(crate) fn of(operation: Operation, body: &[u8]) -> Self {
        let parsed = || serde_json::from_slice::<Value>(body).unwrap_or_default();
        match operation {
            Operation::PutItem | Operation::UpdateItem | Operation::UpdateTable => {
                Self { count: 1, grows: true }
            }
            Operation::BatchWriteItem => {
                let parsed = parsed();
                let tables =
                    parsed["RequestItems"].as_object().into_iter().flat_map(|tables| tables.values());
                Self::count(tables.filter_map(Value::as_array).flatten())
            }
            Operation::TransactWriteItems => {
                Self::count(parsed()["TransactItems"].as_array().into_iter().flatten())
            }
            _ => Self { count: 1, grows: false },
        }
    }

    fn count<'a>(actions: impl Iterator<Item = &'a Value>) -> Self {
        const GROWING: [&str; 3] = ["Put", "Update", "PutRequest"];
        actions.fold(Self { count: 0, grows: false }, |sum, action| Self {
            count: sum.count + 1,
            grows: sum.grows || GROWING.iter().any(|name| action.get(name).is_some()),
        })
    }
}
