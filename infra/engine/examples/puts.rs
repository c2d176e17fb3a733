//! Prints how many items a second the engine takes on this machine's disk, for each durability.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use hlsops_engine::{Durability, Engine, EngineConfig, TableSpec, ensure_table};
use std::{
    error::Error,
    path::PathBuf,
    time::{Duration, Instant},
};

const TABLE: &str = "hlsops";
const RUN: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let base = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    for (name, durability) in [
        ("memory", None),
        ("process", Some(Durability::Process)),
        ("power loss", Some(Durability::PowerLoss)),
    ] {
        let dir = base.join(format!("hlsops-puts-{}-{}", name.replace(' ', "-"), std::process::id()));
        let engine = match durability {
            Some(durability) => Engine::open(EngineConfig { durability, ..EngineConfig::new(&dir) })?,
            None => Engine::in_memory()?,
        };
        ensure_table(&engine.client(), &TableSpec::new(TABLE)).await?;
        for writers in [1, 8] {
            let puts = puts_per_second(&engine, writers).await?;
            println!("{name:<10} {writers} writers: {puts:>6.0} puts/s");
        }
        drop(engine);
        if durability.is_some() {
            std::fs::remove_dir_all(&dir)?;
        }
    }
    Ok(())
}

async fn puts_per_second(engine: &Engine, writers: u32) -> Result<f64, Box<dyn Error>> {
    let until = Instant::now() + RUN;
    let tasks: Vec<_> =
        (0..writers).map(|writer| tokio::spawn(put_until(engine.client(), writer, until))).collect();
    let mut puts = 0;
    for task in tasks {
        puts += task.await??;
    }
    Ok(f64::from(puts) / RUN.as_secs_f64())
}

async fn put_until(client: Client, writer: u32, until: Instant) -> Result<u32, aws_sdk_dynamodb::Error> {
    let mut row = 0;
    while Instant::now() < until {
        client
            .put_item()
            .table_name(TABLE)
            .item("pk", AttributeValue::S(format!("S#{writer}")))
            .item("sk", AttributeValue::S(format!("M#{row:09}")))
            .item("log", AttributeValue::S("x".repeat(400)))
            .send()
            .await?;
        row += 1;
    }
    Ok(row)
}
