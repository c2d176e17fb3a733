//! `hlsops check`: one look at a stream, a verdict and an exit code.

mod collect;
mod progress;
mod report;
mod text;

pub(crate) use text::clock;

use std::io::{ErrorKind, Write, stderr, stdout};
use std::pin::pin;
use std::sync::Arc;

use hlsops_domain::Limits;
use hlsops_domain::health::evaluate;
use hlsops_fetch::{FetchConfig, Fetcher};
use hlsops_watch::{Cadence, Clock, HttpTransport, SystemClock, Target, watch};

use crate::cli::CheckOptions;
use crate::exit::Exit;
use crate::serve::signal;
use crate::terminal::{Style, complain};
use collect::{Collected, Collector};
use progress::Progress;
use report::Report;

/// Watches the stream and prints the verdict.
pub(crate) async fn run(options: CheckOptions) -> Exit {
    let allow = match options.allow_list() {
        Ok(allow) => allow,
        Err(error) => {
            complain(format_args!("hlsops check: --allow-target: {error}"));
            return Exit::Usage;
        }
    };
    let fetcher = match Fetcher::new(FetchConfig { allow, ..FetchConfig::default() }) {
        Ok(fetcher) => fetcher,
        Err(error) => {
            complain(format_args!("hlsops check: {error}"));
            return Exit::Internal;
        }
    };
    let session = match options.session() {
        Ok(session) => session,
        Err(error) => {
            complain(format_args!("hlsops check: --header: {error}"));
            return Exit::Usage;
        }
    };
    let collected = look(&options, HttpTransport::new(fetcher, Arc::new(session))).await;
    let report = Report::of(options.url.as_str(), &collected);
    match print(&report, options.json) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            complain(format_args!("hlsops check: cannot write the verdict: {error}"));
            Exit::Internal
        }
        // Who stops reading has read enough, and may still ask for the exit code.
        _ => report.exit(),
    }
}

fn print(report: &Report, json: bool) -> std::io::Result<()> {
    let mut out = stdout();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(report)?)?;
    } else {
        write!(out, "{}", text::render(report, Style::of(&out)))?;
    }
    out.flush()
}

async fn look(options: &CheckOptions, transport: HttpTransport) -> Collected {
    let mut told = pin!(signal());
    let clock = SystemClock::new();
    let began_at = clock.now();
    let mut sink = Collector::new(began_at, options.length, Progress::of(&stderr()));
    let ended = sink.ended();
    let mut cut_short = false;
    let until = async {
        tokio::select! {
            () = tokio::time::sleep(options.length) => {}
            () = ended.notified() => {}
            () = told.as_mut() => cut_short = true,
        }
    };
    let (limits, cadence) = (Limits::default(), Cadence::default());
    let target = Target { url: options.url.clone(), limits: limits.clone(), fetch_segments: true, cadence };
    let mut state = watch(target, transport, clock, &mut sink, until).await;
    let ended_at = clock.now();
    // Reasons and figures of one verdict are of one moment.
    state.health = evaluate(&state, ended_at, &limits);
    sink.finish(state, ended_at, cut_short)
}
