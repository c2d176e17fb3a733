//! `docs/webhooks.md` says what is sent.

use hlsops_notify::event::Event;
use hlsops_notify::signatures;
use hlsops_store::Secret;
use serde_json::Value;

use crate::support::SECRET;

const PAGE: &str = include_str!("../../../../docs/webhooks.md");

/// What stands on the page between `begin` and `end`.
#[track_caller]
fn between(begin: &str, end: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(begin).unwrap_or_else(|| panic!("{begin} is not on the page"));
    rest.split_once(end).unwrap().0
}

#[test]
fn the_example_is_an_event_as_it_is_sent_and_signed() {
    let example = between("```json\n", "```");
    let event = Event::read(example).unwrap();
    let body = event.to_json();
    let shown: Value = serde_json::from_str(example).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), shown, "nothing is shown that is not sent");
    let header = |name: &str| between(&format!("\n{name}: "), "\n");
    let (id, at_s) = (header("webhook-id"), header("webhook-timestamp").parse().unwrap());
    assert_eq!(id, format!("{}.{}", event.data.alert_id.unwrap(), event.data.seq.unwrap()));
    let signed = signatures(&[Secret::new(SECRET)], id, at_s, &body).unwrap();
    assert_eq!(header("webhook-signature"), signed);
    assert!(PAGE.contains(&format!("the secret `{SECRET}`")));
}
