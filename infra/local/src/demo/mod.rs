//! `hlsops demo`: nine streams made on this machine, watched as any other, with API and page, in a folder of
//! its own that goes away with it.

mod faults;
mod folder;
mod terminal;
mod tile;
mod wall;

use std::env;
use std::io::{ErrorKind, Write, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use hlsops_engine::Durability;
use hlsops_fetch::AllowList;
use hlsops_origin::{DEMO, Origin, OriginConfig};
use hlsops_wire::{Stream, StreamCreate};
use http::Method;

use crate::cli::parse;
use crate::client::{Api, Ask, CallError};
use crate::exit::Exit;
use crate::serve::logging::{self, LogFormat};
use crate::serve::{Listener, ServeError, Server, first_key, signal, unless};
use crate::station::{OpenError, Settings, Station};
use crate::terminal::complain;
use faults::Stage;
use folder::Folder;

/// Options of `hlsops demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoOptions {
    /// Port of the page on 127.0.0.1 [default: a free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Show a wall in the terminal instead: no table, no API, no page, no streams of your own
    #[arg(long, conflicts_with = "port")]
    terminal: bool,
    /// Allow streams and webhooks of your own at an address that is not publicly routable: exactly HOST:PORT;
    /// may be repeated
    #[arg(
        long = "allow-target",
        value_name = "HOST:PORT",
        env = "HLSOPS_ALLOW_TARGETS",
        value_delimiter = ','
    )]
    allow_targets: Vec<String>,
    /// Stop after this long instead of at Ctrl-C: `60s`, `5m`
    #[arg(long = "for", value_name = "TIME", value_parser = parse::time)]
    length: Option<Duration>,
}

/// Why the demo did not start. Each says itself what to do.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("the demo origin did not start: {0}")]
    Origin(#[from] hlsops_origin::StartError),
    #[error(transparent)]
    Fetcher(#[from] hlsops_fetch::BuildError),
    #[error("--allow-target: {0}")]
    Allow(#[from] hlsops_fetch::HostListError),
    #[error("the demo origin has a URL that cannot be read: {0}")]
    Url(#[from] url::ParseError),
    #[error("cannot write to the terminal: {0}")]
    Terminal(#[from] std::io::Error),
    #[error("cannot make the folder `{}`: {source}", folder.display())]
    Folder { folder: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Log(#[from] logging::BadFilter),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("cannot add the demo streams: {0}")]
    Call(#[from] CallError),
}

/// Runs until Ctrl-C.
pub(crate) async fn run(options: DemoOptions) -> Exit {
    let shown = if options.terminal { terminal::show(options.length).await } else { serve(&options).await };
    match shown {
        Ok(()) => Exit::Clean,
        // Who stops reading has seen enough.
        Err(DemoError::Terminal(error)) if error.kind() == ErrorKind::BrokenPipe => Exit::Clean,
        Err(error) => {
            complain(format_args!("hlsops demo: {error}"));
            error.exit()
        }
    }
}

impl DemoError {
    const fn exit(&self) -> Exit {
        match self {
            Self::Allow(_) | Self::Log(_) => Exit::Usage,
            Self::Folder { .. } => Exit::CannotCreate,
            Self::Open(error) => error.exit(),
            Self::Serve(error) => error.exit(),
            Self::Call(error) => error.exit(),
            Self::Origin(_) | Self::Fetcher(_) | Self::Url(_) | Self::Terminal(_) => Exit::Internal,
        }
    }
}

async fn serve(options: &DemoOptions) -> Result<(), DemoError> {
    logging::start(LogFormat::Text, false, "error")?;
    let mut told = pin!(signal());
    let Some(begun) = unless(told.as_mut(), begin(options)).await else { return Ok(()) };
    // The folder is taken away at the end.
    let (folder, server, stage) = begun?;
    let until = async {
        match options.length {
            Some(length) => tokio::select! {
                () = told => {}
                () = tokio::time::sleep(length) => {}
            },
            None => told.await,
        }
    };
    server.run(faults::routes(stage), until).await?;
    drop(folder);
    // Who has left meanwhile need not know.
    let _ = writeln!(stdout(), "The demo has ended; its folder is gone.");
    Ok(())
}

/// All that there is before the first request.
async fn begin(options: &DemoOptions) -> Result<(Folder, Server, Stage), DemoError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = Listener::take(address, "--port").await?;
    let folder = Folder::make(&env::temp_dir())?;
    let origin = Origin::start(OriginConfig { demo: true, ..OriginConfig::default() }).await?;
    let settings = Settings {
        allow: allow(&origin, &options.allow_targets)?,
        // Nothing of it is to survive the demo.
        durability: Durability::Process,
        ..Settings::new(folder.path())
    };
    let station = Station::open(settings).await?;
    let server = Server::new(station, listener, None);
    let api = Api::here(&server.station);
    let streams = add_streams(&api, &origin).await?;
    let key = first_key(&api).await?.unwrap_or_default();
    let endpoint = server.endpoint();
    let left = endpoint.write(folder.path());
    left.map_err(|source| DemoError::Folder { folder: folder.path().to_owned(), source })?;
    // Who stops reading has read enough; the streams go on.
    if let Err(error) = tell(&endpoint.address, &key, folder.path()) {
        let (address, folder) = (&endpoint.address, folder.path().display());
        complain(format_args!("hlsops demo: nobody reads ({error}); it runs at {address}, in {folder}"));
    }
    let stage = Stage::new(origin, streams, &server.station);
    Ok((folder, server, stage))
}

/// How a shell finds this program: by its name, or else by its path.
fn program() -> String {
    let own = env::current_exe().unwrap_or_default();
    let known =
        env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|dir| dir.join("hlsops") == own);
    if known || own.as_os_str().is_empty() { "hlsops".to_owned() } else { own.display().to_string() }
}

fn tell(address: &str, key: &str, folder: &Path) -> std::io::Result<()> {
    let mut out = stdout();
    writeln!(out, "Nine streams, healthy and faulty, made and watched on this machine. Open:\n")?;
    writeln!(out, "  {address}/#key={key}\n")?;
    writeln!(out, "From another terminal: {} stream list --data {}", program(), folder.display())?;
    writeln!(out, "Stop with Ctrl-C; nothing stays behind.")?;
    out.flush()
}

/// Adds each demo stream as a user would, and gives its id beside the name the origin knows it by.
async fn add_streams(api: &Api, origin: &Origin) -> Result<Vec<(String, &'static str)>, DemoError> {
    let mut added = Vec::new();
    for row in &DEMO {
        let create = StreamCreate {
            manifest_url: origin.url(row.id),
            name: Some(row.title.to_owned()),
            link_id: Some(row.id.to_owned()),
            ..StreamCreate::default()
        };
        let stream: Stream = api.ask(Ask::api(Method::POST, &["streams"]).body(&create)).await?;
        added.push((stream.id, row.id));
    }
    Ok(added)
}

/// The origin's addresses, which are private, and those of the user.
fn allow(origin: &Origin, targets: &[String]) -> Result<AllowList, hlsops_fetch::HostListError> {
    let mut allow = AllowList::parse(&targets.join(","))?;
    for address in origin.addresses() {
        allow.insert(&address.ip().to_string(), address.port())?;
    }
    Ok(allow)
}
