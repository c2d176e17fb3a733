//! An origin in a process of its own, so that its CPU time does not count for those who fetch from it.

use std::io::{BufRead, Write, stdin, stdout};
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use hlsops_origin::{Entry, Fault, FaultKind, Origin, OriginConfig, StreamSpec, TarpitMode};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use url::Url;

use crate::child::Answering;
use crate::{BenchError, stand};

/// The longest an origin process lives. Unit: seconds.
const MAX_LIFE_S: u64 = 3_600;

/// Time an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an origin process serves: masters of 4 s transport stream segments.
#[derive(Args, Clone, Copy, Debug)]
pub struct OriginOptions {
    /// Good streams.
    #[arg(long)]
    pub good: usize,
    /// Tar pits: one byte a second, whatever is asked for.
    #[arg(long, default_value_t = 0)]
    pub tarpits: usize,
    /// Distinct loopback addresses; streams are dealt out over them.
    #[arg(long, default_value_t = 1)]
    pub hosts: u8,
}

/// Serves until its input ends: answers `FROM UNTIL` (milliseconds since 1970) with what it served between.
///
/// # Errors
/// If it cannot serve.
pub async fn serve(options: OriginOptions) -> Result<(), BenchError> {
    let listen = if options.hosts < 2 {
        vec![SocketAddr::from(([127, 0, 0, 1], 0))]
    } else {
        stand::hosts(options.hosts)
    };
    let origin = Origin::start(OriginConfig { listen, demo: false }).await?;
    let mut urls = Vec::new();
    for number in 0..options.good + options.tarpits {
        let name = format!("stream-{number}");
        origin.add_stream(&name, StreamSpec::DEFAULT)?;
        if number >= options.good {
            origin.set_fault(&name, Fault::new(FaultKind::Tarpit(TarpitMode::Drip)))?;
        }
        urls.push(origin.url_at(number, &name));
    }
    let life = Duration::from_secs(MAX_LIFE_S);
    // Out of time is an end like any other: nobody asks any more.
    let _ = tokio::time::timeout(life, answer(&origin, &urls)).await;
    origin.stop().await;
    Ok(())
}

async fn answer(origin: &Origin, urls: &[String]) -> std::io::Result<()> {
    let mut questions = questions();
    let mut line = json!(urls).to_string();
    loop {
        writeln!(stdout(), "{line}")?;
        let Some(question) = questions.recv().await else { return Ok(()) };
        let mut words = question.split_whitespace().map(|word| word.parse::<u64>().unwrap_or_default());
        let (from, until) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        line = served(origin, from, until).to_string();
    }
}

/// The lines of the standard input, read by a thread that ends with the process: nothing has to wait for it.
fn questions() -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn served(origin: &Origin, from: u64, until: u64) -> Value {
    let mut sum = Served::default();
    for stream in origin.streams() {
        for entry in origin.ledger_since(&stream, from).iter().filter(|entry| entry.at_ms < until) {
            sum.add(entry);
        }
    }
    json!({"playlists": sum.playlists, "segments": sum.segments, "bytes": sum.bytes, "refused": sum.refused})
}

/// What an origin served in some time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Served {
    /// Requests for playlists of both kinds.
    pub playlists: u64,
    /// Requests for segments.
    pub segments: u64,
    /// Bytes of all bodies.
    pub bytes: u64,
    /// Answers other than 200.
    pub refused: u64,
}

impl Served {
    fn add(&mut self, entry: &Entry) {
        match entry.kind {
            "master" | "playlist" => self.playlists += 1,
            _ => self.segments += 1,
        }
        self.bytes += entry.bytes;
        self.refused += u64::from(entry.status != 200);
    }
}

/// An origin process, as its parent sees it.
#[derive(Debug)]
pub struct OriginChild {
    process: Answering,
    /// The streams' URLs, the good ones first.
    pub urls: Vec<Url>,
}

impl OriginChild {
    /// Starts it; this program must take the hidden command `origin` with [`OriginOptions`].
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(options: OriginOptions) -> Result<Self, BenchError> {
        let arguments = [
            "origin".to_owned(),
            format!("--good={}", options.good),
            format!("--tarpits={}", options.tarpits),
            format!("--hosts={}", options.hosts),
        ];
        let mut process = Answering::start("origin", &arguments)?;
        let answer = process.answer(PATIENCE).await?;
        let texts = answer.as_array().into_iter().flatten().filter_map(Value::as_str);
        let urls = texts.map(Url::parse).collect::<Result<_, _>>()?;
        Ok(Self { process, urls })
    }

    /// What it served in this time. Unit: milliseconds since 1970.
    ///
    /// # Errors
    /// If it is gone.
    pub async fn served(&mut self, from_ms: u64, until_ms: u64) -> Result<Served, BenchError> {
        let answer = self.process.ask(&format!("{from_ms} {until_ms}"), PATIENCE).await?;
        let count = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or_default();
        Ok(Served {
            playlists: count("playlists"),
            segments: count("segments"),
            bytes: count("bytes"),
            refused: count("refused"),
        })
    }

    /// Ends it.
    pub async fn end(self) {
        self.process.end().await;
    }
}
