//! Child processes: this program again with other arguments, so that each has its own CPU time and memory.

use std::io::stdin;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use url::Url;

use crate::BenchError;

/// A child that answers with lines of JSON. Dropping it ends it.
#[derive(Debug)]
pub struct Answering {
    role: &'static str,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Answering {
    /// Starts this program with `arguments`.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(role: &'static str, arguments: &[String]) -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(BenchError::io("cannot find this program"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(BenchError::io("cannot start a child process"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(BenchError::NoFigures { role });
        };
        Ok(Self { role, child, input, output: BufReader::new(output).lines() })
    }

    /// Its next line.
    ///
    /// # Errors
    /// If it ends, takes longer than `limit`, or says something that is not JSON.
    pub async fn answer(&mut self, limit: Duration) -> Result<Value, BenchError> {
        let role = self.role;
        let line = timeout(limit, self.output.next_line()).await;
        let line = line.map_err(|_| BenchError::TimedOut { role, limit })?;
        let line = line.map_err(BenchError::io("cannot read from a child process"))?;
        let value = line.and_then(|line| serde_json::from_str(&line).ok());
        value.ok_or(BenchError::NoFigures { role })
    }

    /// Writes a line to it and gives its next one.
    ///
    /// # Errors
    /// As [`Answering::answer`].
    pub async fn ask(&mut self, question: &str, limit: Duration) -> Result<Value, BenchError> {
        let wrote = self.input.write_all(format!("{question}\n").as_bytes()).await;
        wrote.map_err(BenchError::io("cannot write to a child process"))?;
        self.answer(limit).await
    }

    /// Waits for its end, and ends it if that takes long.
    pub async fn end(mut self) {
        drop(self.input);
        // Either way it is over: dropping the child kills what is left of it.
        let _ = timeout(Duration::from_secs(5), self.child.wait()).await;
    }
}

/// In a child: the URLs that its parent writes first, as one line.
///
/// # Errors
/// If there is no such line.
pub fn urls_of_parent() -> Result<Vec<Url>, BenchError> {
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(BenchError::io("cannot read the URLs"))?;
    let texts: Vec<String> =
        serde_json::from_str(&line).map_err(|_| BenchError::NoFigures { role: "parent" })?;
    Ok(texts.iter().map(|text| Url::parse(text)).collect::<Result<_, _>>()?)
}
