use hlsops_wire::{StreamCreate, StreamPatch};
use http::HeaderValue;

use super::*;

#[track_caller]
fn check_body(json: &str, pointer: &str, code: &str) {
    let item = body::read::<StreamCreate>(json.as_bytes()).unwrap_err().remove(0);
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
    check_body(r#"{"name":"x"}"#, "/manifest_url", "missing");
    check_body(
        r#"{"manifest_url":"u","request_headers":[{"name":"a"}]}"#,
        "/request_headers/0/value",
        "missing",
    );
    check_body(r#"{"manifest_url":"u","manifest_url":"v"}"#, "/manifest_url", "invalid");
    check_body("{", "", "invalid");
    check_body(r#"{"manifest_url":"u"} x"#, "", "invalid");
}

#[track_caller]
fn check_words(json: &str, expected: &str) {
    let item = body::read::<StreamCreate>(json.as_bytes()).unwrap_err().remove(0);
    let (pointer, detail) = (item.pointer, item.detail);
    assert_eq!(format!("{pointer} {detail}").trim_start(), expected, "{json}");
}

#[test]
fn what_is_wrong_with_a_body_is_said_in_plain_words() {
    check_words("{}", "/manifest_url is missing, and is required: add it");
    check_words(r#"{"manifest_url":5}"#, "/manifest_url is 5, and must be a text in double quotes");
    check_words(r#"{"manifest_url":null}"#, "/manifest_url is null, and must be a text in double quotes");
    check_words(
        r#"{"enabled":"yes"}"#,
        r#"/enabled is the text "yes", and must be true or false, without quotes"#,
    );
    check_words(r#"{"tags":[]}"#, "/tags is a list, and must be an object in { }");
    check_words(r#"{"request_headers":{}}"#, "/request_headers is an object, and must be a list in [ ]");
    check_words(
        r#"{"thresholds":{"window_ms":"1"}}"#,
        r#"/thresholds/window_ms is the text "1", and must be a number, without quotes"#,
    );
    for (value, given) in [("-1", "-1"), ("1.5", "1.5"), (r#""30""#, r#"the text "30""#)] {
        let expected =
            format!("/watch/interval_s is {given}, and must be a whole number of 0 or more, without quotes");
        check_words(&format!(r#"{{"watch":{{"interval_s":{value}}}}}"#), &expected);
    }
    check_words(
        r#"{"watch":{"mode":"always"}}"#,
        r#"/watch/mode "always" is not known here: use "continuous" or "interval""#,
    );
    check_words(
        r#"{"watch":{"evry":1}}"#,
        "/watch/evry there is no such field here: correct its name or leave it out; known: mode, interval_s, segments",
    );
    check_words(r#"{"watch":["x",1]}"#, r#"/watch/0 "x" is not known here: use "continuous" or "interval""#);
    check_words("[]", "the body is a list, and must be an object in { }");
    check_words("5", "the body is 5, and must be an object in { }");
    let not_json =
        |column: u32, what: &str| format!("the body is not valid JSON at line 1, column {column}: {what}");
    check_words("{", &not_json(1, "it ends too early; send the whole of it"));
    check_words(r#"{"manifest_url": 5, "nam":"#, &not_json(26, "it ends too early; send the whole of it"));
    check_words("{name}", &not_json(2, "the name of a field must be in double quotes"));
    check_words(r#"{"name":x}"#, &not_json(9, "a value is missing, or a text is not in double quotes"));
    check_words(r#"{"name":"x",}"#, &not_json(13, "there is a comma too many"));
    check_words(r#"{"manifest_url":"u"} x"#, &not_json(22, "something stands behind its end; remove that"));
}

#[track_caller]
fn check_all(json: &str, pointers: &[&str]) {
    let items = body::read::<StreamCreate>(json.as_bytes()).unwrap_err();
    assert_eq!(items.iter().map(|item| item.pointer.as_str()).collect::<Vec<_>>(), pointers, "{json}");
}

#[test]
fn all_that_is_wrong_with_a_body_is_told_at_once() {
    check_all(
        r#"{"nmae":"x","enabled":"yes","watch":{"mode":"now","interval_s":"1","x":1},"thresholds":{"a":"1","b":2}}"#,
        &[
            "/nmae",
            "/enabled",
            "/thresholds/a",
            "/watch/interval_s",
            "/watch/mode",
            "/watch/x",
            "/manifest_url",
        ],
    );
    check_all(
        r#"{"manifest_url":5,"request_headers":[1,{"name":"a","value":2},{"value":"b"}],"tags":{"a":1,"b":"c"}}"#,
        &[
            "/manifest_url",
            "/request_headers/0",
            "/request_headers/1/value",
            "/request_headers/2/name",
            "/tags/a",
        ],
    );
    check_all(r#"{"manifest_url":"u","manifest_url":"v","enabled":1}"#, &["/manifest_url", "/enabled"]);
    check_all("[]", &[""]);
    let many: Vec<_> = (0..99).map(|n| format!("\"x{n:02}\":1")).collect();
    let items = body::read::<StreamCreate>(format!("{{{}}}", many.join(",")).as_bytes()).unwrap_err();
    assert_eq!(items.len(), 20, "it has a bound");
}

#[test]
fn null_takes_away_and_absence_leaves() {
    let read = |json: &str| body::read::<StreamPatch>(json.as_bytes()).unwrap().link_id;
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
    let matching = |value| if_match(&headers(header::IF_MATCH, value), "r3.ab").unwrap();
    for same in ["*", "\"r3.ab\"", "\"r3.ab-0123456789abcdef\"", "\"r2.ab\", \"r3.ab\""] {
        assert!(matching(same), "{same}");
    }
    for other in [
        "\"r3\"",
        "\"r3.abc\"",
        "\"r3.ab-\"",
        "\"r3.ab-0123\"",
        "\"r3.ab-0123456789abcdeg\"",
        "r3.ab",
        "\"x\"",
        "",
    ] {
        assert!(!matching(other), "{other}");
    }
    assert!(if_match(&HeaderMap::new(), "r3.ab").is_err());
    let none = |value| none_match(&headers(header::IF_NONE_MATCH, value), "\"a\"");
    assert!(none("\"a\"") && none("\"b\", W/\"a\"") && none("*"));
    assert!(!none("\"b\"") && !none("a"));
}
