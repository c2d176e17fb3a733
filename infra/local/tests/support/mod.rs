//! The program as a user runs it: processes, a server, a request.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take that takes a moment: tests share the machine with others.
const PATIENCE: Duration = Duration::from_secs(60);

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hlsops"));
    for name in ["ALLOW_TARGETS", "DATA", "LISTEN", "LOG", "PUBLIC_URL"] {
        command.env_remove(format!("HLSOPS_{name}"));
    }
    command.args(args).env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs `hlsops` with `args`, in an environment without settings of ours.
pub(crate) fn hlsops(args: &[&str]) -> Output {
    program(args).output().unwrap()
}

/// The exit code, what was written to standard output, and what to standard error.
pub(crate) fn said(args: &[&str]) -> (i32, String, String) {
    let output = hlsops(args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What `hlsops ARGS --json` answers; it must end with 0.
#[track_caller]
pub(crate) fn asked(args: &[&str]) -> Value {
    let (code, out, error) = said(&[args, &["--json"]].concat());
    assert_eq!(code, 0, "{args:?}: {error}{out}");
    serde_json::from_str(&out).unwrap_or_else(|why| panic!("{why}: {out}"))
}

/// Asks again and again until there is something.
#[track_caller]
pub(crate) fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what}: not within {PATIENCE:?}");
}

/// A folder of its own, removed with what it holds.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("hlsops-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running process of ours, killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// Where somebody reads it.
    out: Option<BufReader<ChildStdout>>,
}

impl Running {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = program(args).env("HLSOPS_LOG", "warn").stdout(Stdio::piped()).spawn().unwrap();
        let out = child.stdout.take().map(BufReader::new);
        Self { child, out }
    }

    /// The same, where nobody reads what it writes: standard output is a pipe without a reader, and so is standard
    /// error, to which it has much to say.
    pub(crate) fn start_unread(args: &[&str]) -> Self {
        let (nobody, out) = std::io::pipe().unwrap();
        let error = out.try_clone().unwrap();
        drop(nobody);
        let child = program(args).env("HLSOPS_LOG", "debug").stdout(out).stderr(error).spawn().unwrap();
        Self { child, out: None }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line it writes that has `part` in it.
    pub(crate) fn line_with(&mut self, part: &str) -> String {
        let mut line = String::new();
        while self.out.as_mut().unwrap().read_line(&mut line).unwrap() > 0 {
            if line.contains(part) {
                return line;
            }
            line.clear();
        }
        panic!("it ended without a line with `{part}`");
    }

    /// Tells it to end, and gives its exit code.
    pub(crate) fn end(mut self) -> i32 {
        Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap();
        self.wait()
    }

    /// Its exit code, once it has ended by itself.
    pub(crate) fn wait(&mut self) -> i32 {
        let child = &mut self.child;
        wait("its end", || child.try_wait().unwrap()).code().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the server of a folder answers, once it is that process.
pub(crate) fn endpoint(folder: &str, process: u32) -> Value {
    wait("serve.json", || {
        let text = std::fs::read(Path::new(folder).join("serve.json")).ok()?;
        let endpoint: Value = serde_json::from_slice(&text).ok()?;
        (endpoint["pid"] == process).then_some(endpoint)
    })
}

/// One request with these header lines; the status and the body.
pub(crate) fn request(address: &str, head: &str, headers: &[&str], body: &str) -> (u16, String) {
    try_request(address, head, headers, body).unwrap()
}

/// The same, where nobody may be listening yet.
pub(crate) fn try_request(
    address: &str,
    head: &str,
    headers: &[&str],
    body: &str,
) -> std::io::Result<(u16, String)> {
    let address = address.strip_prefix("http://").unwrap_or(address);
    let mut socket = TcpStream::connect(address)?;
    let mut lines = vec![format!("{head} HTTP/1.1"), "Connection: close".into()];
    if !headers.iter().any(|line| line.to_lowercase().starts_with("host:")) {
        lines.push(format!("Host: {address}"));
    }
    lines.extend(headers.iter().map(|line| (*line).to_owned()));
    lines.push(format!("Content-Type: application/json\r\nContent-Length: {}", body.len()));
    socket.write_all(format!("{}\r\n\r\n{body}", lines.join("\r\n")).as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok((status, body))
}
