//! What the store relies on, item by item: conditions, updates, values, queries. The engine
//! must say what DynamoDB says, through the SDK's types.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod support;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use std::collections::HashMap;
use support::{Item, TABLE, binary, client, get, item, key, number, put, sort_keys, text};

#[tokio::test]
async fn a_failed_condition_returns_the_item_that_was_there() {
    let client = client().await;
    let minute = item("S#1", "M#1", [("own", text("a")), ("rev", number(7))]);
    put(&client, minute.clone()).await;
    for (condition, passes) in [
        ("attribute_not_exists(pk)", false),
        ("own = :other", false),
        ("own = :me AND rev = :rev", true),
        ("attribute_not_exists(#open) OR #open < :rev", true),
        ("attribute_exists(pk) AND NOT rev > :rev", true),
    ] {
        let values = [(":me", text("a")), (":other", text("b")), (":rev", number(7))];
        let values = values.into_iter().filter(|(name, _)| condition.contains(name));
        let names = HashMap::from([("#open".to_owned(), "open".to_owned())]);
        let answer = client
            .put_item()
            .table_name(TABLE)
            .set_item(Some(minute.clone()))
            .condition_expression(condition)
            .set_expression_attribute_values(
                Some(values.map(|(name, value)| (name.to_owned(), value)).collect::<Item>())
                    .filter(|values| !values.is_empty()),
            )
            .set_expression_attribute_names(condition.contains("#open").then_some(names))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        assert_eq!(answer.is_ok(), passes, "{condition}: {answer:?}");
        if let Err(error) = answer {
            use aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException;
            let error = error.into_service_error();
            let ConditionalCheckFailedException(failed) = error else { panic!("{condition}: {error:?}") };
            assert_eq!(failed.item, Some(minute.clone()), "{condition}");
        }
    }
}

#[tokio::test]
async fn an_update_adds_sets_and_removes_under_a_condition() {
    for (update, condition, expected) in [
        ("ADD rev :one", None, Some([("rev", number(8)), ("own", text("a"))].to_vec())),
        ("ADD fresh :one", None, Some([("fresh", number(1)), ("rev", number(7))].to_vec())),
        (
            "SET own = :b, rev = rev + :one",
            Some("own = :a"),
            Some([("own", text("b")), ("rev", number(8))].to_vec()),
        ),
        ("SET own = if_not_exists(own, :b)", None, Some([("own", text("a"))].to_vec())),
        ("SET own = :b REMOVE rev", None, Some([("own", text("b"))].to_vec())),
        ("SET own = :b", Some("own = :b"), None),
        ("SET own = :b", Some("attribute_not_exists(pk)"), None),
    ] {
        let client = client().await;
        put(&client, item("S#1", "A#INC", [("own", text("a")), ("rev", number(7))])).await;
        let used = format!("{update} {}", condition.unwrap_or_default());
        let values = [(":one", number(1)), (":a", text("a")), (":b", text("b"))];
        let values = values.into_iter().filter(|(name, _)| used.contains(name));
        let answer = client
            .update_item()
            .table_name(TABLE)
            .set_key(Some(key("S#1", "A#INC")))
            .update_expression(update)
            .set_condition_expression(condition.map(String::from))
            .set_expression_attribute_values(Some(
                values.map(|(name, value)| (name.to_owned(), value)).collect(),
            ))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let Some(expected) = expected else {
            let error = answer.unwrap_err().into_service_error();
            assert!(error.is_conditional_check_failed_exception(), "{used}: {error:?}");
            continue;
        };
        let now = answer.unwrap().attributes.unwrap();
        for (name, value) in expected {
            assert_eq!(now[name], value, "{used}");
        }
        assert_eq!(now.contains_key("rev"), !update.contains("REMOVE rev"), "{used}");
    }
}

#[tokio::test]
async fn an_update_creates_an_item_and_its_old_values_can_be_asked_for() {
    let client = client().await;
    for expected in [None, Some(number(1))] {
        let answer = client
            .update_item()
            .table_name(TABLE)
            .set_key(Some(key("L#0", "L")))
            .update_expression("ADD epoch :one")
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedOld)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.attributes.and_then(|mut old| old.remove("epoch")), expected);
    }
}

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    let every_byte = (0..=u8::MAX).collect::<Vec<_>>();
    let values = [
        ("bytes", binary(every_byte)),
        ("no bytes", binary([])),
        ("large", binary(vec![0xA5; 300_000])),
        ("text", text("Grüße \u{1F4FA} \"quoted\" \\ \u{0}")),
        ("no text", text("")),
        ("number", number(i64::MIN)),
        ("digits", AttributeValue::N("0.12345678901234567890123456789012345678".into())),
        ("yes", AttributeValue::Bool(true)),
        ("null", AttributeValue::Null(true)),
        ("list", AttributeValue::L(vec![number(1), text("a"), AttributeValue::L(vec![])])),
        ("map", AttributeValue::M(HashMap::from([("inner".to_owned(), binary([1, 2]))]))),
        ("text set", AttributeValue::Ss(vec!["a".into(), "b".into()])),
    ];
    let client = client().await;
    for (name, value) in values {
        put(&client, item("S#1", name, [("v", value.clone())])).await;
        assert_eq!(get(&client, "S#1", name).await.unwrap()["v"], value, "{name}");
    }
}

#[tokio::test]
async fn reserved_names_need_a_placeholder() {
    let client = client().await;
    put(&client, item("S#1", "M", [("status", text("open")), ("size", number(1))])).await;
    for (update, works) in [("SET status = :v", false), ("SET #s = :v", true)] {
        let mut request = client
            .update_item()
            .table_name(TABLE)
            .set_key(Some(key("S#1", "M")))
            .update_expression(update)
            .expression_attribute_values(":v", text("closed"));
        if works {
            request = request.expression_attribute_names("#s", "status");
        }
        let answer = request.send().await;
        assert_eq!(answer.is_ok(), works, "{update}: {answer:?}");
    }
    let found = client
        .get_item()
        .table_name(TABLE)
        .set_key(Some(key("S#1", "M")))
        .projection_expression("#s, #size")
        .expression_attribute_names("#s", "status")
        .expression_attribute_names("#size", "size")
        .send()
        .await
        .unwrap();
    let expected = HashMap::from([("status".to_owned(), text("closed")), ("size".to_owned(), number(1))]);
    assert_eq!(found.item, Some(expected));
}

/// One partition with minutes 1 to 9 and some neighbours.
async fn minutes() -> Client {
    let client = client().await;
    for sk in ["A#CFG", "A#INC", "E#5", "I#2#1"] {
        put(&client, key("S#1", sk)).await;
    }
    for minute in 1..=9 {
        put(&client, item("S#1", &format!("M#{minute}"), [("n", number(minute))])).await;
        put(&client, key("S#2", &format!("M#{minute}"))).await;
    }
    client
}

#[tokio::test]
async fn a_query_reads_a_range_in_either_direction() {
    let client = minutes().await;
    for (condition, values, forward, limit, expected) in [
        ("begins_with(sk, :a)", vec!["A#"], true, None, "A#CFG A#INC"),
        ("sk BETWEEN :a AND :b", vec!["M#3", "M#5"], true, None, "M#3 M#4 M#5"),
        ("sk BETWEEN :a AND :b", vec!["M#3", "M#5"], false, None, "M#5 M#4 M#3"),
        ("begins_with(sk, :a)", vec!["M#"], false, Some(1), "M#9"),
        ("begins_with(sk, :a)", vec!["M#"], true, Some(2), "M#1 M#2"),
        ("sk > :a", vec!["M#7"], true, None, "M#8 M#9"),
        ("sk <= :a", vec!["A#INC"], true, None, "A#CFG A#INC"),
        ("sk = :a", vec!["E#5"], true, None, "E#5"),
        ("begins_with(sk, :a)", vec!["Z"], true, None, ""),
    ] {
        let mut query = client
            .query()
            .table_name(TABLE)
            .key_condition_expression(format!("pk = :pk AND {condition}"))
            .expression_attribute_values(":pk", text("S#1"))
            .scan_index_forward(forward)
            .set_limit(limit);
        for (name, value) in [":a", ":b"].into_iter().zip(values) {
            query = query.expression_attribute_values(name, text(value));
        }
        let found = query.send().await.unwrap();
        assert_eq!(sort_keys(found.items()).join(" "), expected, "{condition} {forward} {limit:?}");
    }
}

#[tokio::test]
async fn pages_cover_everything_once() {
    let client = minutes().await;
    for (forward, filter, pages, expected) in [
        (true, None, 3, (1..=9).map(|minute| format!("M#{minute}")).collect::<Vec<_>>()),
        (false, None, 3, (1..=9).rev().map(|minute| format!("M#{minute}")).collect()),
        // The limit counts what is read, not what passes the filter.
        (true, Some("n > :n"), 3, vec!["M#8".to_owned(), "M#9".to_owned()]),
    ] {
        let (mut seen, mut start, mut asked) = (Vec::new(), None, 0);
        loop {
            let mut query = client
                .query()
                .table_name(TABLE)
                .key_condition_expression("pk = :pk AND begins_with(sk, :m)")
                .expression_attribute_values(":pk", text("S#1"))
                .expression_attribute_values(":m", text("M#"))
                .scan_index_forward(forward)
                .limit(4)
                .set_exclusive_start_key(start);
            if let Some(filter) = filter {
                query = query.filter_expression(filter).expression_attribute_values(":n", number(7));
            }
            let page = query.send().await.unwrap();
            asked += 1;
            seen.extend(sort_keys(page.items()).into_iter().map(String::from));
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        assert_eq!((seen, asked), (expected, pages));
    }
}

#[tokio::test]
async fn the_index_holds_only_items_with_its_keys() {
    let client = client().await;
    put(&client, key("S#1", "none")).await;
    put(&client, item("S#1", "half", [("g1p", text("open"))])).await;
    put(&client, item("S#1", "two", [("g1p", text("open")), ("g1s", text("2")), ("v", number(2))])).await;
    put(&client, item("S#2", "one", [("g1p", text("open")), ("g1s", text("1"))])).await;
    assert_eq!(open(&client).await, ["one", "two"]);

    // Taken out by removing its key, as a sent alert is; in again by a put.
    client
        .update_item()
        .table_name(TABLE)
        .set_key(Some(key("S#1", "two")))
        .update_expression("REMOVE g1p")
        .send()
        .await
        .unwrap();
    assert_eq!(open(&client).await, ["one"]);
    put(&client, item("S#1", "none", [("g1p", text("open")), ("g1s", text("0"))])).await;
    assert_eq!(open(&client).await, ["none", "one"]);
    client.delete_item().table_name(TABLE).set_key(Some(key("S#2", "one"))).send().await.unwrap();
    assert_eq!(open(&client).await, ["none"]);
}

async fn open(client: &Client) -> Vec<String> {
    let found = client
        .query()
        .table_name(TABLE)
        .index_name("gsi1")
        .key_condition_expression("g1p = :open")
        .expression_attribute_values(":open", text("open"))
        .send()
        .await
        .unwrap();
    sort_keys(found.items()).into_iter().map(String::from).collect()
}

#[tokio::test]
async fn an_item_has_at_most_400_kilobytes_and_a_page_one_megabyte() {
    let client = client().await;
    for (bytes, fits) in [(390_000, true), (410_000, false)] {
        let large = item("S#1", "large", [("v", binary(vec![1; bytes]))]);
        let answer = client.put_item().table_name(TABLE).set_item(Some(large)).send().await;
        assert_eq!(answer.is_ok(), fits, "{bytes}: {:?}", answer.err());
    }
    for row in 0..3 {
        put(&client, item("S#1", &format!("M#{row}"), [("v", binary(vec![1; 380_000]))])).await;
    }
    let page = client
        .query()
        .table_name(TABLE)
        .key_condition_expression("pk = :pk AND begins_with(sk, :m)")
        .expression_attribute_values(":pk", text("S#1"))
        .expression_attribute_values(":m", text("M#"))
        .send()
        .await
        .unwrap();
    assert_eq!(sort_keys(page.items()), ["M#0", "M#1"], "without the row that crosses the bound");
    assert!(page.last_evaluated_key.is_some());
}
