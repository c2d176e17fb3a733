//! From an operation and its JSON to the engine and back. Blocks: run it off the async workers.

use crate::{operation::Operation, reply::Reply};
use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};

/// Runs one call to its end.
pub(crate) fn dispatch(db: &Database, operation: Operation, body: &[u8]) -> Reply {
    match answer(db, operation, body) {
        Ok(body) => Reply { status: 200, body },
        Err(error) => Reply { status: error.status_code(), body: error.to_json().into_bytes() },
    }
}

fn answer(db: &Database, operation: Operation, body: &[u8]) -> dynoxide::Result<Vec<u8>> {
    match operation {
        Operation::BatchGetItem => run(body, |request| db.batch_get_item(request)),
        Operation::BatchWriteItem => run(body, |request| db.batch_write_item(request)),
        Operation::CreateTable => run(body, |request| db.create_table(request)),
        Operation::DeleteItem => run(body, |request| db.delete_item(request)),
        Operation::DeleteTable => run(body, |request| db.delete_table(request)),
        Operation::DescribeTable => run(body, |request| db.describe_table(request)),
        Operation::DescribeTimeToLive => run(body, |request| db.describe_time_to_live(request)),
        Operation::GetItem => run(body, |request| db.get_item(request)),
        Operation::ListTables => run(body, |request| db.list_tables(request)),
        Operation::PutItem => run(body, |request| db.put_item(request)),
        Operation::Query => run(body, |request| db.query(request)),
        Operation::Scan => run(body, |request| db.scan(request)),
        Operation::TransactGetItems => run(body, |request| db.transact_get_items(request)),
        Operation::TransactWriteItems => run(body, |request| db.transact_write_items(request)),
        Operation::UpdateItem => run(body, |request| db.update_item(request)),
        Operation::UpdateTable => run(body, |request| db.update_table(request)),
        Operation::UpdateTimeToLive => run(body, |request| db.update_time_to_live(request)),
    }
}

fn run<Request: DeserializeOwned, Answer: Serialize>(
    body: &[u8],
    call: impl FnOnce(Request) -> dynoxide::Result<Answer>,
) -> dynoxide::Result<Vec<u8>> {
    let request = serde_json::from_slice(body).map_err(|error| misread(&error.to_string()))?;
    let answer = call(request)?;
    serde_json::to_vec(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// The engine's own readers mark what DynamoDB would call a validation error, as in
/// `VALIDATION:text at line 1 column 7`; anything else did not parse.
fn misread(message: &str) -> DynoxideError {
    let text = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    match text.split_once(':') {
        Some((marker, rest)) if marker.starts_with("VALIDATION") => {
            DynoxideError::ValidationException(rest.into())
        }
        Some((marker, rest)) if marker.starts_with("SERIALIZATION") => {
            DynoxideError::SerializationException(rest.into())
        }
        _ if ["missing field", "unknown variant"].iter().any(|start| text.starts_with(start)) => {
            DynoxideError::ValidationException(text.into())
        }
        _ => DynoxideError::SerializationException(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_request_is_the_callers_fault() {
        for (message, expected) in [
            ("VALIDATION:bad key at line 1 column 7", "ValidationException"),
            ("VALIDATION_REQUEST:bad key at line 1 column 7", "ValidationException"),
            ("SERIALIZATION:bad number at line 1 column 7", "SerializationException"),
            ("missing field `TableName` at line 1 column 2", "ValidationException"),
            ("expected value at line 1 column 1", "SerializationException"),
        ] {
            let error = misread(message);
            assert!(error.error_type().ends_with(expected), "{message}: {}", error.error_type());
            assert!(!error.to_string().contains("at line"), "{error}");
            assert!(!error.to_string().contains("VALIDATION"), "{error}");
        }
    }
}
