//! Channels, deliveries and the inbox.

use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_store::{Channel, Configured, Delivery, Format, Secret, Store};

use crate::support::{Table, notice, stream};

fn channel(id: &str) -> Channel {
    Channel {
        account: "acme".into(),
        id: id.into(),
        name: "Operations".into(),
        url: "https://hooks.example.com/a".into(),
        headers: vec![("authorization".into(), Secret::new("Bearer canary"))],
        secrets: vec![Secret::new("whsec_canary")],
        format: Format::Lines,
        enabled: true,
        why_disabled: None,
        events: vec!["incident.opened".into()],
        created_at: EpochMs(5),
        revision: 0,
    }
}

async fn save(store: &Store, channel: &Channel) -> Configured {
    store.save_channel(channel).await.expect("answer").value
}

#[tokio::test]
async fn a_channel_is_written_on_condition_of_its_revision() {
    let table = Table::new().await;
    for (id, store) in [("chn_1", table.store.clone()), ("chn_2", table.lossy())] {
        let new = channel(id);
        assert_eq!(save(&store, &new).await, Configured::Saved(1));
        assert_eq!(
            save(&store, &Channel { name: "x".into(), ..new.clone() }).await,
            Configured::Conflict(Some(1))
        );
        let read = store.channel("acme", id).await.expect("answer").value.expect("stored");
        assert_eq!(read, Channel { revision: 1, ..new });
        assert_eq!(store.channel("other", id).await.expect("answer").value, None, "of another account");
        let changed = Channel { enabled: false, why_disabled: Some("410 Gone".into()), ..read };
        assert_eq!(save(&store, &changed).await, Configured::Saved(2));
        assert!(!changed.wants("incident.opened"));
        let removed =
            async |revision| store.remove_channel("acme", id, revision).await.expect("answer").value;
        assert_eq!(removed(1).await, Configured::Conflict(Some(2)));
        assert_eq!(removed(2).await, Configured::Saved(2));
        assert_eq!(removed(2).await, Configured::Saved(2), "gone already");
        assert_eq!(save(&store, &changed).await, Configured::Conflict(None));
        assert_eq!(store.channels("acme").await.expect("answer").value, []);
    }
}

#[tokio::test]
async fn channels_are_listed_and_never_show_their_secrets() {
    let table = Table::new().await;
    for id in ["chn_2", "chn_1"] {
        save(&table.store, &channel(id)).await;
    }
    let listed = table.store.channels("acme").await.expect("answer").value;
    assert_eq!(listed.iter().map(|channel| channel.id.as_str()).collect::<Vec<_>>(), ["chn_1", "chn_2"]);
    assert!(!format!("{listed:?}").contains("canary"), "{listed:?}");
    assert!(listed[0].wants("incident.opened") && !listed[0].wants("incident.resolved"));
    let large = Channel { url: "x".repeat(Channel::MAX), ..channel("chn_3") };
    assert!(table.store.save_channel(&large).await.is_err());
}

#[tokio::test]
async fn deliveries_are_listed_newest_first() {
    let table = Table::new().await;
    let store = &table.store;
    let delivery = |n: u64| Delivery {
        account: "acme".into(),
        event: format!("inc.{n}"),
        kind: "incident.opened".into(),
        channel: "chn_1".into(),
        attempt: 1,
        at: EpochMs(1_000 + n),
        took: Duration::from_millis(12),
        delivered: n.is_multiple_of(2),
        status: Some(500),
        answer: "ä".repeat(300),
        error: Some("the receiver answered 500".into()),
    };
    for n in 0..7 {
        for _ in 0..2 {
            let _ = store.add_delivery(&delivery(n)).await.expect("answer");
        }
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let (page, next) = store.deliveries("acme", after.as_ref(), 3).await.expect("answer").value;
        assert!(page.len() <= 3);
        seen.extend(page);
        after = next;
        if after.is_none() {
            break;
        }
    }
    let cut = |n| Delivery { answer: "ä".repeat(128), ..delivery(n) };
    assert_eq!(seen, (0..7).rev().map(cut).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_inbox_is_paged() {
    let table = Table::new().await;
    let store = &table.store;
    for n in 0..5 {
        let of = format!("inc:{n}");
        let _ = store.add_notice(&of, 1, &stream(), &notice("test", 1_000 + n)).await.expect("answer");
        let row = store.notice(&of, 1).await.expect("answer").value.expect("stored");
        let _ = store.address(&row, &[], EpochMs(9_000)).await.expect("answer");
    }
    let (first, next) = store.inbox("acme", None, 3).await.expect("answer").value;
    let (rest, end) = store.inbox("acme", next.as_ref(), 3).await.expect("answer").value;
    let events: Vec<_> = first.iter().chain(&rest).map(|entry| entry.event.as_str()).collect();
    assert_eq!(events, ["inc:4.1", "inc:3.1", "inc:2.1", "inc:1.1", "inc:0.1"]);
    assert_eq!((first[0].kind.as_str(), &first[0].stream, end), ("test", &stream(), None));
}
