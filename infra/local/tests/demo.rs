//! `hlsops demo` as a newcomer meets it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use hlsops_origin::{DEMO, DemoStream};
use serde_json::{Value, json};
use support::{Running, asked, hlsops, request, try_request, wait};

/// A running demo: its page, its key, its folder.
struct Demo {
    running: Running,
    address: String,
    bearer: String,
    data: String,
}

impl Demo {
    fn start() -> Self {
        let mut running = Running::start(&["demo"]);
        let line = running.line_with("/#key=");
        let (address, key) = line.trim().split_once("/#key=").unwrap();
        let (address, bearer) = (address.to_owned(), format!("Authorization: Bearer {key}"));
        let data = running.line_with("--data").trim().rsplit(' ').next().unwrap().to_owned();
        Self { running, address, bearer, data }
    }

    fn request(&self, head: &str, body: &str) -> (u16, String) {
        request(&self.address, head, &[&self.bearer], body)
    }

    fn streams(&self) -> Vec<Value> {
        asked(&["stream", "list", "--data", &self.data]).as_array().unwrap().clone()
    }

    fn stream(&self, name: &str) -> Value {
        self.streams().into_iter().find(|stream| stream["link_id"] == name).unwrap()
    }

    /// Codes of the findings so far.
    fn codes(&self, name: &str) -> BTreeSet<String> {
        let entries = asked(&["timeline", name, "--data", &self.data]);
        let codes = entries.as_array().unwrap().iter().filter_map(|entry| entry["code"].as_str());
        codes.map(str::to_owned).collect()
    }
}

/// What was seen of a stream so far.
#[derive(Default)]
struct Seen {
    now: String,
    healths: BTreeSet<String>,
    playlists: BTreeSet<String>,
}

impl Seen {
    /// Health and playlist state are what the origin's table says they must come to.
    fn is_as_expected(&self, row: &DemoStream) -> bool {
        let word = |health: hlsops_origin::Health| health.name().to_lowercase();
        let mut health = row.health.iter().map(|health| word(*health));
        let reached = if row.alternates {
            health.all(|word| self.healths.contains(&word))
        } else {
            health.next_back().as_ref() == Some(&self.now)
        };
        reached && self.playlists.contains(row.playlist_state.name())
    }
}

/// The last of the faults begins after 12 s, and 30 s later every stream has come to its state. The table learns of
/// it when the next page is written: 5 s after the one before.
const DEADLINE: Duration = Duration::from_secs(12 + 30 + 5 + 3);

/// Every stream of the demo comes to the state of the origin's table, and what a newcomer breaks, breaks.
#[test]
fn the_demo_streams_reach_their_states() {
    let began = Instant::now();
    let demo = Demo::start();
    let mut seen: BTreeMap<&str, Seen> = BTreeMap::new();
    let mut late: Vec<&str> = vec!["none was seen"];
    while !late.is_empty() && began.elapsed() < DEADLINE {
        for stream in demo.streams() {
            let row = DEMO.iter().find(|row| stream["link_id"] == row.id).unwrap();
            let one = seen.entry(row.id).or_default();
            one.now = stream["health"]["state"].as_str().unwrap().to_owned();
            one.healths.insert(one.now.clone());
            one.playlists.extend(stream["playlist_state"].as_str().map(str::to_owned));
        }
        let expected = |row: &&DemoStream| {
            seen.get(row.id).is_some_and(|one| one.is_as_expected(row)) && has_codes(&demo, row)
        };
        late = DEMO.iter().filter(|row| !expected(row)).map(|row| row.id).collect();
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(late.is_empty(), "not as expected after {:?}: {late:?}", began.elapsed());
    break_and_heal(&demo);
    let data = demo.data.clone();
    assert_eq!(demo.running.end(), 0);
    assert!(!std::path::Path::new(&data).exists(), "nothing stays behind");
}

fn has_codes(demo: &Demo, row: &DemoStream) -> bool {
    // Asking costs a process: only where there is something to find.
    row.codes.is_empty()
        || demo.codes(row.id).is_superset(&row.codes.iter().map(|code| (*code).to_owned()).collect())
}

fn break_and_heal(demo: &Demo) {
    let (status, listed) = demo.request("GET /local/demo", "");
    assert_eq!(status, 200, "{listed}");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["streams"].as_array().unwrap().len(), DEMO.len());
    let id = demo.stream("steady")["id"].clone();
    let fault = |fault: Value| {
        demo.request("POST /local/demo/fault", &json!({"stream": id, "fault": fault}).to_string())
    };
    let known: Vec<Value> = listed["faults"].as_array().unwrap().iter().map(|f| f["id"].clone()).collect();
    assert!(known.contains(&json!("playlist-503")), "{known:?}");
    assert_eq!(fault(json!("playlist-503")).0, 204);
    wait("UNHEALTHY", || (demo.stream("steady")["health"]["state"] == "unhealthy").then_some(()));
    assert_eq!(fault(Value::Null).0, 204);
    wait("a playlist that advances", || (demo.stream("steady")["playlist_state"] == "Live").then_some(()));
    for (asked, expected) in [("earthquake", "playlist-503"), ("own", "nothing was wrong")] {
        let (status, why) = fault(json!(asked));
        assert!(status == 422 && why.contains(expected), "{status} {why}");
    }
    assert_eq!(demo.request("POST /local/demo/fault", r#"{"stream": "x", "fault": null}"#).0, 404);
    let keyless = request(&demo.address, "POST /local/demo/fault", &[], "{}");
    assert_eq!(keyless.0, 401, "{keyless:?}");
}

/// `hlsops demo | head -1`.
#[test]
fn a_reader_who_leaves_does_not_end_the_demo() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let demo = Running::start_unread(&["demo", "--port", &port]);
    let address = format!("127.0.0.1:{port}");
    wait("its answer", || {
        try_request(&address, "GET /api/v1/health", &[], "").ok().filter(|(status, _)| *status == 200)
    });
    assert_eq!(demo.end(), 0);
}

#[test]
fn the_terminal_shows_them_without_a_table() {
    let output = hlsops(&["demo", "--terminal", "--for", "3s"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for row in &DEMO {
        assert!(text.contains(row.id), "{} is missing in:\n{text}", row.id);
    }
}
