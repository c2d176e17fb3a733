//! The function as Lambda runs it: the built program, a runtime API, a queue, a topic and a table on one
//! loopback port.

use std::collections::{HashMap, VecDeque};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::support::{World, stream, world};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hlsops_engine::Engine;
use hlsops_origin::{Fault, FaultKind};
use hlsops_store::{Minute, Notice};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;

/// What AWS is here.
#[derive(Clone)]
struct Aws {
    engine: Engine,
    /// Events for the function, each with the milliseconds it has.
    events: Arc<Mutex<VecDeque<(Value, u64)>>>,
    /// Answers and first polls of the function.
    told: mpsc::UnboundedSender<Told>,
    /// Bodies in the queue.
    queue: Arc<Mutex<Vec<String>>>,
    /// Receipts of messages that are to come again, and in how many seconds.
    again: Arc<Mutex<Vec<(String, u64)>>>,
    /// What was published, by the names of the request's form.
    published: Arc<Mutex<Vec<HashMap<String, String>>>>,
    /// The topic takes nothing.
    is_down: Arc<AtomicBool>,
}

#[derive(Debug, PartialEq)]
enum Told {
    Polled,
    Answered(Value),
    Failed(Value),
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// The next event; waits for one.
async fn next(State(aws): State<Aws>) -> Response {
    aws.told.send(Told::Polled).unwrap();
    loop {
        let event = aws.events.lock().unwrap().pop_front();
        if let Some((event, has_ms)) = event {
            let headers = [
                ("lambda-runtime-aws-request-id", "request-1".to_owned()),
                ("lambda-runtime-deadline-ms", (now_ms() + has_ms).to_string()),
                ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:0:function:f".to_owned()),
            ];
            return (headers, event.to_string()).into_response();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn told(State(aws): State<Aws>, Path((_, kind)): Path<(String, String)>, body: Bytes) -> StatusCode {
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let told = if kind == "response" { Told::Answered(body) } else { Told::Failed(body) };
    aws.told.send(told).unwrap();
    StatusCode::ACCEPTED
}

/// The table, a queue and a topic, told apart as AWS does.
async fn service(State(aws): State<Aws>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(target) = headers.get("x-amz-target") else { return topic(&aws, &body) };
    let target = target.to_str().unwrap();
    let Some(action) = target.strip_prefix("AmazonSQS.") else {
        let (status, body) = aws.engine.answer(target, body.to_vec()).await;
        return (StatusCode::from_u16(status).unwrap(), body).into_response();
    };
    let request: Value = serde_json::from_slice(&body).unwrap();
    match action {
        "SendMessageBatch" => send(&aws, &request),
        "ChangeMessageVisibility" => {
            let receipt = request["ReceiptHandle"].as_str().unwrap().to_owned();
            aws.again.lock().unwrap().push((receipt, request["VisibilityTimeout"].as_u64().unwrap()));
            "{}".into_response()
        }
        other => panic!("{other} is not expected"),
    }
}

/// Publishes, unless it is down.
fn topic(aws: &Aws, body: &[u8]) -> Response {
    if aws.is_down.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "<ErrorResponse/>").into_response();
    }
    let form: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    assert_eq!((form["Action"].as_str(), form["TopicArn"].as_str()), ("Publish", TOPIC));
    aws.published.lock().unwrap().push(form);
    "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"
        .into_response()
}

/// Takes every other message of a batch at first.
fn send(aws: &Aws, request: &Value) -> Response {
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for (nth, entry) in request["Entries"].as_array().unwrap().iter().enumerate() {
        if nth % 2 == 1 {
            refused.push(json!({ "Id": entry["Id"], "Code": "Busy", "SenderFault": false }));
            continue;
        }
        aws.queue.lock().unwrap().push(entry["MessageBody"].as_str().unwrap().to_owned());
        taken.push(json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "0" }));
    }
    json!({ "Successful": taken, "Failed": refused }).to_string().into_response()
}

const TOPIC: &str = "arn:aws:sns:eu-west-1:0:events";

struct Running {
    aws: Aws,
    address: String,
    heard: mpsc::UnboundedReceiver<Told>,
}

async fn aws(engine: &Engine) -> Running {
    let (told_to, heard) = mpsc::unbounded_channel();
    let aws = Aws {
        engine: engine.clone(),
        events: Arc::default(),
        told: told_to,
        queue: Arc::default(),
        again: Arc::default(),
        published: Arc::default(),
        is_down: Arc::default(),
    };
    let invocation = "/2018-06-01/runtime/invocation";
    let router = Router::new()
        .route(&format!("{invocation}/next"), get(next))
        .route(&format!("{invocation}/{{id}}/{{kind}}"), post(told))
        .route("/", post(service))
        .with_state(aws.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Running { aws, address, heard }
}

impl Running {
    /// The function, started as Lambda starts it.
    fn start(&self, role: &str, world: &World) -> (Child, Lines<BufReader<ChildStdout>>) {
        let origin = world.origin.addresses()[0].to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hlsops-probe"));
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &self.address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "probe")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address))
            .env("HLSOPS_ROLE", role)
            .env("HLSOPS_TABLE", "hlsops")
            .env("HLSOPS_QUEUE_URL", format!("http://{}/0/work", self.address))
            .env("HLSOPS_TOPIC_ARN", TOPIC)
            .env("HLSOPS_ALLOW_TARGETS", origin)
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        (child, lines)
    }

    async fn hears(&mut self) -> Told {
        tokio::time::timeout(Duration::from_secs(20), self.heard.recv()).await.unwrap().unwrap()
    }

    fn send(&self, event: Value, has_ms: u64) {
        self.aws.events.lock().unwrap().push_back((event, has_ms));
    }

    /// A tick, and what it logs.
    async fn tick(&mut self, log: &mut Lines<BufReader<ChildStdout>>) -> Value {
        assert_eq!(self.hears().await, Told::Polled);
        self.send(json!({}), 30_000);
        assert!(matches!(self.hears().await, Told::Answered(_)));
        line(log).await
    }

    /// The events published so far, as subscriptions see them.
    fn published(&self) -> Vec<(String, String)> {
        let events = self.aws.published.lock().unwrap();
        let attribute = |form: &HashMap<String, String>, name: &str| {
            let nth = (1..=10).find(|n| form[&format!("MessageAttributes.entry.{n}.Name")] == name).unwrap();
            form[&format!("MessageAttributes.entry.{nth}.Value.StringValue")].clone()
        };
        events.iter().map(|form| (attribute(form, "event"), attribute(form, "stream_id"))).collect()
    }
}

/// What the queue hands to the function.
fn record(body: &str) -> Value {
    json!({ "Records": [
        { "messageId": "m-1", "receiptHandle": "r-1", "body": body, "eventSource": "aws:sqs" }
    ] })
}

async fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> Value {
    let line = lines.next_line().await.unwrap().unwrap();
    serde_json::from_str(&line).unwrap()
}

/// Tells the process to end, and waits until it has.
async fn end(mut child: Child) {
    let kill = format!("kill -TERM {}", child.id().unwrap());
    assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(10), child.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_becomes_work_and_work_becomes_minutes() {
    let world = world(&["one", "two"]).await;
    for (name, shard) in [("one", 0), ("two", 1)] {
        let config = world.config(name);
        let _saved = world.shared.store.save_stream(&config, hlsops_store::ShardId(shard)).await.unwrap();
    }
    let () = world.shared.store.grow_shards(2).await.unwrap().value;
    let mut running = aws(&world.engine).await;

    let began = Instant::now();
    let (dispatcher, mut log) = running.start("dispatch", &world);
    assert_eq!(running.hears().await, Told::Polled);
    report("exec to first poll", began.elapsed());
    running.send(json!({}), 60_000);
    assert_eq!(running.hears().await, Told::Answered(json!({ "sent": 2 })));
    let said = line(&mut log).await;
    assert_eq!((&said["Heartbeat"], &said["WorkSent"]), (&json!(1.0), &json!(2.0)), "{said}");
    assert_eq!(running.hears().await, Told::Polled);
    end(dispatcher).await;
    let work = running.aws.queue.lock().unwrap().clone();
    assert_eq!(work.len(), 2, "what the queue refused was sent again: {work:?}");

    let (watcher, mut log) = running.start("watch", &world);
    assert_eq!(running.hears().await, Told::Polled);
    running.send(record("nonsense"), 60_000);
    let refused = json!({ "batchItemFailures": [{ "itemIdentifier": "m-1" }] });
    assert_eq!(running.hears().await, Told::Answered(refused));
    assert!(line(&mut log).await["error"].is_string());
    let again = running.aws.again.lock().unwrap().clone();
    assert_eq!(again, [("r-1".to_owned(), 5)], "it comes again before it expires");
    assert_eq!(running.hears().await, Told::Polled);
    running.send(record(r#"{"shard":0,"epoch":5,"scheduled_minute":5}"#), 60_000);
    assert_eq!(running.hears().await, Told::Answered(json!({ "batchItemFailures": [] })));
    assert_eq!(line(&mut log).await["StaleWork"], json!(1.0), "an old message is dropped");
    assert_eq!(running.hears().await, Told::Polled);

    // 20 s before its deadline it ends by itself.
    running.send(record(&work[0]), 24_000);
    assert_eq!(running.hears().await, Told::Answered(json!({ "batchItemFailures": [] })));
    let said = line(&mut log).await;
    assert_eq!(said["streams"], json!(1), "{said}");
    assert!(said["WriteUnits"].as_f64().unwrap() > 2.0, "{said}");
    let minutes = world.shared.store.newest_minutes(&stream("one"), 5, true).await.unwrap().value;
    assert!(minutes.iter().any(hlsops_store::StoredMinute::is_watched), "{minutes:?}");

    // In the middle of its work it ends when it is told to, and answers.
    assert_eq!(running.hears().await, Told::Polled);
    running.send(record(&work[1]), 900_000);
    tokio::time::sleep(Duration::from_secs(3)).await;
    end(watcher).await;
    assert_eq!(running.hears().await, Told::Answered(json!({ "batchItemFailures": [] })));
    let minutes = world.shared.store.newest_minutes(&stream("two"), 5, true).await.unwrap().value;
    assert!(minutes.last().unwrap().minute >= Minute(1) && minutes.iter().any(|m| m.is_watched()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_watcher_sees_is_published_while_it_goes_on() {
    let world = world(&["one"]).await;
    world.add("one").await;
    let mut running = aws(&world.engine).await;
    let (watcher, mut log) = running.start("watch", &world);
    assert_eq!(running.hears().await, Told::Polled);
    let minute = now_ms() / 60_000;
    let work = format!(r#"{{"shard":0,"epoch":{},"scheduled_minute":{minute}}}"#, minute * 60);
    running.send(record(&work), 900_000);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(running.published(), []);
    world.origin.set_fault("one", Fault::new(FaultKind::PlaylistStatus(503))).unwrap();
    let broken = Instant::now();
    while running.published().is_empty() {
        assert!(broken.elapsed() < Duration::from_secs(30), "nothing is published");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    report("first faulty answer to event", broken.elapsed());
    assert_eq!(running.published(), [("incident.opened".to_owned(), "one".to_owned())]);
    end(watcher).await;
    let said = line(&mut log).await;
    assert_eq!(said["EventsPublished"], json!(1.0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_topic_does_not_take_grows_old_until_a_tick_brings_it() {
    let world = world(&["one"]).await;
    let mut running = aws(&world.engine).await;
    let (dispatcher, mut log) = running.start("dispatch", &world);
    let said = running.tick(&mut log).await;
    assert_eq!((&said["OutboxAgeSeconds"], &said["EventsPublished"]), (&json!(0.0), &json!(0.0)));

    let at = hlsops_domain::EpochMs(now_ms());
    let body = hlsops_notify::event::test("chn", "x", at).to_json();
    let notice = Notice { at, kind: "incident.opened", body: &body };
    let added = world.shared.store.add_notice("inc", 1, &stream("one"), &notice).await.unwrap();
    assert!(added.value);
    running.aws.is_down.store(true, Ordering::Relaxed);
    let said = running.tick(&mut log).await;
    assert_eq!(said["EventsPublished"], json!(0.0), "{said}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let said = running.tick(&mut log).await;
    assert!(said["OutboxAgeSeconds"].as_f64().unwrap() >= 1.0, "{said}");

    // The first attempt again is due 5 s after the one that failed, and a little.
    running.aws.is_down.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let said = running.tick(&mut log).await;
    assert_eq!((&said["OutboxAgeSeconds"], &said["EventsPublished"]), (&json!(0.0), &json!(1.0)));
    assert_eq!(running.published(), [("incident.opened".to_owned(), "one".to_owned())]);
    end(dispatcher).await;
}

#[tokio::test]
async fn a_function_without_its_environment_says_what_is_missing() {
    let output = Command::new(env!("CARGO_BIN_EXE_hlsops-probe")).env_clear().output().await.unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("HLSOPS_ROLE"), "{output:?}");
}

#[expect(clippy::print_stdout, reason = "times are to be read, not asserted")]
fn report(what: &str, took: Duration) {
    println!("{what}: {} ms", took.as_millis());
}
