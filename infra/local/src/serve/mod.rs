//! `hlsops serve`: the whole product on one machine, in one process.

mod answers;
mod clock;
mod door;
mod ends;
mod guard;
mod local;
pub(crate) mod logging;
mod server;
mod watchers;

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;

use clap::Args;
use hlsops_fetch::AllowList;
use hlsops_wire::{Key, KeyCreate, KeyCreated, List, Scope};
use http::Method;
use url::Url;

pub(crate) use answers::{problem, wrong};
pub(crate) use ends::{signal, unless};
pub(crate) use local::Backup;
pub(crate) use logging::LogFormat;
use server::FAREWELL;
pub(crate) use server::{Listener, Server};

use crate::cli::parse;
use crate::client::{Api, Ask, CallError, answers};
use crate::data::{DataFolder, Endpoint, NoHome};
use crate::exit::Exit;
use crate::station::{OpenError, Settings, Station};
use crate::terminal::{Style, complain};

/// Options of `hlsops serve`.
#[derive(Args, Debug)]
pub(crate) struct ServeOptions {
    #[command(flatten)]
    folder: DataFolder,
    /// Where to answer; a port alone is one of 127.0.0.1, which only this machine reaches
    #[arg(
        long,
        value_name = "IP:PORT",
        default_value = "127.0.0.1:8080",
        env = "HLSOPS_LISTEN",
        value_parser = parse::listen
    )]
    listen: SocketAddr,
    /// Allow streams and webhooks at an address that is not publicly routable: exactly HOST:PORT; may be repeated
    #[arg(
        long = "allow-target",
        value_name = "HOST:PORT",
        env = "HLSOPS_ALLOW_TARGETS",
        value_delimiter = ','
    )]
    allow_targets: Vec<String>,
    /// Where people reach it, such as a proxy in front, as in `https://ops.example.com`: links in messages begin
    /// with it, and requests to its host are answered
    #[arg(long, value_name = "URL", env = "HLSOPS_PUBLIC_URL", value_parser = parse::public_url)]
    public_url: Option<Url>,
    /// The most the data may take, from 256KiB on: 4GiB, 500MB, or a number of bytes; writes are refused beyond
    /// [default: 4GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse::max_bytes)]
    max_bytes: Option<u64>,
    /// How log lines on standard error look; HLSOPS_LOG says which there are
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    log: LogFormat,
}

/// Why serving did not start, or ended. Each says itself what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error("--allow-target: {0}")]
    Allow(#[from] hlsops_fetch::HostListError),
    #[error(transparent)]
    Log(#[from] logging::BadFilter),
    #[error(transparent)]
    NoHome(#[from] NoHome),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("cannot listen on {address}: {source}; choose another with {option}")]
    Listen { address: SocketAddr, source: std::io::Error, option: &'static str },
    #[error(
        "process {pid} serves `{}` already, at {address}: use that, or stop it first",
        folder.display()
    )]
    Running { folder: PathBuf, address: String, pid: u32 },
    #[error("cannot write `serve.json` in `{}`: {source}", folder.display())]
    Endpoint { folder: PathBuf, source: std::io::Error },
    #[error("cannot make the first key: {0}")]
    Key(#[from] CallError),
    #[error("{0} ended by itself; its log lines say why")]
    Ended(&'static str),
    #[error("the last pages could not be stored within {} s", FAREWELL.as_secs())]
    Slow,
}

impl ServeError {
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::Allow(_) | Self::Log(_) | Self::NoHome(_) => Exit::Usage,
            Self::Open(error) => error.exit(),
            Self::Running { .. } => Exit::Unreachable,
            Self::Listen { .. } => Exit::Unavailable,
            Self::Endpoint { .. } => Exit::CannotCreate,
            Self::Key(error) => error.exit(),
            Self::Ended(_) | Self::Slow => Exit::Internal,
        }
    }
}

/// Runs until Ctrl-C or SIGTERM.
pub(crate) async fn run(options: ServeOptions) -> Exit {
    match serve(options).await {
        Ok(()) => Exit::Clean,
        Err(error) => {
            complain(format_args!("hlsops serve: {error}"));
            error.exit()
        }
    }
}

async fn serve(options: ServeOptions) -> Result<(), ServeError> {
    let allow = AllowList::parse(&options.allow_targets.join(","))?;
    logging::start(options.log, Style::of(&std::io::stderr()).has_colour(), logging::NOTABLE)?;
    let folder = options.folder.path()?;
    let mut told = pin!(signal());
    let opening = async {
        // Before the folder, which would be made and left behind if there was no address.
        let listener = match Listener::take(options.listen, "--listen").await {
            Ok(listener) => listener,
            Err(error) => return Err(already(&folder).await.unwrap_or(error)),
        };
        let settings = Settings { allow, max_bytes: options.max_bytes, ..Settings::new(&folder) };
        Ok((Station::open(settings).await?, listener))
    };
    let Some(opened) = unless(told.as_mut(), opening).await else {
        tracing::info!("stopped before anything was served");
        return Ok(());
    };
    let (station, listener) = opened?;
    // Not cut short: a key that was made would be shown to nobody.
    let server = Server::new(station, listener, options.public_url.as_ref());
    let key = first_key(&Api::here(&server.station)).await?;
    let endpoint = server.endpoint();
    if !welcome(&mut stdout(), &endpoint.address, key.as_deref(), server.links.as_deref(), &folder) {
        tracing::warn!(
            serve.data = %folder.display(),
            "nobody read the first key: make another with `hlsops key new NAME --scope admin --data {}`, and revoke \
             `first key`",
            folder.display()
        );
    }
    let failed = |source| ServeError::Endpoint { folder: folder.clone(), source };
    endpoint.write(&folder).map_err(failed)?;
    tracing::info!(
        serve.address = endpoint.address,
        serve.data = %folder.display(),
        "serving `{}` at {}",
        folder.display(),
        endpoint.address
    );
    let until = async {
        told.await;
        tracing::info!("stopping: the last minutes are stored, which takes at most {} s", FAREWELL.as_secs());
    };
    let done = server.run(crate::site::no_demo(), until).await;
    Endpoint::remove(&folder);
    if done.is_ok() {
        tracing::info!("stopped: everything is stored; nobody watches until the next start");
    }
    done
}

/// The server that has the folder already and answers: that is why its address is taken.
async fn already(folder: &Path) -> Option<ServeError> {
    let endpoint = Endpoint::read(folder)?;
    let Endpoint { address, pid, .. } = endpoint.clone();
    answers(&endpoint).await.then(|| ServeError::Running { folder: folder.to_owned(), address, pid })
}

/// Makes the first key; none when there are keys already.
pub(crate) async fn first_key(api: &Api) -> Result<Option<String>, CallError> {
    let keys: List<Key> = api.ask(Ask::api(Method::GET, &["keys"])).await?;
    if !keys.items.is_empty() {
        return Ok(None);
    }
    let body = KeyCreate { name: "first key".into(), scope: Scope::Admin, expires_at: None };
    let created: KeyCreated = api.ask(Ask::api(Method::POST, &["keys"]).body(&body)).await?;
    Ok(Some(created.secret))
}

/// Says where the page is. The first key stands behind `#`, so that no browser sends it to anybody.
///
/// Whether there was somebody to read that key, if there is one; for the rest, nobody need be reading.
fn welcome(
    out: &mut impl Write,
    address: &str,
    key: Option<&str>,
    public: Option<&str>,
    folder: &Path,
) -> bool {
    let mut is_read = true;
    if let Some(key) = key {
        is_read = writeln!(out, "Open {address}/#key={key}").and_then(|()| out.flush()).is_ok();
    }
    let mut rest = || {
        let another = format!("hlsops key new NAME --scope admin --data {}", folder.display());
        if key.is_some() {
            writeln!(out, "The key in it is shown this once. Another one: {another}")?;
        } else {
            writeln!(out, "Open {address}/ with a key that you have")?;
            writeln!(out, "If none is left, make one: {another}")?;
        }
        if let Some(public) = public {
            writeln!(out, "Others reach it at {public}/")?;
        }
        out.flush()
    };
    // Who stops reading has read enough.
    let _: std::io::Result<()> = rest();
    is_read
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    /// Standard output with a reader who leaves after so many lines.
    struct Pipe {
        lines: usize,
        text: String,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.text.matches('\n').count() >= self.lines {
                return Err(std::io::ErrorKind::BrokenPipe.into());
            }
            self.text.push_str(&String::from_utf8_lossy(bytes));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_a_new_key_must_be_read() {
        let said = |lines, key| {
            let mut pipe = Pipe { lines, text: String::new() };
            let is_read = welcome(&mut pipe, "http://h", key, Some("https://p"), Path::new("d"));
            (is_read, pipe.text)
        };
        assert_eq!(said(0, Some("k")), (false, String::new()));
        assert_eq!(said(1, Some("k")), (true, "Open http://h/#key=k\n".to_owned()));
        assert_eq!(said(0, None), (true, String::new()));
        let (_, whole) = said(9, None);
        assert!(whole.starts_with("Open http://h/ with a key") && whole.ends_with("https://p/\n"), "{whole}");
    }

    #[tokio::test]
    async fn a_start_that_hangs_is_given_up() {
        assert_eq!(unless(pin!(ready(())), pending::<u8>()).await, None);
        assert_eq!(unless(pin!(pending()), ready(3)).await, Some(3));
    }
}
