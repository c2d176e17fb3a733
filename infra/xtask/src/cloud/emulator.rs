//! MiniStack, an emulator of AWS, on a loopback port.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::python;
use crate::cargo::{Workspace, spelt};
use crate::error::Error;

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(100);

/// What its clients need; the key is no secret, it only has to be there.
const CLIENT: [(&str, &str); 3] =
    [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// A running emulator; stopped when dropped.
pub(crate) struct Emulator {
    child: Child,
    port: u16,
    folder: PathBuf,
}

/// Runs it until it is stopped with Ctrl-C.
pub(crate) fn foreground(workspace: &Workspace, port: Option<u16>) -> Result<(), Error> {
    let mut emulator = Emulator::start(workspace, port)?;
    println!("MiniStack is ready; its log: {}\n", emulator.log().display());
    for (name, value) in emulator.client_environment() {
        println!("export {name}={value}");
    }
    println!("\nthen: cargo xtask deploy --arch x86_64 --native --ministack --no-site --yes");
    println!("Ctrl-C stops it; nothing is kept.");
    let status =
        emulator.child.wait().map_err(|source| Error::Start { command: "ministack".into(), source })?;
    println!("MiniStack has ended ({status})");
    Ok(())
}

impl Emulator {
    /// Starts it and waits until it answers.
    pub(crate) fn start(workspace: &Workspace, port: Option<u16>) -> Result<Self, Error> {
        let venv = python::EMULATOR.ensure(workspace)?;
        let port = free_port(port)?;
        let folder = workspace.target.join("emulator").join(port.to_string());
        let file = |action, path: &PathBuf| {
            let path = path.clone();
            move |source| Error::File { action, path, source }
        };
        fs::create_dir_all(&folder).map_err(file("create", &folder))?;
        let log = folder.join("log");
        let output = File::create(&log).map_err(file("create", &log))?;
        let errors = output.try_clone().map_err(file("open", &log))?;
        let mut command = Command::new(venv.program("python"));
        command.args(["-m", "ministack"]).env_clear().envs(Self::environment(port)).env("TMPDIR", &folder);
        command.stdin(Stdio::null()).stdout(output).stderr(errors).current_dir(&folder);
        let started = command.spawn();
        let child = started.map_err(|source| Error::Start { command: spelt(&command), source })?;
        let mut emulator = Self { child, port, folder };
        emulator.wait_until_ready()?;
        Ok(emulator)
    }

    /// What it runs with. Its functions inherit this: without the endpoint they would call the real AWS, and
    /// without clearing the rest they would find the user's credentials.
    fn environment(port: u16) -> Vec<(&'static str, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        vec![
            ("PATH", path),
            ("GATEWAY_PORT", port.to_string()),
            ("EDGE_PORT", port.to_string()),
            ("BIND_HOST", Ipv4Addr::LOCALHOST.to_string()),
            ("LAMBDA_EXECUTOR", "local".into()),
            ("AWS_ENDPOINT_URL", endpoint(port)),
        ]
    }

    /// What programs that use it run with.
    pub(crate) fn client_environment(&self) -> impl Iterator<Item = (&'static str, String)> {
        let fixed = CLIENT.map(|(name, value)| (name, value.to_owned()));
        [("AWS_ENDPOINT_URL", endpoint(self.port))].into_iter().chain(fixed)
    }

    /// What it printed, and its functions.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn wait_until_ready(&mut self) -> Result<(), Error> {
        let start = Instant::now();
        while start.elapsed() < READY_WITHIN {
            if let Ok(Some(_)) = self.child.try_wait() {
                return Err(Error::NoEmulator { log: self.log() });
            }
            if answers(self.port) {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        Err(Error::NoEmulator { log: self.log() })
    }

    /// Asks it to end; after a while it is killed. Functions it leaves behind are killed as well: one that is
    /// watching would go on for minutes.
    fn stop(&mut self) {
        self.stop_server();
        for pid in functions(&endpoint(self.port)) {
            let _ = Command::new("kill").args(["-KILL", &pid]).stderr(Stdio::null()).status();
        }
    }

    fn stop_server(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let mut ask = Command::new("kill");
        let _ = ask.args(["-TERM", &self.child.id().to_string()]).status();
        let start = Instant::now();
        while start.elapsed() < STOPPED_WITHIN {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop();
    }
}

fn endpoint(port: u16) -> String {
    format!("http://{}:{port}", Ipv4Addr::LOCALHOST)
}

/// Processes of functions that have been told of this endpoint, where the system says what a process has been
/// told (Linux, which is where functions run).
fn functions(endpoint: &str) -> Vec<String> {
    let wanted = [format!("AWS_ENDPOINT_URL={endpoint}"), "_HANDLER=bootstrap".to_owned()];
    let is_ours = |pid: &String| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let variables: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
        wanted.iter().all(|variable| variables.contains(&variable.as_bytes()))
    };
    let names = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = names.filter_map(|entry| entry.file_name().into_string().ok());
    pids.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).filter(is_ours).collect()
}

/// The wanted port, or any that is free now.
fn free_port(wanted: Option<u16>) -> Result<u16, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, wanted.unwrap_or(0)));
    let bound = TcpListener::bind(address).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|source| Error::Port { address, source })
}

/// Whether it says that it is ready.
fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, PAUSE)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream
            .write_all(b"GET /_ministack/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_functions_cannot_reach_the_real_aws() {
        let environment = Emulator::environment(4566);
        let value =
            |name| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        assert_eq!(value("AWS_ENDPOINT_URL"), Some("http://127.0.0.1:4566"));
        assert_eq!(value("BIND_HOST"), Some("127.0.0.1"));
        assert!(environment.iter().all(|(name, _)| !name.starts_with("AWS_") || *name == "AWS_ENDPOINT_URL"));
    }

    /// What a process has been told is known from when it runs, which is a moment after it was spawned: this one
    /// says that it does by handing back a line.
    #[test]
    #[cfg(target_os = "linux")]
    fn functions_are_known_by_their_endpoint() {
        let mut echo = Command::new("cat");
        echo.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env("_HANDLER", "bootstrap");
        let mut child = echo.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut to, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        to.write_all(b"\n").unwrap();
        from.read_exact(&mut [0]).unwrap();
        let found = functions("http://127.0.0.1:9");
        drop(to);
        assert!(child.wait().unwrap().success());
        assert_eq!(found, [child.id().to_string()]);
    }

    #[test]
    fn a_taken_port_is_said_to_be_taken() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(matches!(free_port(Some(port)), Err(Error::Port { .. })));
        assert!(free_port(None).is_ok() && !answers(port));
    }
}
