//! A killed process loses nothing it answered, and leaves no lock behind.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod support;

use aws_sdk_dynamodb::Client;
use hlsops_engine::{Durability, Engine, EngineConfig, EngineError, Holder};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use support::{Folder, Item, TABLE, item, put, table, text};

/// Names the folder to the child process, which is this test binary with one test selected.
const FOLDER: &str = "HLSOPS_ENGINE_TEST_FOLDER";
const DURABILITY: &str = "HLSOPS_ENGINE_TEST_DURABILITY";
const WRITERS: u32 = 8;
/// Written by each writer where nobody kills the process.
const ROWS: u32 = 1;
const ACKNOWLEDGED: &str = "wrote ";

/// Writes and says so. Run as a test of its own it writes a little; run as the child of the test
/// below it writes until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer() {
    let given = std::env::var_os(FOLDER);
    // None of its own for the child, which would not live to remove it.
    let own = given.is_none().then(|| Folder::new("writer"));
    let rows = if given.is_some() { u32::MAX } else { ROWS };
    let dir = given.map(PathBuf::from).or(own.as_ref().map(|own| own.path().into())).unwrap();
    let durability = match std::env::var(DURABILITY).as_deref() {
        Ok("PowerLoss") => Durability::PowerLoss,
        _ => Durability::Process,
    };
    let engine = Engine::open(EngineConfig { durability, ..EngineConfig::new(dir) }).unwrap();
    table(&engine.client()).await;
    let round = std::process::id();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let client = engine.client();
            tokio::spawn(async move {
                for row in 0..rows {
                    let [pk, sk] = [format!("S#{round}-{writer}"), format!("M#{row:09}")];
                    put(&client, item(&pk, &sk, [("log", text("x".repeat(400)))])).await;
                    // One write call, past the test harness, so that a line is whole or absent.
                    let line = format!("\n{ACKNOWLEDGED}{pk} {sk}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                    std::io::stdout().flush().unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

fn spawn_writer(folder: &Path, durability: Durability) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_writer", "--nocapture"])
        .env(FOLDER, folder)
        .env(DURABILITY, format!("{durability:?}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills a writer after some acknowledged writes; returns its keys.
fn kill_a_writer(folder: &Folder, durability: Durability, after: usize) -> BTreeSet<(String, String)> {
    let mut child = spawn_writer(folder.path(), durability);
    let mut seen = BTreeSet::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let read = |line: String| {
        let (pk, sk) = line.strip_prefix(ACKNOWLEDGED)?.split_once(' ')?;
        Some((pk.to_owned(), sk.to_owned()))
    };
    seen.extend(lines.by_ref().filter_map(read).take(after));
    let refused = Engine::open(folder.config()).unwrap_err();
    let EngineError::FolderInUse { holder, .. } = refused else { panic!("{refused}") };
    assert_eq!(holder, Holder(Some(child.id())));
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said between our last look and its end counts too.
    seen.extend(lines.filter_map(read));
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_no_acknowledged_write() {
    for durability in [Durability::Process, Durability::PowerLoss] {
        let folder = Folder::new("killed");
        let mut acknowledged = BTreeSet::new();
        for after in [1, 50, 150] {
            acknowledged.extend(kill_a_writer(&folder, durability, after));
            let stored = stored(&Engine::open(folder.config()).unwrap().client()).await;
            let lost = acknowledged.difference(&stored).collect::<Vec<_>>();
            assert!(lost.is_empty(), "{durability:?}: {lost:?}");
        }
        assert!(acknowledged.len() >= 201, "{durability:?}: {}", acknowledged.len());
    }
}

/// Every key of the table.
async fn stored(client: &Client) -> BTreeSet<(String, String)> {
    let (mut keys, mut start) = (BTreeSet::new(), None);
    loop {
        let scan = client.scan().table_name(TABLE).set_exclusive_start_key(start);
        let page = scan.send().await.unwrap();
        let text = |item: &Item, name| item[name].as_s().unwrap().clone();
        keys.extend(page.items().iter().map(|item| (text(item, "pk"), text(item, "sk"))));
        start = page.last_evaluated_key;
        if start.is_none() {
            return keys;
        }
    }
}
