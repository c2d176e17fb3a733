//! Expired items go when swept, by a clock that tests can set.

mod support;

use hlsops_engine::{Engine, ManualClock, TableSpec, ensure_table};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::{Folder, TABLE, get, item, number, put, sort_keys, table, text};

const NOW: u64 = 1_800_000_000;

#[tokio::test]
async fn a_sweep_deletes_what_has_expired_and_nothing_else() {
    let clock = ManualClock::new(NOW);
    let engine = Engine::in_memory_at(&clock).unwrap();
    let client = engine.client();
    table(&client).await;
    let rows = [
        ("gone", Some(number(NOW as i64 - 1))),
        ("later", Some(number(NOW as i64 + 60))),
        ("for ever", None),
        ("no number", Some(text("soon"))),
    ];
    for (sk, ttl) in rows {
        let mut row = item("S#1", sk, [("g1p", text("open")), ("g1s", text(sk))]);
        row.extend(ttl.map(|ttl| ("ttl".to_owned(), ttl)));
        put(&client, row).await;
    }
    assert!(get(&client, "S#1", "gone").await.is_some(), "as in DynamoDB, it is read until swept");
    for (at, deleted, left) in [
        (NOW, 1, vec!["for ever", "later", "no number"]),
        (NOW, 0, vec!["for ever", "later", "no number"]),
        (NOW + 61, 1, vec!["for ever", "no number"]),
    ] {
        clock.set(at);
        assert_eq!(engine.sweep().await.unwrap(), deleted);
        for index in [None, Some("gsi1".to_owned())] {
            let found = client.scan().table_name(TABLE).set_index_name(index).send().await.unwrap();
            let mut found = sort_keys(found.items()).into_iter().map(String::from).collect::<Vec<_>>();
            found.sort();
            assert_eq!(found, left);
        }
    }
}

#[tokio::test]
async fn the_sweeper_runs_on_a_timer_until_told_to_stop() {
    let folder = Folder::new("sweeper");
    let engine = Engine::open(folder.config()).unwrap();
    let client = engine.client();
    table(&client).await;
    let past = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64 - 10;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let sweeper = tokio::spawn({
        let engine = engine.clone();
        async move {
            engine.run_sweeper(Duration::from_millis(20), async { drop(stopped.await) }).await;
        }
    });
    for round in ["M#1", "M#2"] {
        put(&client, item("S#1", round, [("ttl", number(past))])).await;
        for _ in 0..500 {
            if get(&client, "S#1", round).await.is_none() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(get(&client, "S#1", round).await.is_none(), "{round} was never swept");
    }
    stop.send(()).unwrap();
    sweeper.await.unwrap();
}

#[tokio::test]
async fn the_table_is_made_once_however_often_it_is_asked_for() {
    let engine = Engine::in_memory().unwrap();
    let client = engine.client();
    let spec = TableSpec::new(TABLE);
    let (a, b, c) = tokio::join!(
        ensure_table(&client, &spec),
        ensure_table(&client, &spec),
        ensure_table(&client, &spec)
    );
    a.and(b).and(c).unwrap();
    ensure_table(&client, &spec).await.unwrap();

    let other = TableSpec { keys: ["id".into(), "sk".into()], ..spec };
    let refused = ensure_table(&client, &other).await.unwrap_err().to_string();
    assert!(refused.contains("exists with other keys"), "{refused}");
    let refused = ensure_table(&client, &TableSpec::new("ab")).await.unwrap_err().to_string();
    assert!(refused.contains("cannot create the table `ab`") && refused.contains("length"), "{refused}");
}
