use hlsops_wire::{StreamCreate, StreamPatch};
use http::HeaderValue;

use super::*;

#[track_caller]
fn check_body(json: &str, pointer: &str, code: &str) {
    let item = read_json::<StreamCreate>(json.as_bytes()).unwrap_err();
    assert_eq!((item.pointer.as_str(), item.code.as_str()), (pointer, code), "{json}: {}", item.detail);
}

#[test]
fn what_is_wrong_with_a_body_is_named_by_a_pointer() {
    check_body(r#"{"manifest_url":"u","nmae":"x"}"#, "/nmae", "unknown");
    check_body(r#"{"manifest_url":"u","watch":{"mdoe":"x"}}"#, "/watch/mdoe", "unknown");
    check_body(
        r#"{"manifest_url":"u","request_headers":[{"name":"a","value":1}]}"#,
        "/request_headers/0/value",
        "invalid",
    );
    check_body(r#"{"manifest_url":"u","thresholds":{"a/b~":"x"}}"#, "/thresholds/a~1b~0", "invalid");
    check_body(r#"{"name":"x"}"#, "", "missing");
    check_body("{", "", "invalid");
    check_body(r#"{"manifest_url":"u"} x"#, "", "invalid");
}

#[test]
fn null_takes_away_and_absence_leaves() {
    let read = |json: &str| read_json::<StreamPatch>(json.as_bytes()).unwrap().link_id;
    assert_eq!(read("{}"), None);
    assert_eq!(read(r#"{"link_id":null}"#), Some(None));
    assert_eq!(read(r#"{"link_id":"a"}"#), Some(Some("a".into())));
}

#[track_caller]
fn check_query(query: &str, expected: Result<(), &str>) {
    let result = Query::parse(query).unwrap().only(&["limit", "from"], &["status"]).and_then(|query| {
        query.number("limit", 1..=500, 100)?;
        query.time("from")?;
        query.words("status", &[("open", 1), ("resolved", 2)])
    });
    match (result, expected) {
        (Ok(_), Ok(())) => {}
        (Err(error), Err(detail)) => assert!(format!("{error:?}").contains(detail), "{query}: {error:?}"),
        (got, _) => panic!("{query}: {got:?}"),
    }
}

#[test]
fn query_parameters_are_checked_by_name_and_range() {
    check_query("", Ok(()));
    check_query("limit=500&status=open&status=resolved&from=2026-11-22T03%3A30%3A00Z", Ok(()));
    check_query("status=open,resolved", Ok(()));
    check_query("limt=5", Err("?limt"));
    check_query("limit=5&limit=6", Err("more than once"));
    check_query("limit=0", Err("from 1 to 500"));
    check_query("limit=x", Err("from 1 to 500"));
    check_query("from=yesterday", Err("?from"));
    check_query("status=opne", Err("none of open, resolved"));
    assert!(Query::parse(&"a=b&".repeat(65)).is_err());
}

#[test]
fn tags_are_compared() {
    let headers = |name: header::HeaderName, value: &'static str| {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    };
    let matching = |value| if_match(&headers(header::IF_MATCH, value)).ok();
    assert_eq!(matching("*"), Some(None));
    assert_eq!(matching("\"r12-00ff\""), Some(Some(12)));
    assert_eq!(matching("\"r3\""), Some(Some(3)));
    assert_eq!(matching("\"x\""), None);
    assert!(if_match(&HeaderMap::new()).is_err());
    let none = |value| none_match(&headers(header::IF_NONE_MATCH, value), "\"a\"");
    assert!(none("\"a\"") && none("\"b\", W/\"a\"") && none("*"));
    assert!(!none("\"b\"") && !none("a"));
}
