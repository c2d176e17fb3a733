//! The chain of minutes.

use hlsops_engine::{Fault, FaultPlan, Operation};
use hlsops_store::pack::MinuteLog;
use hlsops_store::{
    Chain, Content, Minute, Paid, Saved, Slot, Spent, Store, StoreError, StoredMinute, TakeOver,
};

use crate::support::{NOW, Table, closing, log, report, stream, taken, writer};

async fn take(store: &Store, name: &str, epoch: u64, now: Minute) -> hlsops_store::Taken {
    taken(store.take_over(&stream(), &writer(name, epoch), now).await.expect("answer").value)
}

async fn save(store: &Store, chain: &mut Chain, minute: Minute) -> Paid<Saved> {
    let (closing, log) = (closing(minute, 3), log(minute, 3, 15));
    store.save_minute(chain, minute, Content { closing: &closing, log: &log }).await.expect("answer")
}

async fn chain_of(store: &Store) -> Vec<StoredMinute> {
    store.newest_minutes(&stream(), 100, true).await.expect("answer").value
}

/// `W`atched, `G`ap or `C`laimed, with minute, owner and revision.
fn show(chain: &[StoredMinute]) -> String {
    let of = |stored: &StoredMinute| {
        let kind = match stored.slot {
            Slot::Watched { .. } => "W".into(),
            Slot::Gap(to) => format!("G{}-", to.0 - NOW.0),
            Slot::Claimed => "C".into(),
        };
        format!("{kind}{}{}{}", stored.minute.0 - NOW.0, stored.holder.name, stored.revision)
    };
    chain.iter().map(of).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_minute_comes_back_as_it_was_and_costs_one_unit() {
    let table = Table::new().await;
    let mut chain = take(&table.store, "a", 1, NOW).await.chain;
    let mut spent = Spent::default();
    for offset in 0..10 {
        let minute = Minute(NOW.0 + offset);
        let saved = save(&table.store, &mut chain, minute).await;
        assert_eq!(saved.add_to(&mut spent), Saved::Saved);
    }
    report("10 minutes of 3 renditions x 15 segments", spent);
    assert!(spent.write_units / 10.0 < 1.2, "{spent:?}");
    let all = table.store.minutes(&stream(), NOW, Minute(NOW.0 + 4), 100).await.expect("answer");
    assert_eq!(all.value.len(), 5);
    for stored in &all.value {
        let watched =
            Slot::Watched { closing: Box::new(closing(stored.minute, 3)), log: log(stored.minute, 3, 15) };
        assert_eq!(stored.slot, watched);
    }
}

#[tokio::test]
async fn a_take_over_shuts_the_earlier_watcher_out() {
    let table = Table::new().await;
    let mut old = take(&table.store, "a", 1, NOW).await.chain;
    assert_eq!(save(&table.store, &mut old, NOW).await.value, Saved::Saved);
    let over = table.store.take_over(&stream(), &writer("b", 2), NOW).await.expect("answer");
    report("take-over", over.spent);
    let mut new = taken(over.value);
    assert_eq!(new.closing(), Some(&closing(NOW, 3)));
    assert_eq!(new.log(NOW), log(NOW, 3, 15), "what was logged is carried on");
    assert_eq!(new.log(NOW.next()), MinuteLog::new(NOW.next()));
    assert_eq!(show(&chain_of(&table.store).await), "W0b3 C1b1");

    for minute in [NOW, NOW.next(), Minute(NOW.0 + 7)] {
        let mut stale = old.clone();
        let lost = save(&table.store, &mut stale, minute).await.value;
        assert!(matches!(&lost, Saved::Lost(holder) if holder.name == "b"), "{minute:?}: {lost:?}");
    }
    assert_eq!(save(&table.store, &mut new.chain, NOW).await.value, Saved::Saved);
    assert_eq!(save(&table.store, &mut new.chain, NOW.next()).await.value, Saved::Saved);
    assert_eq!(show(&chain_of(&table.store).await), "W0b4 W1b2");
}

#[tokio::test]
async fn a_chain_that_was_left_to_somebody_is_taken_over_without_a_write() {
    for (lossy, last) in [(false, NOW), (false, NOW.next()), (true, NOW), (true, Minute(NOW.0 + 9))] {
        let table = Table::new().await;
        let store = if lossy { table.lossy() } else { table.store.clone() };
        let mut old = take(&table.store, "a", 1, NOW).await.chain;
        old.bequeath(writer("b", 2));
        assert_eq!(save(&store, &mut old, last).await.value, Saved::Saved);
        for minute in [last, last.next()] {
            let lost = save(&table.store, &mut old.clone(), minute).await.value;
            assert!(matches!(&lost, Saved::Lost(_)), "{minute:?}: {lost:?}");
        }
        let before = show(&chain_of(&table.store).await);
        let over = table.store.take_over(&stream(), &writer("b", 2), last.next()).await.expect("answer");
        assert_eq!(over.spent.write_units, 0.0);
        let mut new = taken(over.value);
        assert_eq!(show(&chain_of(&table.store).await), before);
        assert_eq!(new.closing(), Some(&closing(last, 3)));
        assert_eq!(save(&table.store, &mut new.chain, last).await.value, Saved::Saved, "may be rewritten");
        assert_eq!(save(&table.store, &mut new.chain, last.next()).await.value, Saved::Saved);
    }
}

#[tokio::test]
async fn an_heir_who_does_not_come_is_passed_over() {
    let table = Table::new().await;
    let mut old = take(&table.store, "a", 1, NOW).await.chain;
    old.bequeath(writer("b", 2));
    assert_eq!(save(&table.store, &mut old, NOW).await.value, Saved::Saved);
    let older = table.store.take_over(&stream(), &writer("x", 1), NOW).await.expect("answer");
    assert!(matches!(older.value, TakeOver::Lost(_)));
    let mut third = take(&table.store, "c", 3, NOW.next()).await.chain;
    let late = table.store.take_over(&stream(), &writer("b", 2), NOW.next()).await.expect("answer");
    assert!(matches!(late.value, TakeOver::Lost(_)), "the heir comes after all");
    assert_eq!(save(&table.store, &mut third, NOW.next()).await.value, Saved::Saved);
    assert_eq!(show(&chain_of(&table.store).await), "W0c3 W1c2");
}

#[tokio::test]
async fn the_newest_epoch_wins_and_a_second_writer_of_an_epoch_loses() {
    let table = Table::new().await;
    take(&table.store, "a", 5, NOW).await;
    for (name, epoch) in [("b", 4), ("b", 5)] {
        let outcome = table.store.take_over(&stream(), &writer(name, epoch), NOW).await.expect("answer");
        assert!(matches!(outcome.value, TakeOver::Lost(_)), "{name} {epoch}");
    }
    take(&table.store, "a", 5, NOW).await;
    take(&table.store, "b", 6, NOW).await;
    assert_eq!(show(&chain_of(&table.store).await), "C0b2");
}

#[tokio::test]
async fn skipped_minutes_are_one_gap_and_a_stale_writer_cannot_slip_in() {
    let table = Table::new().await;
    let mut old = take(&table.store, "a", 1, NOW).await.chain;
    assert_eq!(save(&table.store, &mut old, NOW).await.value, Saved::Saved);
    let mut new = take(&table.store, "b", 2, Minute(NOW.0 + 9)).await;
    assert_eq!(save(&table.store, &mut new.chain, Minute(NOW.0 + 9)).await.value, Saved::Saved);
    assert_eq!(show(&chain_of(&table.store).await), "W0b3 G8-1b2 W9b1");
    for minute in 0..12 {
        let lost = save(&table.store, &mut old.clone(), Minute(NOW.0 + minute)).await.value;
        assert!(matches!(lost, Saved::Lost(_)), "{minute}");
    }
    // The next one takes over behind the gap, from the state before it.
    let mut third = take(&table.store, "c", 3, Minute(NOW.0 + 10)).await;
    assert_eq!(third.closing(), Some(&closing(Minute(NOW.0 + 9), 3)));
    assert_eq!(save(&table.store, &mut third.chain, Minute(NOW.0 + 10)).await.value, Saved::Saved);
    let back = third.chain.minute_at(NOW);
    assert_eq!(back, Minute(NOW.0 + 10), "a clock that went back stays at the newest minute");
    let (closing, log) = (closing(NOW, 1), log(NOW, 1, 1));
    let content = Content { closing: &closing, log: &log };
    let passed = table.store.save_minute(&mut third.chain, NOW, content).await;
    assert!(matches!(passed, Err(StoreError::MinutePassed { .. })), "{passed:?}");
}

/// Two watchers take over and save at the same time; whoever is told that it was saved has it saved.
#[tokio::test]
async fn watchers_that_race_never_fork() {
    for round in 0..40_u64 {
        let table = Table::new().await;
        let mut old = take(&table.store, "a", 1, NOW).await.chain;
        let new = writer("b", 2);
        let next = Minute(NOW.0 + round % 3);
        let id = stream();
        let (saved, over) = tokio::join!(
            async {
                tokio::time::sleep(std::time::Duration::from_micros(round * 20)).await;
                save(&table.store, &mut old, next).await.value
            },
            table.store.take_over(&id, &new, next)
        );
        let over = taken(over.expect("answer").value);
        let chain = chain_of(&table.store).await;
        assert_eq!(over.closing().is_some(), saved == Saved::Saved, "{round}: {}", show(&chain));
        assert!(chain.iter().all(|stored| stored.holder.name == "b" || stored.next() <= next));
    }
}

#[tokio::test]
async fn lost_replies_and_throttling_change_nothing() {
    let table = Table::new().await;
    let store = table.lossy();
    let mut first = take(&store, "a", 1, NOW).await.chain;
    for offset in [0, 0, 1, 4, 4] {
        let minute = Minute(NOW.0 + offset);
        assert_eq!(save(&store, &mut first, minute).await.value, Saved::Saved);
    }
    let mut second = take(&store, "b", 2, Minute(NOW.0 + 5)).await.chain;
    assert_eq!(save(&store, &mut second, Minute(NOW.0 + 5)).await.value, Saved::Saved);
    let chain = chain_of(&table.store).await;
    assert_eq!(show(&chain), "W0a3 W1a1 G3-2a1 W4b3 W5b2");
}

#[tokio::test]
async fn a_dropped_call_may_be_made_again() {
    let table = Table::new().await;
    // The call is carried out and its future dropped: the chain does not learn of it.
    for fault in [Fault::CrashAfter, Fault::CrashBefore] {
        let name = format!("{fault:?}");
        let id = hlsops_store::StreamId::new("acme", &name).expect("valid");
        let over = table.store.take_over(&id, &writer("a", 1), NOW).await.expect("answer");
        let mut chain = taken(over.value).chain;
        let plan = FaultPlan::at(Operation::PutItem, 1, fault);
        let store = table.through(&plan);
        let (state, entries) = (closing(NOW, 3), log(NOW, 3, 15));
        let content = Content { closing: &state, log: &entries };
        tokio::select! {
            _ = store.save_minute(&mut chain, NOW, content) => panic!("answered"),
            () = plan.crashed() => {}
        }
        let other = log(NOW, 2, 2);
        let again = Content { closing: &state, log: &other };
        let saved = table.store.save_minute(&mut chain, NOW, again).await.expect("answer");
        assert_eq!(saved.value, Saved::Saved);
        let stored = table.store.newest_minutes(&id, 9, true).await.expect("answer").value;
        assert!(
            matches!(&stored[..], [StoredMinute { slot: Slot::Watched { log, .. }, .. }] if *log == other)
        );
    }
}

#[tokio::test]
async fn errors_are_typed() {
    let table = Table::new().await;
    let throttled = table.through(&FaultPlan::every(1, Fault::Throttle));
    let outcome = throttled.take_over(&stream(), &writer("a", 1), NOW).await;
    assert!(matches!(outcome, Err(StoreError::Throttled { attempts: 8, .. })), "{outcome:?}");
    let silent = table.through(&FaultPlan::every(1, Fault::TimeOut));
    let outcome = silent.take_over(&stream(), &writer("a", 1), NOW).await;
    assert!(matches!(outcome, Err(StoreError::Unanswered { .. })), "{outcome:?}");
    let nowhere = Store::new(table.engine.client(), "nowhere");
    let outcome = nowhere.take_over(&stream(), &writer("a", 1), NOW).await;
    let Err(StoreError::Refused { code, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(code, "ResourceNotFoundException");
}
