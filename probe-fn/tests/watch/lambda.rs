//! The function as Lambda runs it: the built program, a runtime API, a queue and a table on one loopback port.

use std::collections::VecDeque;
use std::process::Stdio;
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
use hlsops_store::Minute;
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

/// The table, and a queue that takes every other message of a batch at first.
async fn service(State(aws): State<Aws>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").unwrap().to_str().unwrap();
    if target != "AmazonSQS.SendMessageBatch" {
        let (status, body) = aws.engine.answer(target, body.to_vec()).await;
        return (StatusCode::from_u16(status).unwrap(), body).into_response();
    }
    let request: Value = serde_json::from_slice(&body).unwrap();
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

struct Running {
    aws: Aws,
    address: String,
    heard: mpsc::UnboundedReceiver<Told>,
}

async fn aws(engine: &Engine) -> Running {
    let (told_to, heard) = mpsc::unbounded_channel();
    let aws = Aws { engine: engine.clone(), events: Arc::default(), told: told_to, queue: Arc::default() };
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
    let record =
        |body: &str| json!({ "Records": [{ "messageId": "m-1", "body": body, "eventSource": "aws:sqs" }] });
    running.send(record("nonsense"), 60_000);
    let refused = json!({ "batchItemFailures": [{ "itemIdentifier": "m-1" }] });
    assert_eq!(running.hears().await, Told::Answered(refused));
    assert!(line(&mut log).await["error"].is_string());
    assert_eq!(running.hears().await, Told::Polled);
    running.send(record(r#"{"shard":0,"epoch":5,"scheduled_minute":5}"#), 60_000);
    assert_eq!(running.hears().await, Told::Answered(json!({ "batchItemFailures": [] })));
    assert_eq!(line(&mut log).await["StaleWork"], json!(1.0), "an old message is dropped");
    assert_eq!(running.hears().await, Told::Polled);

    // 15 s before its deadline it ends by itself.
    running.send(record(&work[0]), 19_000);
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
