//! `hlsops demo --terminal`: the wall as text, with no table, no API and no page.

use std::io::{IsTerminal, Write, stdout};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hlsops_domain::Limits;
use hlsops_fetch::{FetchConfig, Fetcher, Session};
use hlsops_origin::{DEMO, Origin, OriginConfig};
use hlsops_watch::{Cadence, Clock, HttpTransport, SystemClock, Target, watch};
use tokio::task::JoinSet;
use url::Url;

use super::tile::{Tile, TileSink};
use super::{DemoError, wall};
use crate::serve::signal;
use crate::terminal::Style;

/// How often the wall is drawn anew.
const REDRAW_EVERY: Duration = Duration::from_millis(500);

/// Watches the demo streams and shows them until Ctrl-C or SIGTERM, or for `length`.
pub(super) async fn show(length: Option<Duration>) -> Result<(), DemoError> {
    let origin = Origin::start(OriginConfig { demo: true, ..OriginConfig::default() }).await?;
    let allow = super::allow(&origin, &[])?;
    let fetcher = Fetcher::new(FetchConfig { allow, ..FetchConfig::default() })?;
    let clock = SystemClock::new();
    let tiles: Vec<_> = DEMO.iter().map(|row| Arc::new(Mutex::new(Tile::new(row, clock.now())))).collect();
    let mut watchers = JoinSet::new();
    for tile in &tiles {
        let id = tile.lock().unwrap_or_else(PoisonError::into_inner).row.id;
        let url = Url::parse(&origin.url(id))?;
        let cadence = Cadence::default();
        let target = Target { url, limits: Limits::default(), fetch_segments: true, cadence };
        let transport = HttpTransport::new(fetcher.clone(), Arc::new(Session::new()));
        let mut sink = TileSink::new(Arc::clone(tile));
        watchers
            .spawn(async move { watch(target, transport, clock, &mut sink, std::future::pending()).await });
    }
    let shown = paint(&tiles, clock, &origin, length).await;
    watchers.abort_all();
    origin.stop().await;
    Ok(shown?)
}

/// Draws the wall until it is told to end, or for `length`. Where output is no terminal, a line per change is written.
async fn paint(
    tiles: &[Arc<Mutex<Tile>>],
    clock: SystemClock,
    origin: &Origin,
    length: Option<Duration>,
) -> std::io::Result<()> {
    let mut told = pin!(signal());
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
            () = told.as_mut() => return Ok(()),
        }
    }
}
