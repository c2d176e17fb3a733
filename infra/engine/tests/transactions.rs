//! What the store relies on across items: transactions, batches and the capacity they report.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod support;

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        ConditionCheck, ConsumedCapacity, Delete, KeysAndAttributes, Put, ReturnConsumedCapacity,
        ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update, WriteRequest,
    },
};
use support::{Item, TABLE, client, get, item, key, number, put, reasons, sort_keys, text};

fn putting(item: Item, condition: Option<&str>) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(TABLE)
        .set_item(Some(item))
        .set_condition_expression(condition.map(String::from))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .unwrap();
    TransactWriteItem::builder().put(put).build()
}

async fn write(
    client: &Client,
    token: Option<&str>,
    actions: &[TransactWriteItem],
) -> Result<Vec<ConsumedCapacity>, SdkError<TransactWriteItemsError>> {
    let answer = client
        .transact_write_items()
        .set_client_request_token(token.map(String::from))
        .set_transact_items(Some(actions.to_vec()))
        .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
        .send()
        .await?;
    Ok(answer.consumed_capacity.unwrap_or_default())
}

#[tokio::test]
async fn all_kinds_of_actions_happen_together() {
    let client = client().await;
    put(&client, item("S#1", "A#INC", [("ver", number(3))])).await;
    put(&client, key("S#1", "old")).await;
    let advance = Update::builder()
        .table_name(TABLE)
        .set_key(Some(key("S#1", "A#INC")))
        .update_expression("SET ver = ver + :one, #open = :id")
        .condition_expression("(attribute_not_exists(pk) OR ver = :v) AND attribute_not_exists(#open)")
        .expression_attribute_names("#open", "open")
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":id", text("I#1"))
        .expression_attribute_values(":v", number(3))
        .build()
        .unwrap();
    let remove = Delete::builder().table_name(TABLE).set_key(Some(key("S#1", "old"))).build().unwrap();
    let check = ConditionCheck::builder()
        .table_name(TABLE)
        .set_key(Some(key("S#1", "absent")))
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .unwrap();
    let actions = [
        TransactWriteItem::builder().update(advance).build(),
        putting(key("S#1", "I#1"), Some("attribute_not_exists(pk)")),
        TransactWriteItem::builder().delete(remove).build(),
        TransactWriteItem::builder().condition_check(check).build(),
    ];
    write(&client, None, &actions).await.unwrap();
    let pointer = get(&client, "S#1", "A#INC").await.unwrap();
    assert_eq!((&pointer["ver"], &pointer["open"]), (&number(4), &text("I#1")));
    assert!(get(&client, "S#1", "I#1").await.is_some() && get(&client, "S#1", "old").await.is_none());

    let error = write(&client, None, &actions).await.unwrap_err().into_service_error();
    let codes = reasons(error).into_iter().map(|reason| reason.code.unwrap()).collect::<Vec<_>>();
    assert_eq!(codes, ["ConditionalCheckFailed", "ConditionalCheckFailed", "None", "None"]);
    assert_eq!(get(&client, "S#1", "A#INC").await.unwrap(), pointer, "nothing of it happened");
}

#[tokio::test]
async fn a_cancelled_transaction_leaves_nothing_and_returns_what_was_there() {
    let client = client().await;
    let there = item("S#1", "M#2", [("own", text("other"))]);
    put(&client, there.clone()).await;
    let indexed = item("S#1", "M#1", [("g1p", text("open")), ("g1s", text("1"))]);
    let actions = [putting(indexed, None), putting(key("S#1", "M#2"), Some("attribute_not_exists(pk)"))];
    let error = write(&client, None, &actions).await.unwrap_err().into_service_error();
    let reasons = reasons(error);
    assert_eq!(reasons[0].code(), Some("None"));
    assert_eq!(reasons[1].item(), Some(&there));
    for index in [None, Some("gsi1".to_owned())] {
        let left = client.scan().table_name(TABLE).set_index_name(index.clone()).send().await.unwrap();
        let expected: &[&str] = if index.is_none() { &["M#2"] } else { &[] };
        assert_eq!(sort_keys(left.items()), expected, "{index:?}");
    }
}

#[tokio::test]
async fn a_token_makes_a_repeated_transaction_happen_once() {
    let client = client().await;
    let bump = |by| {
        let update = Update::builder()
            .table_name(TABLE)
            .set_key(Some(key("S#1", "A#INC")))
            .update_expression("ADD ver :by")
            .expression_attribute_values(":by", number(by))
            .build()
            .unwrap();
        [TransactWriteItem::builder().update(update).build()]
    };
    for (token, by, version) in [("a", 1, 1), ("a", 1, 1), ("b", 1, 2), ("a", 1, 2)] {
        write(&client, Some(token), &bump(by)).await.unwrap();
        assert_eq!(get(&client, "S#1", "A#INC").await.unwrap()["ver"], number(version), "{token}");
    }
    let error = write(&client, Some("a"), &bump(5)).await.unwrap_err().into_service_error();
    assert!(error.is_idempotent_parameter_mismatch_exception(), "{error:?}");
    assert_eq!(get(&client, "S#1", "A#INC").await.unwrap()["ver"], number(2));
}

#[tokio::test]
async fn two_actions_on_one_item_are_refused() {
    let actions = [putting(key("S#1", "M"), None), putting(key("S#1", "M"), None)];
    let error = write(&client().await, None, &actions).await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"), "{error:?}");
}

/// Table and index units of a put of so many bytes, into the index or not, as DynamoDB bills:
/// one unit per started kilobyte and copy.
#[tokio::test]
async fn a_put_reports_its_capacity() {
    let client = client().await;
    for (bytes, indexed, table, index) in [
        (100, false, 1.0, None),
        (1_500, false, 2.0, None),
        (100, true, 1.0, Some(1.0)),
        (3_000, true, 3.0, Some(3.0)),
    ] {
        let sk = format!("M#{bytes}#{indexed}");
        let mut item = item("S#1", &sk, [("log", text("x".repeat(bytes)))]);
        if indexed {
            item.extend([("g1p".to_owned(), text("open")), ("g1s".to_owned(), text("1"))]);
        }
        let answer = client
            .put_item()
            .table_name(TABLE)
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
            .await
            .unwrap();
        check_capacity(&sk, &answer.consumed_capacity.unwrap(), table, index);
    }
}

#[track_caller]
fn check_capacity(what: &str, used: &ConsumedCapacity, table: f64, index: Option<f64>) {
    assert_eq!(used.capacity_units, Some(table + index.unwrap_or_default()), "{what}: {used:?}");
    assert_eq!(used.table().and_then(|units| units.capacity_units), Some(table), "{what}: {used:?}");
    let seen = used.global_secondary_indexes().and_then(|all| all.get("gsi1"));
    assert_eq!(seen.and_then(|units| units.capacity_units), index, "{what}: {used:?}");
}

#[tokio::test]
async fn a_transaction_reports_twice_the_tables_capacity_and_a_replay_reads() {
    let client = client().await;
    let indexed = item("S#1", "A", [("g1p", text("open")), ("g1s", text("1"))]);
    let actions = [putting(indexed, None), putting(key("S#1", "B"), None)];
    let used = write(&client, Some("token"), &actions).await.unwrap();
    // The index is written after the transaction, so its part is not doubled.
    check_capacity("written", &used[0], 4.0, Some(1.0));
    let used = write(&client, Some("token"), &actions).await.unwrap();
    assert_eq!(used[0].read_capacity_units, Some(4.0), "{used:?}");
}

#[tokio::test]
async fn reads_report_their_capacity() {
    let client = client().await;
    for row in 0..10 {
        put(&client, item("S#1", &format!("M#{row}"), [("log", text("x".repeat(1_000)))])).await;
    }
    // Ten rows of some 1,010 bytes: 3 units of 4 kB, half of it when eventual.
    for (consistent, get_units, query_units) in [(true, 1.0, 3.0), (false, 0.5, 1.5)] {
        let one = client.get_item().table_name(TABLE).set_key(Some(key("S#1", "M#1")));
        let one = one.consistent_read(consistent).return_consumed_capacity(ReturnConsumedCapacity::Total);
        let one = one.send().await.unwrap().consumed_capacity.unwrap();
        assert_eq!(one.capacity_units, Some(get_units), "get, consistent: {consistent}");
        let all = client
            .query()
            .table_name(TABLE)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text("S#1"))
            .consistent_read(consistent)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let all = all.send().await.unwrap().consumed_capacity.unwrap();
        assert_eq!(all.capacity_units, Some(query_units), "query, consistent: {consistent}");
    }
}

#[tokio::test]
async fn a_batch_writes_and_reads_many() {
    let client = client().await;
    let puts = (0..25).map(|row| {
        let put = aws_sdk_dynamodb::types::PutRequest::builder()
            .set_item(Some(key("S#1", &format!("M#{row:02}"))))
            .build()
            .unwrap();
        WriteRequest::builder().put_request(put).build()
    });
    let written = client.batch_write_item().request_items(TABLE, puts.collect()).send().await.unwrap();
    assert!(written.unprocessed_items.unwrap_or_default().is_empty());
    let keys = (0..25).map(|row| key("S#1", &format!("M#{row:02}"))).collect();
    let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).build().unwrap();
    let found = client.batch_get_item().request_items(TABLE, wanted).send().await.unwrap();
    assert_eq!(found.responses.unwrap()[TABLE].len(), 25);
}

#[tokio::test]
async fn what_is_not_wired_says_so() {
    let error = client().await.list_backups().send().await.unwrap_err();
    assert_eq!(error.code(), Some("UnknownOperationException"));
    assert!(error.message().unwrap().contains("ListBackups"), "{error:?}");
}
