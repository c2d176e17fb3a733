//! Webhooks over HTTP.

use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_notify::{Sender, Swept, send_test, signatures};
use hlsops_store::{Channel, Delivery, Format, Secret, Store};

use crate::support::{BODY, NOW, Receiver, SECRET, Table, channel, event, webhooks};

async fn save(store: &Store, channel: &Channel) {
    let _ = store.save_channel(channel).await.unwrap();
}

/// Newest first.
async fn deliveries(store: &Store) -> Vec<Delivery> {
    store.deliveries("default", None, 100).await.unwrap().value.0
}

#[tokio::test]
async fn a_failing_receiver_gets_the_same_event_again_until_it_takes_it() {
    let table = Table::new().await;
    let receiver = Receiver::start(&["500 X\r\n", "500 X\r\n", "503 X\r\nRetry-After: 600\r\n"]).await;
    save(&table.store, &channel("chn_1", &receiver.url())).await;
    event(&table.store, "inc:1", 1, "incident.opened", NOW).await;
    let sender = Sender::new(table.store.clone(), webhooks(&[&receiver]));
    let mut sums = Vec::new();
    for after_s in [0, 3, 10, 40, 300, 700, 3_000] {
        let swept = sender.sweep(NOW + Duration::from_secs(after_s)).await.unwrap();
        sums.push((swept.delivered, swept.failed));
    }
    assert_eq!(sums, [(0, 1), (0, 0), (0, 1), (0, 1), (0, 0), (1, 0), (0, 0)], "each in its time");
    let got = receiver.got();
    assert_eq!(got.len(), 4);
    let mut stamps = Vec::new();
    for request in &got {
        assert_eq!(request.header("webhook-id"), "inc:1.1");
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("x-team"), "sports");
        assert_eq!(request.body, BODY);
        let at_s: u64 = request.header("webhook-timestamp").parse().unwrap();
        let signed = signatures(&[Secret::new(SECRET)], "inc:1.1", at_s, &request.body).unwrap();
        assert_eq!(request.header("webhook-signature"), signed);
        stamps.push(at_s - NOW.0 / 1_000);
    }
    assert_eq!(stamps, [0, 10, 40, 700], "each attempt has its own time");
    let noted = deliveries(&table.store).await;
    let statuses: Vec<_> = noted.iter().map(|delivery| (delivery.attempt, delivery.status)).collect();
    assert_eq!(statuses, [(4, Some(200)), (3, Some(503)), (2, Some(500)), (1, Some(500))]);
    assert_eq!(noted[0].answer, "said the receiver");
    assert_eq!(noted[1].error.as_deref(), Some("the receiver answered 503"));
    assert!(table.store.notice("inc:1", 1).await.unwrap().value.unwrap().sent.is_some());
}

#[tokio::test]
async fn gone_disables_the_channel_and_redirects_and_private_targets_fail() {
    let table = Table::new().await;
    let store = &table.store;
    let gone = Receiver::start(&["410 Gone\r\n"]).await;
    let moved = Receiver::start(&["302 X\r\nLocation: http://127.0.0.1:1/\r\n"]).await;
    let private = Receiver::start(&[]).await;
    for (id, receiver) in [("chn_gone", &gone), ("chn_moved", &moved), ("chn_private", &private)] {
        save(store, &channel(id, &receiver.url())).await;
    }
    let lines = Receiver::start(&[]).await;
    save(
        store,
        &Channel { format: Format::Lines, secrets: Vec::new(), ..channel("chn_lines", &lines.url()) },
    )
    .await;
    event(store, "inc:1", 1, "incident.opened", NOW).await;
    let sender = Sender::new(store.clone(), webhooks(&[&gone, &moved, &lines]));
    let swept = sender.sweep(NOW).await.unwrap();
    assert_eq!(swept, Swept { addressed: 1, delivered: 1, failed: 2, given_up: 1 });

    let channel = store.channel("default", "chn_gone").await.unwrap().value.unwrap();
    assert!(!channel.enabled && channel.why_disabled.is_some_and(|why| why.contains("410")));
    let noted = deliveries(store).await;
    let of = |id: &str| noted.iter().find(|delivery| delivery.channel == id).unwrap();
    assert!(of("chn_moved").error.as_deref().unwrap().contains("redirects are not followed"));
    let refused = of("chn_private").error.as_deref().unwrap();
    assert!(refused.contains("not a public address"), "{refused}");
    assert_eq!(private.got().len(), 0);
    let body: serde_json::Value = serde_json::from_str(&lines.got()[0].body).unwrap();
    assert!(body["subject"].as_str().unwrap().starts_with("INCIDENT: "), "{body}");
    assert_eq!(lines.got()[0].header("webhook-signature"), "", "no secret, no signature");

    event(store, "inc:2", 1, "incident.opened", NOW).await;
    sender.sweep(NOW).await.unwrap();
    assert_eq!(gone.got().len(), 1, "it is left alone");
}

#[tokio::test]
async fn a_channel_that_was_removed_or_gives_no_answer_for_a_day_is_given_up() {
    let table = Table::new().await;
    let store = &table.store;
    let dead = Receiver::start(&["500 X\r\n"; 100]).await;
    save(store, &channel("chn_dead", &dead.url())).await;
    save(store, &channel("chn_removed", &dead.url())).await;
    event(store, "inc:1", 1, "incident.opened", NOW).await;
    event(store, "inc:1", 2, "incident.resolved", NOW).await;
    let sender = Sender::new(store.clone(), webhooks(&[&dead]));
    sender.sweep(NOW).await.unwrap();
    let _ = store.remove_channel("default", "chn_removed", 1).await.unwrap();
    let mut now = NOW;
    let mut given_up = 0;
    while given_up < 4 {
        now = now + Duration::from_secs(600);
        given_up += sender.sweep(now).await.unwrap().given_up;
        assert!(now.since(NOW) < Duration::from_secs(100 * 3_600), "{given_up}");
    }
    for (seq, kept) in store.letters("inc:1", "chn_dead", 10).await.unwrap().value.iter().enumerate() {
        assert!((20..40).contains(&kept.tries) || seq == 1, "{kept:?}");
        assert_eq!(kept.done.map(|(_, delivered)| delivered), Some(false));
    }
    let rows = store.notices("inc:1", 10).await.unwrap().value;
    assert!(rows.iter().all(|row| row.sent.is_some()), "{rows:?}");
}

#[tokio::test]
async fn a_test_goes_the_same_way_and_says_so() {
    let table = Table::new().await;
    let receiver = Receiver::start(&["200 OK\r\n", "500 X\r\n"]).await;
    let channel = channel("chn_1", &receiver.url());
    let publisher = webhooks(&[&receiver]).with_links("https://ops.example");
    let good = send_test(&table.store, &publisher, &channel, NOW).await.unwrap();
    let bad = send_test(&table.store, &publisher, &channel, EpochMs(NOW.0 + 1)).await.unwrap();
    assert_eq!((good.delivered, good.status, good.attempt), (true, Some(200), 1));
    assert_eq!((bad.delivered, bad.status), (false, Some(500)));
    let body: serde_json::Value = serde_json::from_str(&receiver.got()[0].body).unwrap();
    assert_eq!((&body["type"], &body["data"]["test"]), (&"test".into(), &true.into()));
    assert_ne!(good.event, bad.event);
    assert_eq!(deliveries(&table.store).await, [bad, good]);
}

#[test]
fn settings_are_checked_before_they_are_stored() {
    let closed = webhooks_without_targets();
    for (url, expected) in [
        ("https://hooks.example.com/a", None),
        ("hooks.example.com", Some("url is not a URL")),
        ("ftp://hooks.example.com/", Some("http or https")),
        ("http://127.0.0.1:9000/", Some("not a public address")),
        ("http://[::1]/", Some("not a public address")),
        ("http://169.254.169.254/latest", Some("not a public address")),
    ] {
        let said = closed.check(&channel("chn_1", url)).err().map(|error| error.to_string());
        match expected {
            None => assert_eq!(said, None, "{url}"),
            Some(part) => assert!(said.as_ref().is_some_and(|said| said.contains(part)), "{url}: {said:?}"),
        }
    }
    let with = |name: &str, value: &str| Channel {
        headers: vec![(name.into(), Secret::new(value))],
        ..channel("chn_1", "https://hooks.example.com/")
    };
    closed.check(&with("Authorization", "Bearer x")).unwrap();
    for (name, value) in [("Host", "x"), ("webhook-id", "x"), ("a b", "x"), ("x", "a\nb")] {
        assert!(closed.check(&with(name, value)).is_err(), "{name}");
    }
    let secret =
        Channel { secrets: vec![Secret::new("x")], ..channel("chn_1", "https://hooks.example.com/") };
    assert!(closed.check(&secret).is_err());
}

fn webhooks_without_targets() -> hlsops_notify::Webhooks {
    webhooks(&[])
}
