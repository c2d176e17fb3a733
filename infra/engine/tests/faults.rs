//! The plan between the SDK and the engine does what it says, call by call.

mod support;

use aws_sdk_dynamodb::{
    Client,
    config::retry::RetryConfig,
    error::ProvideErrorMetadata,
    types::{Put, TransactWriteItem},
};
use hlsops_engine::{Fault, FaultPlan, Operation};
use std::time::{Duration, Instant};
use support::{TABLE, engine, get, key, reasons};

const PUT: Operation = Operation::PutItem;

/// What the caller saw of one put: `ok`, an error code, or `timeout`.
async fn try_put(client: &Client, pk: &str) -> String {
    match client.put_item().table_name(TABLE).set_item(Some(key(pk, "M"))).send().await {
        Ok(_) => "ok".into(),
        Err(error) if error.as_service_error().is_none() => {
            assert!(
                matches!(&error, aws_sdk_dynamodb::error::SdkError::DispatchFailure(f) if f.is_timeout())
            );
            "timeout".into()
        }
        Err(error) => error.code().unwrap_or("none").into(),
    }
}

#[tokio::test]
async fn each_fault_shows_and_executes_as_it_says() {
    for (fault, seen, executed) in [
        (Fault::None, "ok", true),
        (Fault::Throttle, "ProvisionedThroughputExceededException", false),
        (Fault::Fail, "InternalServerError", false),
        (Fault::LoseReply, "InternalServerError", true),
        (Fault::TimeOut, "timeout", true),
        (Fault::Conflict, "TransactionConflictException", false),
        (Fault::Delay(Duration::from_millis(20)), "ok", true),
    ] {
        let engine = engine().await;
        let plan = FaultPlan::at(PUT, 2, fault);
        let client = engine.client_with(&plan);
        assert_eq!(try_put(&client, "S#1").await, "ok", "{fault:?}: the first call is left alone");
        assert_eq!(try_put(&client, "S#2").await, seen, "{fault:?}");
        assert_eq!(try_put(&client, "S#3").await, "ok", "{fault:?}: the third call is left alone");
        assert_eq!(get(&engine.client(), "S#2", "M").await.is_some(), executed, "{fault:?}");
        assert_eq!((plan.calls(), plan.calls_of(PUT)), (3, 3), "{fault:?}");
    }
}

#[tokio::test]
async fn a_crash_ends_the_client_and_nothing_else() {
    for (fault, executed) in [(Fault::CrashBefore, false), (Fault::CrashAfter, true)] {
        let engine = engine().await;
        let plan = FaultPlan::at(PUT, 1, fault);
        let client = engine.client_with(&plan);
        tokio::select! {
            seen = try_put(&client, "S#1") => panic!("{fault:?}: answered {seen}"),
            () = plan.crashed() => {}
        }
        assert!(plan.is_crashed());
        assert_eq!(get(&engine.client(), "S#1", "M").await.is_some(), executed, "{fault:?}");

        let after = tokio::time::timeout(Duration::from_millis(50), try_put(&client, "S#2")).await;
        assert!(after.is_err(), "{fault:?}: the dead call nobody");
        assert_eq!((plan.calls(), get(&engine.client(), "S#2", "M").await), (1, None), "{fault:?}");
        assert_eq!(try_put(&engine.client(), "S#3").await, "ok", "{fault:?}: others live");
    }
}

#[tokio::test]
async fn a_delayed_call_of_a_dead_client_never_happens() {
    let engine = engine().await;
    let plan =
        FaultPlan::script([(PUT, 1, Fault::Delay(Duration::from_millis(50))), (PUT, 2, Fault::CrashBefore)]);
    let client = engine.client_with(&plan);
    let late = tokio::spawn({
        let client = client.clone();
        async move { try_put(&client, "S#1").await }
    });
    while plan.calls() == 0 {
        tokio::task::yield_now().await;
    }
    let _ = tokio::time::timeout(Duration::from_millis(100), try_put(&client, "S#2")).await;
    assert!(!late.is_finished());
    assert_eq!(get(&engine.client(), "S#1", "M").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_virtual_where_time_is() {
    let engine = engine().await;
    let plan = FaultPlan::every(1, Fault::Delay(Duration::from_secs(3_600)));
    let (wall, virtual_time) = (Instant::now(), tokio::time::Instant::now());
    assert_eq!(try_put(&engine.client_with(&plan), "S#1").await, "ok");
    assert!(virtual_time.elapsed() >= Duration::from_secs(3_600));
    assert!(wall.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_plan_may_look_at_the_request_and_counts_are_its_own() {
    let engine = engine().await;
    let plan = FaultPlan::new(|call| if call.body.contains("S#bad") { Fault::Throttle } else { Fault::None });
    let (watched, free) = (engine.client_with(&plan), engine.client_with(&FaultPlan::none()));
    assert_eq!(try_put(&watched, "S#good").await, "ok");
    assert_ne!(try_put(&watched, "S#bad").await, "ok");
    assert_eq!(try_put(&free, "S#bad").await, "ok");
    get(&watched, "S#good", "M").await;
    assert_eq!((plan.calls(), plan.calls_of(PUT), plan.calls_of(Operation::GetItem)), (3, 2, 1));
}

#[tokio::test]
async fn a_transaction_conflict_has_a_reason_for_each_action() {
    let engine = engine().await;
    let client = engine.client_with(&FaultPlan::every(1, Fault::Conflict));
    let put = Put::builder().table_name(TABLE).set_item(Some(key("S#1", "M"))).build().unwrap();
    let put = TransactWriteItem::builder().put(put).build();
    let seen = client.transact_write_items().transact_items(put.clone()).transact_items(put).send().await;
    let reasons = reasons(seen.unwrap_err().into_service_error());
    assert_eq!(
        reasons.iter().map(|reason| reason.code()).collect::<Vec<_>>(),
        [Some("TransactionConflict"); 2]
    );
}

#[tokio::test(start_paused = true)]
async fn retries_can_be_turned_on_to_see_them_overcome_a_throttle() {
    let engine = engine().await;
    let plan = FaultPlan::script([(PUT, 1, Fault::Throttle), (PUT, 2, Fault::LoseReply)]);
    let config = engine.config_with(&plan).retry_config(RetryConfig::standard().with_max_attempts(3));
    assert_eq!(try_put(&Client::from_conf(config.build()), "S#1").await, "ok");
    assert_eq!(plan.calls(), 3);
}
