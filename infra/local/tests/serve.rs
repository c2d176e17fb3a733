//! `hlsops serve` and the commands that speak with it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use hlsops_origin::{Fault, FaultKind, Layout, Origin, OriginConfig, SegmentLength, StreamSpec};
use serde_json::{Value, json};
use support::{Folder, Running, asked, endpoint, hlsops, request, said, wait};

const SPEC: StreamSpec =
    StreamSpec { layout: Layout::Media, segment: SegmentLength::S2, ..StreamSpec::DEFAULT };

/// An origin with one stream, and a server that may reach it.
struct World {
    origin: Origin,
    folder: Folder,
    data: String,
    server: Option<Running>,
    /// The origin's.
    _runtime: tokio::runtime::Runtime,
}

impl World {
    fn new(name: &str) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let origin = runtime.block_on(Origin::start(OriginConfig::default())).unwrap();
        origin.add_stream("tv", SPEC).unwrap();
        let folder = Folder::new(name);
        let data = folder.file("data");
        let mut world = Self { origin, folder, data, server: None, _runtime: runtime };
        world.serve();
        world
    }

    fn serve(&mut self) {
        let target = self.origin.addresses()[0].to_string();
        let args = ["serve", "--data", &self.data, "--listen", "127.0.0.1:0", "--allow-target", &target];
        let server = Running::start(&args);
        endpoint(&self.data, server.id());
        self.server = Some(server);
    }

    fn server(&mut self) -> &mut Running {
        self.server.as_mut().unwrap()
    }

    fn end(&mut self) -> i32 {
        self.server.take().unwrap().end()
    }

    /// `hlsops ARGS --data DATA --json`.
    #[track_caller]
    fn ask(&self, args: &[&str]) -> Value {
        asked(&[args, &["--data", &self.data]].concat())
    }

    /// `hlsops ARGS --data DATA`: exit code, and both outputs.
    fn say(&self, args: &[&str]) -> (i32, String) {
        let (code, out, error) = said(&[args, &["--data", &self.data]].concat());
        (code, out + &error)
    }

    fn address(&mut self) -> String {
        let process = self.server().id();
        endpoint(&self.data, process)["address"].as_str().unwrap().to_owned()
    }

    fn add_tv(&self) -> String {
        let url = self.origin.url("tv");
        let added = self.ask(&["stream", "add", &url, "--name", "TV one", "--link-id", "tv1"]);
        added["id"].as_str().unwrap().to_owned()
    }

    fn state(&self, id: &str) -> Value {
        self.ask(&["stream", "show", id])["health"]["state"].clone()
    }
}

#[test]
fn a_stream_is_watched_breaks_is_taken_and_removed() {
    let mut world = World::new("life");
    let welcome = world.server().line_with("/#key=");
    assert!(welcome.contains("http://127.0.0.1:") && welcome.contains("#key=hlsops_"), "{welcome}");
    let id = world.add_tv();
    assert!(id.starts_with("str_") && id.len() == 30, "{id}");
    wait("HEALTHY", || (world.state(&id) == "healthy").then_some(()));
    // By id, link id and name.
    for named in [id.as_str(), "tv1", "TV one"] {
        let (code, text) = world.say(&["stream", "show", named]);
        assert!(code == 0 && text.contains("HEALTHY") && text.contains(&id), "{text}");
    }
    world.origin.set_fault("tv", Fault::new(FaultKind::PlaylistStatus(503))).unwrap();
    let incidents = wait("an incident", || {
        let open = world.ask(&["incidents", "--open", "--stream", "tv1"]);
        open.as_array().is_some_and(|all| !all.is_empty()).then_some(open)
    });
    assert_eq!(incidents.as_array().unwrap().len(), 1, "{incidents}");
    let incident = incidents[0]["id"].as_str().unwrap();
    let taken = world.ask(&["incident", "ack", incident, "--by", "Ada"]);
    assert_eq!((&taken["status"], &taken["acknowledged_by"]), (&"acknowledged".into(), &"Ada".into()));
    for list in [&["incidents"][..], &["incidents", "--open"]] {
        let (code, table) = world.say(list);
        assert!(code == 0 && table.contains("ACKNOWLEDGED") && table.contains("Ada"), "{table}");
    }
    let (code, text) = world.say(&["incident", "ack", incident, "--by", "Bob"]);
    assert!(code == 0 && text.contains("already acknowledged by Ada at 20"), "{text}");
    let again = world.ask(&["incident", "ack", incident, "--by", "Bob"]);
    assert!(again["note"].as_str().is_some_and(|note| note.contains("Ada")), "{again}");
    assert!(taken["note"].is_null(), "{taken}");
    let (code, text) = world.say(&["incident", "unack", incident]);
    assert!(code == 0 && text.starts_with("given back"), "{text}");
    assert!(world.say(&["incident", "unack", incident]).1.contains("nobody had acknowledged it"));
    assert_eq!(world.ask(&["incidents", "--open"])[0]["status"], "open");
    let timeline = world.ask(&["timeline", "tv1", "--since", "10m"]);
    let kinds: Vec<&str> =
        timeline.as_array().unwrap().iter().filter_map(|entry| entry["kind"].as_str()).collect();
    assert!(kinds.contains(&"incident") && kinds.contains(&"load_failed"), "{kinds:?}");
    let (code, lines) = world.say(&["timeline", "tv1"]);
    assert!(code == 0 && lines.contains("incident") && lines.contains("503"), "{lines}");
    // Each says which one it was in the same words, however it was named.
    let told = |done: &str| (0, format!("{done} TV one ({id})\n"));
    assert_eq!(world.say(&["stream", "pause", "tv1"]), told("paused"));
    assert_eq!(world.state(&id), "paused");
    assert_eq!(world.say(&["stream", "resume", &id]), told("resumed"));
    assert_eq!(world.say(&["stream", "remove", "tv1"]), told("removed"));
    assert_eq!(world.ask(&["stream", "list"]), Value::Array(Vec::new()));
    assert_eq!(world.end(), 0);
    assert!(!std::path::Path::new(&world.data).join("serve.json").exists());
}

#[test]
fn backups_keys_and_imports() {
    let mut world = World::new("copies");
    let id = world.add_tv();
    // A backup while the server runs, and never over another one.
    let file = world.folder.file("backup");
    assert!(world.ask(&["backup", &file])["size_bytes"].as_u64().unwrap() > 0);
    let (code, why) = world.say(&["backup", &file]);
    assert!(code == 1 && why.contains("exists"), "{code} {why}");
    let made = world.ask(&["key", "new", "wall screen"]);
    let (secret, key) = (made["secret"].as_str().unwrap(), made["id"].as_str().unwrap());
    let address = world.address();
    let bearer = format!("Authorization: Bearer {secret}");
    assert_eq!(request(&address, "GET /api/v1/streams", &[&bearer], "").0, 200);
    assert_eq!(request(&address, "GET /api/v1/keys", &[&bearer], "").0, 403, "a viewer");
    assert_eq!(request(&address, "GET /local/self", &[&bearer], "").0, 401, "not the key of this run");
    let (_, keys) = world.say(&["key", "list"]);
    assert!(keys.contains("first key") && keys.contains("wall screen") && !keys.contains(secret), "{keys}");
    assert_eq!(world.say(&["key", "revoke", key]).0, 0);
    assert_eq!(request(&address, "GET /api/v1/streams", &[&bearer], "").0, 401);
    import(&world);
    assert_eq!(world.end(), 0);
    // Nobody serves: the same commands work in their own process.
    let names = |list: Value| -> Vec<String> {
        let mut all: Vec<_> =
            list.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(names(world.ask(&["stream", "list"])), ["News", "Sport", "TV one"]);
    let restored = world.folder.file("restored");
    let (code, out, error) = said(&["restore", &file, "--data", &restored]);
    assert_eq!(code, 0, "{out}{error}");
    let list = asked(&["stream", "list", "--data", &restored]);
    assert_eq!((list[0]["id"].as_str(), list.as_array().unwrap().len()), (Some(id.as_str()), 1));
    let again = world.folder.file("backup2");
    assert_eq!(world.say(&["backup", &again]).0, 0);
}

fn import(world: &World) {
    let file = world.folder.file("streams.json");
    let entries = |urls: [&str; 2]| {
        format!(
            r#"{{"streams": [{{"id": "news-1", "name": "News", "manifest_url": "{}", "status": "online"}},
                {{"id": "0f8fad5b-d9cb-469f-a165-70867728950e", "name": "Sport", "manifest_url": "{}"}}]}}"#,
            urls[0], urls[1]
        )
    };
    let outcomes = |lines: &Value| -> Vec<String> {
        lines.as_array().unwrap().iter().map(|line| line["outcome"].as_str().unwrap().to_owned()).collect()
    };
    let count = || world.ask(&["stream", "list"]).as_array().unwrap().len();
    // One that cannot be added keeps the other out, whether the file or the server says so.
    for wrong in ["ftp://example.com/b.m3u8", "http://10.1.2.3/b.m3u8"] {
        std::fs::write(&file, entries(["https://example.com/a.m3u8", wrong])).unwrap();
        let (code, text) = world.say(&["import", &file]);
        assert!(code == 1 && text.contains("FAILED") && text.contains("nothing was stored"), "{code} {text}");
        assert!(!wrong.starts_with("http:") || text.contains("--allow-target 10.1.2.3:80"), "{text}");
        assert_eq!(count(), 1, "{text}");
    }
    std::fs::write(&file, entries(["https://example.com/a.m3u8", "https://example.com/b.m3u8"])).unwrap();
    assert_eq!(outcomes(&world.ask(&["import", &file, "--dry-run"])), ["added", "added"]);
    let (_, text) = world.say(&["import", &file, "--dry-run"]);
    assert!(text.contains("nothing was added; 2 would be added"), "{text}");
    assert_eq!(count(), 1);
    assert_eq!(outcomes(&world.ask(&["import", &file])), ["added", "added"]);
    assert_eq!(outcomes(&world.ask(&["import", &file])), ["unchanged", "unchanged"]);
    assert_eq!(count(), 3);
    let list = world.ask(&["stream", "list"]);
    let sport = list.as_array().unwrap().iter().find(|stream| stream["name"] == "Sport").unwrap();
    assert_eq!(sport["link_id"], "0f8fad5bd9cb469fa16570867728950e");
}

#[test]
fn one_process_has_a_folder() {
    let mut world = World::new("locked");
    let output = hlsops(&["serve", "--data", &world.data, "--listen", "127.0.0.1:0"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let holder = format!("in use by process {}", world.server().id());
    assert!(text.contains(&holder) && text.contains("another folder"), "{text}");
    // Killed, it leaves its endpoint behind; the folder can be used all the same, by commands and by a server.
    let id = world.add_tv();
    world.server = None;
    assert!(std::path::Path::new(&world.data).join("serve.json").exists());
    assert_eq!(world.ask(&["stream", "list"])[0]["id"], id.as_str());
    world.serve();
    wait("HEALTHY after a restart", || (world.state(&id) == "healthy").then_some(()));
}

/// What a killed server left behind names an address that another program has by now, which never answers.
#[test]
fn a_start_does_not_wait_for_another_program() {
    let folder = Folder::new("silent");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let left = json!({"address": format!("http://{address}"), "key": "k", "pid": 1});
    std::fs::write(folder.file("serve.json"), left.to_string()).unwrap();
    let data = folder.path().to_str().unwrap();
    let args = ["serve", "--data", data, "--listen", &address];
    let (code, _, error) = said(&args);
    assert!(code == 69 && error.contains("choose another with --listen"), "{code} {error}");
    let first = silent.accept().unwrap();
    // Who asks can be told to end while it waits.
    let asking = Running::start(&args);
    let second = silent.accept().unwrap();
    assert_eq!(asking.end(), 0);
    drop((first, second));
}

#[test]
fn names_of_others_and_pages_of_others_are_refused() {
    let mut world = World::new("names");
    let address = world.address();
    let get = |head: &str, headers: &[&str]| request(&address, head, headers, "");
    let (status, body) = get("GET /api/v1/health", &["Host: evil.example"]);
    assert!(status == 403 && body.contains("--public-url"), "{status} {body}");
    assert!(
        body.contains("\"request_id\":\"req_") && body.contains("\"instance\":\"/api/v1/health\""),
        "{body}"
    );
    assert_eq!(get("GET /api/v1/health", &["Origin: http://evil.example"]).0, 403);
    let (status, body) = get("GET /api/v1/health", &[]);
    assert!(status == 200 && body.contains("\"status\""), "{status} {body}");
    assert_eq!(get("GET /api/v1/streams", &[]).0, 401);
    assert_eq!(get("GET /local/self", &[]).0, 401);
    let process = world.server().id();
    let key = endpoint(&world.data, process)["key"].as_str().unwrap().to_owned();
    let bearer = format!("Authorization: Bearer {key}");
    assert_eq!(get("GET /local/self", &[&bearer]).0, 200);
    let relative = request(&address, "POST /local/backup", &[&bearer], r#"{"to": "x"}"#);
    assert!(relative.0 == 422 && relative.1.contains("whole path"), "{relative:?}");
    assert!(relative.1.contains("\"pointer\":\"/to\""), "{relative:?}");
    let unread = request(&address, "POST /local/backup", &[&bearer], "{}");
    assert!(unread.0 == 422 && unread.1.contains("\"request_id\""), "{unread:?}");
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let world = World::new("wrong");
    let _ = world.add_tv();
    let (nowhere, tv) = (world.folder.file("nothing"), world.origin.url("tv"));
    for (args, code, expected) in [
        (&["stream", "list", "--data", &nowhere][..], 2, "start `hlsops serve"),
        (&["stream", "show", "nobody"], 1, "`hlsops stream list` shows"),
        (&["stream", "add", "nonsense"], 64, "https://host/path.m3u8"),
        (&["stream", "add", &tv, "--interval", "5s"], 64, "10s and 1h"),
        (&["stream", "add", &tv, "--threshold", "nonsense=3"], 1, "nonsense"),
        (&["stream", "add", &tv, "--threshold", "x"], 64, "name=value"),
        (
            &["stream", "add", &tv, "--threshold", "window_ms=6e4", "--threshold", "window_ms=9e4"],
            64,
            "--threshold window_ms: it is given twice, as 60000 and as 90000",
        ),
        (&["stream", "add", &tv, "--link-id", "a b"], 1, "--link-id: 1 to 32"),
        (&["stream", "add", "http://10.1.2.3/a.m3u8"], 1, "--allow-target"),
        (&["stream", "add", "http://127.0.0.1:1/a.m3u8"], 1, "--allow-target"),
        (&["incident", "ack", "inc_unknown"], 1, "`hlsops incidents` shows"),
        (&["timeline", "tv1", "--since", "soon"], 64, "1h"),
        (&["key", "revoke", "key_unknown"], 1, "`hlsops key list` shows"),
        (&["import", &nowhere], 66, "cannot read"),
        (&["backup", "/"], 1, "exists"),
        (&["serve", "--listen", "nowhere"], 64, "--listen"),
        (&["serve", "--allow-target", "10.0.0.0/8"], 64, "--allow-target"),
    ] {
        let given = args.contains(&"--data");
        let data = ["--data", &world.data];
        let all = if given { args.to_vec() } else { [args, &data[..]].concat() };
        let (found, out, error) = said(&all);
        assert_eq!(found, code, "{args:?}: {out}{error}");
        assert!(error.contains(expected), "{args:?} does not say `{expected}`: {error}");
    }
    // Two of a name are told apart by their ids only.
    let second = world.ask(&["stream", "add", &tv, "--name", "TV one", "--force"]);
    assert!(second["warnings"].to_string().contains("TV one"), "{second}");
    let (code, text) = world.say(&["stream", "show", "TV one"]);
    assert!(code == 1 && text.contains("more than one"), "{text}");
    // The same URL may be meant, and is told.
    let double = ["stream", "add", &tv, "--name", "Third"];
    let (code, text) = world.say(&double);
    assert!(code == 1 && text.contains("TV one (str_") && text.contains("--force"), "{text}");
    let (_, text) = world.say(&[&double[..], &["--force"]].concat());
    assert_eq!(text.matches("note: ").count(), 1, "{text}");
    assert!(text.contains("TV one"), "{text}");
    // A stream that is down now is added when that is meant.
    world.origin.set_fault("tv", Fault::new(FaultKind::PlaylistStatus(503))).unwrap();
    let (code, text) = world.say(&["stream", "add", &tv, "--name", "Down"]);
    assert!(code == 1 && text.contains("--force"), "{text}");
    assert_eq!(world.say(&["stream", "add", &tv, "--name", "Down", "--force"]).0, 0);
}

#[test]
fn what_is_refused_is_said_once_and_in_the_words_of_the_command_line() {
    let world = World::new("words");
    let tv = world.origin.url("tv");
    let (code, text) = world.say(&["stream", "add", &tv, "--name", ""]);
    assert_eq!((code, text.matches("1 to 120 characters").count()), (1, 1), "{text}");
    assert!(text.starts_with("hlsops stream: --name: 1 to 120") && text.contains("(EC100)"), "{text}");
    let (_, text) = world.say(&["stream", "add", &tv, "--name", "", "--threshold", "nonsense=3", "--force"]);
    for part in ["\n  --name: ", "\n  --threshold nonsense: "] {
        assert_eq!(text.matches(part).count(), 1, "{part} in {text}");
    }
    let (_, text) = world.say(&["stream", "add", "http://10.1.2.3/a.m3u8"]);
    assert_eq!(text.matches("is not a public address").count(), 1, "{text}");
    assert!(text.contains("--allow-target 10.1.2.3:80") && text.contains("HLSOPS_ALLOW_TARGETS"), "{text}");
}

#[test]
fn secrets_are_shown_when_they_are_asked_for() {
    let world = World::new("secrets");
    let url = format!("{}?token=abc", world.origin.url("tv"));
    let header = "Authorization: Bearer q";
    let added = world.ask(&["stream", "add", &url, "--name", "TV", "--header", header, "--paused"]);
    assert_eq!(added["request_headers"][0]["value"], "***");
    for command in
        [&["stream", "show", "TV"][..], &["stream", "show", "TV", "--json"], &["stream", "list", "--json"]]
    {
        let (code, text) = world.say(command);
        assert!(code == 0 && !text.contains("Bearer q") && !text.contains("token=abc"), "{text}");
        let (_, text) = world.say(&[command, &["--show-secrets"]].concat());
        assert!(text.contains("Bearer q") && text.contains("token=abc"), "{text}");
    }
    let (_, text) = world.say(&["stream", "show", "TV"]);
    assert!(text.contains("authorization: ***") && text.starts_with("‖ PAUSED TV since "), "{text}");
    let threshold =
        |name: &str| text.lines().any(|line| line.starts_with(name) && line.contains("profile default"));
    assert!(threshold("ttfb_degraded_ms") && threshold("window_ms"), "{text}");
    let (_, all) = world.say(&["thresholds"]);
    assert!(all.contains("ttfb_degraded_ms") && all.contains("SEED1"), "{all}");
}

#[test]
fn keys_are_told_apart() {
    let world = World::new("keys");
    let (code, text) = world.say(&["key", "new", "wall"]);
    assert!(code == 0 && text.contains("scope viewer") && text.contains("never expires"), "{text}");
    let (code, text) = world.say(&["key", "new", "wall", "--scope", "operator", "--expires-at", "90d"]);
    assert!(code == 0 && text.contains("scope operator") && text.contains("expires 20"), "{text}");
    assert!(text.contains("there was a key `wall` already"), "{text}");
    let (code, text) = world.say(&["key", "revoke", "wall"]);
    assert_eq!((code, text.matches("\n  key_").count()), (1, 2), "{text}");
    assert_eq!(world.say(&["key", "revoke", "first key"]).0, 0);
    assert_eq!(world.ask(&["key", "list"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_restart_says_where_the_page_is() {
    let mut world = World::new("again");
    let first = world.server().line_with("Open ");
    assert!(first.contains("/#key="), "{first}");
    assert_eq!(world.end(), 0);
    world.serve();
    let address = world.address();
    let again = world.server().line_with("Open ");
    assert!(again.contains(&format!("{address}/ with a key")) && !again.contains("#key"), "{again}");
    assert!(world.server().line_with("hlsops key new").contains(&world.data));
}

#[test]
fn the_folder_may_be_named_first() {
    let world = World::new("first");
    assert_eq!(asked(&["--data", &world.data, "stream", "list"]), Value::Array(Vec::new()));
    assert_eq!(asked(&["stream", "--data", &world.data, "list"]), Value::Array(Vec::new()));
}

#[test]
fn a_user_is_not_told_of_internal_errors() {
    let mut world = World::new("codes");
    let address = world.address();
    let taken = address.strip_prefix("http://").unwrap();
    let (fresh, missing) = (world.folder.file("fresh"), world.folder.file("missing/backup"));
    let (plain, nothing) = (world.folder.file("plain"), world.folder.file("nothing"));
    std::fs::write(&plain, "no backup").unwrap();
    let data = world.data.clone();
    for (args, code, expected) in [
        (&["serve", "--data", &fresh, "--listen", taken][..], 69, "choose another with --listen"),
        (&["serve", "--data", &data, "--listen", taken], 2, "already, at http"),
        (&["serve", "--data", &plain, "--listen", "127.0.0.1:0"], 73, "plain"),
        (&["backup", &missing, "--data", &data], 73, "make that folder first"),
        (&["backup", &world.folder.file("plain/backup"), "--data", &data], 73, "is no folder"),
        (&["restore", &nothing, "--data", &fresh], 66, "cannot read"),
        (&["restore", &plain, "--data", &fresh], 66, "not a sound backup"),
        (&["import", &plain, "--data", &data], 66, "no list of streams"),
    ] {
        let (found, out, error) = said(args);
        assert_eq!(found, code, "{args:?}: {out}{error}");
        assert!(error.contains(expected), "{args:?} does not say `{expected}`: {error}");
        assert!(!std::path::Path::new(&fresh).exists(), "{args:?} leaves a folder behind");
    }
    // The same where no server runs.
    assert_eq!(world.end(), 0);
    let file = world.folder.file("backup");
    assert_eq!(world.say(&["backup", &file]).0, 0);
    let (code, text) = world.say(&["backup", &file]);
    assert!(code == 1 && text.contains("never overwritten"), "{code} {text}");
    assert_eq!(world.say(&["backup", &missing]).0, 73);
    assert_eq!(said(&["restore", &file, "--data", &data]).0, 1);
    let (code, text) = world.say(&["stream", "add", "http://10.1.2.3/a.m3u8"]);
    let way = format!("`hlsops serve --data {data} --allow-target 10.1.2.3:80`");
    assert!(code == 1 && text.contains(&way), "{text}");
}

/// Where what is shown may be old, that is said; where nothing is shown, only what follows from it.
#[test]
fn that_nobody_watches_is_said_where_it_matters() {
    let mut world = World::new("unwatched");
    world.add_tv();
    assert_eq!(world.end(), 0);
    let said = |args: &[&str]| {
        let (code, text) = world.say(args);
        assert_eq!(code, 0, "{args:?}: {text}");
        text
    };
    for shows in [&["stream", "list"][..], &["stream", "show", "tv1"], &["incidents"], &["timeline", "tv1"]] {
        assert!(said(shows).contains("nobody watches, and what is shown"), "{shows:?}");
    }
    let url = "https://example.com/live.m3u8";
    for changes in [
        &["stream", "pause", "tv1"][..],
        &["stream", "add", url, "--force", "--paused", "--name", "Later"],
        &["stream", "remove", "Later"],
        &["thresholds"],
        &["key", "list"],
    ] {
        assert!(!said(changes).contains("no server runs"), "{changes:?}");
    }
    for begins in [&["stream", "resume", "tv1"][..], &["stream", "add", url, "--force", "--name", "Now"]] {
        let text = said(begins);
        assert!(
            text.contains(&format!("it is watched once `hlsops serve --data {}` does", world.data)),
            "{text}"
        );
    }
}

/// `hlsops serve | head -1`, and `hlsops COMMAND | true`.
#[test]
fn a_reader_who_leaves_ends_nothing() {
    let folder = Folder::new("unread");
    let data = folder.file("data");
    let server = Running::start_unread(&["serve", "--data", &data, "--listen", "127.0.0.1:0"]);
    let endpoint = endpoint(&data, server.id());
    assert_eq!(request(endpoint["address"].as_str().unwrap(), "GET /api/v1/health", &[], "").0, 200);
    for (args, code) in [(&["stream", "list"][..], 0), (&["stream", "show", "nobody"], 1)] {
        let mut command = Running::start_unread(&[args, &["--data", &data]].concat());
        assert_eq!(command.wait(), code, "{args:?}");
    }
    assert_eq!(server.end(), 0);
}
