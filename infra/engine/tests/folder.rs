//! What concerns the folder: its lock, its bound, its backups.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod support;

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    types::{Delete, Put, TransactWriteItem},
};
use hlsops_engine::{DATABASE_FILE, Engine, EngineConfig, EngineError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use support::{Folder, TABLE, get, item, key, number, put, reasons, sort_keys, table, text};

#[tokio::test]
async fn a_folder_is_created_and_keeps_its_data() {
    let folder = Folder::new("keeps");
    let nested = folder.path().join("a/b");
    {
        let engine = Engine::open(EngineConfig::new(&nested)).unwrap();
        table(&engine.client()).await;
        put(&engine.client(), item("S#1", "A#CFG", [("name", text("one"))])).await;
    }
    let engine = Engine::open(EngineConfig::new(&nested)).unwrap();
    table(&engine.client()).await;
    assert_eq!(get(&engine.client(), "S#1", "A#CFG").await.unwrap()["name"], text("one"));
}

#[cfg(unix)]
#[tokio::test]
async fn data_and_copies_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("private");
    let [data, copy, restored] = ["data", "copy", "restored"].map(|name| folder.path().join(name));
    let engine = Engine::open(EngineConfig::new(&data)).unwrap();
    table(&engine.client()).await;
    engine.backup(&copy).await.unwrap();
    Engine::restore(&copy, &restored).unwrap();
    for path in [&data, &copy, &restored, &restored.join(DATABASE_FILE)] {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
    }
}

#[tokio::test]
async fn a_folder_has_one_engine_and_the_message_says_who() {
    let folder = Folder::new("lock");
    let first = Engine::open(folder.config()).unwrap();
    let client = first.client();
    let message = Engine::open(folder.config()).unwrap_err().to_string();
    for part in [folder.path().to_str().unwrap(), &std::process::id().to_string(), "choose another folder"] {
        assert!(message.contains(part), "{message}");
    }
    drop(first);
    assert!(Engine::open(folder.config()).is_err(), "a client keeps the folder open");
    drop(client);
    Engine::open(folder.config()).unwrap();
}

#[test]
fn settings_out_of_range_are_named() {
    let folder = Folder::new("range");
    for (config, expected) in [
        (EngineConfig { max_bytes: 1, ..folder.config() }, "max_bytes is 1, and must be at least 262144"),
        (
            EngineConfig { max_concurrent: 0, ..folder.config() },
            "max_concurrent is 0, and must be at least 1",
        ),
    ] {
        assert_eq!(Engine::open(config).unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = Folder::new("damaged");
    std::fs::write(folder.path().join(DATABASE_FILE), "not a database at all".repeat(100)).unwrap();
    let message = Engine::open(folder.config()).unwrap_err().to_string();
    assert!(message.contains(DATABASE_FILE) && message.contains("restore a backup"), "{message}");
}

const BOUND: u64 = 512 * 1024;

/// Writes rows of 4 kB until one is refused; returns how many got in.
async fn fill(client: &Client) -> usize {
    for row in 0..1_000 {
        let full = item("S#1", &format!("M#{row:04}"), [("log", text("x".repeat(4_000)))]);
        if let Err(error) = client.put_item().table_name(TABLE).set_item(Some(full)).send().await {
            let error = error.into_service_error();
            assert!(error.is_item_collection_size_limit_exceeded_exception(), "{error:?}");
            return row;
        }
    }
    panic!("never refused");
}

#[tokio::test]
async fn a_full_folder_refuses_writes_and_says_why() {
    let folder = Folder::new("full");
    let engine = Engine::open(EngineConfig { max_bytes: BOUND, ..folder.config() }).unwrap();
    let client = engine.client();
    table(&client).await;
    let rows = fill(&client).await;
    assert!(rows > 50, "only {rows} rows fitted");

    let refused = client.put_item().table_name(TABLE).set_item(Some(key("S#2", "M"))).send().await;
    let refused = refused.unwrap_err();
    for part in [folder.path().to_str().unwrap(), &BOUND.to_string(), "raise max_bytes"] {
        assert!(refused.message().unwrap().contains(part), "{refused:?}");
    }
    let size = std::fs::metadata(folder.path().join(DATABASE_FILE)).unwrap().len();
    assert!(size < BOUND + BOUND / 10, "the file has {size} bytes");
    let usage = engine.usage().unwrap().unwrap();
    assert!(usage.used_bytes >= BOUND && usage.max_bytes == BOUND, "{usage:?}");

    assert!(get(&client, "S#1", "M#0000").await.is_some(), "reads still work");
    for row in 0..rows / 2 {
        let gone = key("S#1", &format!("M#{row:04}"));
        client.delete_item().table_name(TABLE).set_key(Some(gone)).send().await.unwrap();
    }
    put(&client, key("S#2", "M")).await;
}

#[tokio::test]
async fn a_full_folder_refuses_a_transaction_unless_it_only_deletes() {
    let folder = Folder::new("full-transaction");
    let engine = Engine::open(EngineConfig { max_bytes: BOUND, ..folder.config() }).unwrap();
    let client = engine.client();
    table(&client).await;
    fill(&client).await;

    let put = Put::builder().table_name(TABLE).set_item(Some(key("S#2", "M"))).build().unwrap();
    let put = TransactWriteItem::builder().put(put).build();
    let refused = client.transact_write_items().transact_items(put.clone()).transact_items(put).send().await;
    let reasons = reasons(refused.unwrap_err().into_service_error());
    assert_eq!(reasons.len(), 2);
    assert_eq!(reasons[0].code(), Some("ItemCollectionSizeLimitExceeded"));
    assert!(reasons[0].message().unwrap().contains("is full"), "{reasons:?}");

    let gone = Delete::builder().table_name(TABLE).set_key(Some(key("S#1", "M#0000"))).build().unwrap();
    let gone = TransactWriteItem::builder().delete(gone).build();
    client.transact_write_items().transact_items(gone).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_consistent_under_writers_and_can_be_opened() {
    let folder = Folder::new("backup");
    let engine = Engine::open(folder.config()).unwrap();
    table(&engine.client()).await;
    for row in 0..300 {
        put(&engine.client(), item("S#0", &format!("M#{row:04}"), [("log", text("x".repeat(2_000)))])).await;
    }
    // Each writer keeps a pair of rows equal in one transaction: a torn copy would show.
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..4).map(|writer| tokio::spawn(write_pairs(engine.client(), writer, Arc::clone(&stop)))).collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let copies = Folder::new("copies");
    for copy in 0..3 {
        engine.backup(copies.path().join(format!("{copy}.backup"))).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap();
    }
    assert!(written > 8, "writers went on: {written}");

    for copy in 0..3 {
        let restored = Folder::new("restored");
        Engine::restore(&copies.path().join(format!("{copy}.backup")), restored.path()).unwrap();
        let client = Engine::open(restored.config()).unwrap().client();
        table(&client).await;
        assert!(get(&client, "S#0", "M#0299").await.is_some());
        for writer in 0..4 {
            let [left, right] = ["L", "R"].map(|sk| (format!("W#{writer}"), sk));
            let left = get(&client, &left.0, left.1).await.map(|item| item["n"].clone());
            let right = get(&client, &right.0, right.1).await.map(|item| item["n"].clone());
            assert_eq!(left, right, "copy {copy} is torn");
        }
    }
}

async fn write_pairs(client: Client, writer: u32, stop: Arc<AtomicBool>) -> i64 {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        count += 1;
        let pair = ["L", "R"].map(|sk| {
            let item = item(&format!("W#{writer}"), sk, [("n", number(count))]);
            let put = Put::builder().table_name(TABLE).set_item(Some(item)).build().unwrap();
            TransactWriteItem::builder().put(put).build()
        });
        client.transact_write_items().set_transact_items(Some(pair.to_vec())).send().await.unwrap();
    }
    count
}

#[tokio::test]
async fn nothing_is_overwritten_and_only_backups_are_restored() {
    let folder = Folder::new("overwrite");
    let engine = Engine::open(folder.config()).unwrap();
    table(&engine.client()).await;
    let copy = folder.path().join("copy");
    engine.backup(&copy).await.unwrap();
    assert!(matches!(engine.backup(&copy).await, Err(EngineError::Exists { .. })));

    assert!(matches!(Engine::restore(&copy, folder.path()), Err(EngineError::FolderInUse { .. })));
    drop(engine);
    assert!(matches!(Engine::restore(&copy, folder.path()), Err(EngineError::Exists { .. })));

    let text = folder.path().join("text");
    std::fs::write(&text, "no database").unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    for file in [&text, &empty, &folder.path().join("missing")] {
        let refused = Engine::restore(file, &folder.path().join("new"));
        assert!(matches!(refused, Err(EngineError::NotABackup { .. })), "{file:?}: {refused:?}");
    }
}

#[tokio::test]
async fn an_engine_in_memory_is_backed_up_too() {
    let folder = Folder::new("memory");
    let engine = support::engine().await;
    put(&engine.client(), key("S#1", "M#1")).await;
    engine.backup(folder.path().join(DATABASE_FILE)).await.unwrap();
    let client = Engine::open(folder.config()).unwrap().client();
    let found = client.scan().table_name(TABLE).send().await.unwrap();
    assert_eq!(sort_keys(found.items()), ["M#1"]);
}
