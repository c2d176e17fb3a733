//! `hlsops demo`: nine streams made on this machine, watched as any other, shown as a wall.

mod tile;
mod wall;

use std::io::{ErrorKind, IsTerminal, Write, stdout};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hlsops_domain::Limits;
use hlsops_fetch::{AllowList, FetchConfig, Fetcher, Session};
use hlsops_origin::{DEMO, Origin, OriginConfig};
use hlsops_watch::{Clock, HttpTransport, SystemClock, Target, watch};
use tokio::task::JoinSet;
use url::Url;

use crate::cli::DemoOptions;
use crate::exit::Exit;
use crate::terminal::Style;
use tile::{Tile, TileSink};

/// How often the wall is drawn anew.
const REDRAW_EVERY: Duration = Duration::from_millis(500);

/// Runs until Ctrl-C.
pub(crate) async fn run(options: DemoOptions) -> Exit {
    match show(&options).await {
        Ok(()) => Exit::Clean,
        // Who stops reading has seen enough.
        Err(DemoError::Terminal(error)) if error.kind() == ErrorKind::BrokenPipe => Exit::Clean,
        Err(error) => {
            eprintln!("hlsops demo: {error}");
            Exit::Internal
        }
    }
}

/// Why the demo did not start. Each says itself what to do.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("the demo origin did not start: {0}")]
    Origin(#[from] hlsops_origin::StartError),
    #[error(transparent)]
    Fetcher(#[from] hlsops_fetch::BuildError),
    #[error("the demo origin has an address that cannot be allowed: {0}")]
    Allow(#[from] hlsops_fetch::HostListError),
    #[error("the demo origin has a URL that cannot be read: {0}")]
    Url(#[from] url::ParseError),
    #[error("cannot write to the terminal: {0}")]
    Terminal(#[from] std::io::Error),
}

async fn show(options: &DemoOptions) -> Result<(), DemoError> {
    let origin = Origin::start(OriginConfig { demo: true, ..OriginConfig::default() }).await?;
    let mut allow = AllowList::default();
    for address in origin.addresses() {
        allow.insert(&address.ip().to_string(), address.port())?;
    }
    let fetcher = Fetcher::new(FetchConfig { allow, ..FetchConfig::default() })?;
    let clock = SystemClock::new();
    let tiles: Vec<_> = DEMO.iter().map(|row| Arc::new(Mutex::new(Tile::new(row, clock.now())))).collect();
    let mut watchers = JoinSet::new();
    for tile in &tiles {
        let id = tile.lock().unwrap_or_else(PoisonError::into_inner).row.id;
        let url = Url::parse(&origin.url(id))?;
        let target = Target { url, limits: Limits::default(), fetch_segments: true };
        let transport = HttpTransport::new(fetcher.clone(), Arc::new(Session::new()));
        let mut sink = TileSink::new(Arc::clone(tile));
        watchers
            .spawn(async move { watch(target, transport, clock, &mut sink, std::future::pending()).await });
    }
    let shown = paint(&tiles, clock, &origin, options.length).await;
    watchers.abort_all();
    origin.stop().await;
    Ok(shown?)
}

/// Draws the wall until Ctrl-C or for `length`. Where output is no terminal, a line per change is written.
async fn paint(
    tiles: &[Arc<Mutex<Tile>>],
    clock: SystemClock,
    origin: &Origin,
    length: Option<Duration>,
) -> std::io::Result<()> {
    let mut out = stdout();
    let style = Style::of(&out);
    let redraw = out.is_terminal();
    let began_at = clock.now();
    let mut last = String::new();
    loop {
        let now = clock.now();
        let snapshot: Vec<Tile> =
            tiles.iter().map(|t| t.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect();
        if redraw {
            // Home, draw, clear what is left below: no flicker. Lines are cut at the margin meanwhile, because
            // one that wraps would push the wall out of a small terminal.
            let page = wall::page(&snapshot, now, &origin.base_url(), style);
            write!(out, "\x1b[?7l\x1b[H{page}\x1b[J\x1b[?7h")?;
        } else {
            let lines = wall::states(&snapshot);
            if lines != last {
                write!(out, "{}", wall::changes(&last, &lines, now))?;
                last = lines;
            }
        }
        out.flush()?;
        if length.is_some_and(|length| now.since(began_at) >= length) {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(REDRAW_EVERY) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}
