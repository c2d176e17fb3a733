//! `hlsops stream`: add, list, show, pause, resume and remove streams.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hlsops_wire::{Header, List, Segments, State, Stream, StreamCreate, StreamDetail, Watch, WatchMode};
use http::{HeaderName, HeaderValue, Method};
use serde_json::json;
use url::Url;

use super::table::lay_out;
use super::{Done, Place, moment};
use crate::cli::parse;
use crate::client::{Api, Ask, CallError};
use crate::exit::Exit;
use crate::terminal::{Style, plain};

/// What to do with streams.
#[derive(Debug, Subcommand)]
pub(crate) enum StreamCommand {
    /// Add a stream; it is watched from then on
    Add(Box<AddOptions>),
    /// List all streams with their health
    List(ListOptions),
    /// Show a stream: health with reasons, renditions, configuration
    Show(OneOptions),
    /// Stop watching a stream and keep what is known of it
    Pause(OneOptions),
    /// Watch a paused stream again
    Resume(OneOptions),
    /// Remove a stream; what was recorded expires by itself
    Remove(OneOptions),
}

/// Options of `hlsops stream add`.
#[derive(Args, Debug)]
pub(crate) struct AddOptions {
    /// URL of a multivariant or media playlist
    #[arg(value_parser = parse::url)]
    url: Url,
    /// Name for people [default: made from the URL]
    #[arg(long)]
    name: Option<String>,
    /// Your own identifier, shown in alerts [default: made up]
    #[arg(long, value_name = "ID")]
    link_id: Option<String>,
    /// Send a header with every request to the host of URL; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = parse::header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Look once in so long, from 10s to 1h, instead of all the time
    #[arg(long, value_name = "TIME", value_parser = parse::interval)]
    interval: Option<Duration>,
    /// Which segments to download
    #[arg(long, value_enum, default_value = "full")]
    segments: SegmentsOption,
    /// Thresholds to begin with: `default` or `seed1`
    #[arg(long)]
    profile: Option<String>,
    /// Another threshold; may be repeated. The API lists them at /api/v1/thresholds
    #[arg(long = "threshold", value_name = "NAME=VALUE", value_parser = parse::threshold)]
    thresholds: Vec<(String, f64)>,
    /// Add it without watching it yet
    #[arg(long)]
    paused: bool,
    /// Add it also if a look at it now shows no playlist
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SegmentsOption {
    /// Every one, from end to end
    Full,
    /// None: playlists only
    None,
}

/// Options of `hlsops stream list`.
#[derive(Args, Debug)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    place: Place,
}

/// Options of commands about one stream.
#[derive(Args, Debug)]
pub(crate) struct OneOptions {
    /// Id, name or link id, where that is one stream's only
    stream: String,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(command: StreamCommand) -> Done {
    match command {
        StreamCommand::Add(options) => add(*options).await,
        StreamCommand::List(options) => list(options).await,
        StreamCommand::Show(options) => show(options).await,
        StreamCommand::Pause(options) => enable(options, false).await,
        StreamCommand::Resume(options) => enable(options, true).await,
        StreamCommand::Remove(options) => remove(options).await,
    }
}

impl AddOptions {
    fn body(&self) -> Result<StreamCreate, CallError> {
        let mut request_headers = Vec::new();
        for (name, value) in &self.headers {
            let value = value.to_str().map_err(|_| {
                CallError::Usage(format!("--header: the value of `{name}` is not printable ASCII"))
            })?;
            request_headers.push(Header { name: name.to_string(), value: value.to_owned() });
        }
        let (mode, interval_s) = match self.interval {
            Some(every) => (WatchMode::Interval, Some(every.as_secs())),
            None => (WatchMode::Continuous, None),
        };
        let segments = match self.segments {
            SegmentsOption::Full => Segments::Full,
            SegmentsOption::None => Segments::None,
        };
        Ok(StreamCreate {
            manifest_url: self.url.to_string(),
            name: self.name.clone(),
            link_id: self.link_id.clone(),
            tags: BTreeMap::new(),
            enabled: self.paused.then_some(false),
            watch: Some(Watch { mode, interval_s, segments }),
            request_headers,
            profile: self.profile.clone(),
            thresholds: self.thresholds.iter().cloned().collect(),
        })
    }
}

async fn add(options: AddOptions) -> Done {
    let api = options.place.api().await?;
    let body = options.body()?;
    if !options.force {
        let look = Ask::api(Method::POST, &["streams"]).query("validate_only", "true").body(&body);
        api.send(look).await.map_err(hint)?;
    }
    let added: Stream = api.ask(Ask::api(Method::POST, &["streams"]).body(&body)).await?;
    options.place.print(&added, |added| {
        let (name, id) = (plain(&added.name, 80), &added.id);
        format!("added {name} as {id}, link id {}\n", plain(&added.link_id, 40))
    })?;
    Ok(Exit::Clean)
}

/// A stream that is down now may be added all the same; one that is never to be fetched may not.
fn hint(error: CallError) -> CallError {
    match error {
        CallError::Refused(mut problem) if problem.code == "EC110" => {
            let way = match problem.errors.iter().any(|item| item.code == "private_address") {
                true => "start `hlsops serve` with --allow-target HOST:PORT",
                false => "--force adds it all the same",
            };
            problem.errors.clear();
            problem.detail = format!("{}; {way}", problem.detail);
            CallError::Refused(problem)
        }
        other => other,
    }
}

async fn list(options: ListOptions) -> Done {
    let streams = all(&options.place.api().await?).await?;
    options.place.print(&streams, |streams| {
        if streams.is_empty() {
            return "no streams yet: add one with `hlsops stream add URL`\n".to_owned();
        }
        let style = Style::of(&std::io::stdout());
        let row = |stream: &Stream| {
            vec![
                style.state(stream.health.state),
                stream.name.clone(),
                stream.link_id.clone(),
                stream.playlist_state.clone().unwrap_or_default(),
                stream.id.clone(),
            ]
        };
        let rows: Vec<_> = streams.iter().map(row).collect();
        lay_out(&["STATE", "NAME", "LINK ID", "PLAYLIST", "ID"], &rows)
    })?;
    Ok(Exit::Clean)
}

async fn show(options: OneOptions) -> Done {
    let api = options.place.api().await?;
    let id = find(&api, &options.stream).await?;
    let detail: StreamDetail = api.ask(Ask::api(Method::GET, &["streams", &id])).await?;
    options.place.print(&detail, text)?;
    Ok(Exit::Clean)
}

fn text(detail: &StreamDetail) -> String {
    let stream = &detail.stream;
    let style = Style::of(&std::io::stdout());
    let since = stream.health.since_at.as_deref().map_or(String::new(), |at| format!("since {}", moment(at)));
    let mut out = format!("{} {} {since}\n", style.state(stream.health.state), plain(&stream.name, 80));
    for reason in &stream.health.reasons {
        out.push_str(&format!("  {}\n", plain(&reason.text, 200)));
    }
    let mut line = |name: &str, value: &str| out.push_str(&format!("{name:<10} {}\n", plain(value, 2_048)));
    line("id", &stream.id);
    line("link id", &stream.link_id);
    line("url", &stream.manifest_url);
    let every = stream.watch.interval_s.map(|seconds| format!("every {seconds} s"));
    let every = every.unwrap_or_else(|| "all the time".into());
    let segments = if stream.watch.segments == Segments::None { ", playlists only" } else { "" };
    line("watched", &format!("{every}{segments}"));
    line("profile", &stream.profile);
    if let Some(at) = &stream.last_look_at {
        line("last look", &moment(at));
    }
    for header in &stream.request_headers {
        line("header", &format!("{}: {}", header.name, header.value));
    }
    for (name, value) in &stream.thresholds {
        line("threshold", &format!("{name}={value}"));
    }
    if let Some(incident) = &detail.active_incident {
        line(
            "incident",
            &format!("{} since {}: {}", incident.id, moment(&incident.opened_at), incident.title),
        );
    }
    let row = |rendition: &hlsops_wire::Rendition| {
        vec![
            plain(&rendition.label, 40),
            rendition.failure.clone().unwrap_or_else(|| rendition.playlist_state.clone()),
            format!("{:.1} s", rendition.buffer_s),
            rendition.ttfb_p50_ms.map_or_else(String::new, |ms| format!("{ms} ms")),
            rendition.download_ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}x")),
            rendition.segments_lost_count.to_string(),
        ]
    };
    let rows: Vec<_> = detail.renditions.iter().map(row).collect();
    if !rows.is_empty() {
        out.push('\n');
        out.push_str(&lay_out(&["RENDITION", "PLAYLIST", "BUFFER", "TTFB", "RATIO", "LOST"], &rows));
    }
    out
}

async fn enable(options: OneOptions, enabled: bool) -> Done {
    let api = options.place.api().await?;
    let id = find(&api, &options.stream).await?;
    let action = if enabled { "resume" } else { "pause" };
    let stream: Stream = api.ask(Ask::api(Method::POST, &["streams", &id, action])).await?;
    options.place.print(&stream, |stream| {
        let done = if stream.enabled { "watched again" } else { "paused" };
        format!("{done}: {}\n", plain(&stream.name, 80))
    })?;
    Ok(Exit::Clean)
}

async fn remove(options: OneOptions) -> Done {
    let api = options.place.api().await?;
    let id = find(&api, &options.stream).await?;
    api.send(Ask::api(Method::DELETE, &["streams", &id]).if_match("*")).await?;
    let removed = json!({"removed": id});
    options.place.print(&removed, |_| format!("removed {}\n", plain(&options.stream, 80)))?;
    Ok(Exit::Clean)
}

/// Most pages of streams that are read.
const PAGES: usize = 200;

/// All streams.
pub(super) async fn all(api: &Api) -> Result<Vec<Stream>, CallError> {
    let mut streams = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let mut ask = Ask::api(Method::GET, &["streams"]).query("limit", "500");
        if let Some(cursor) = &cursor {
            ask = ask.query("cursor", cursor);
        }
        let page: List<Stream> = api.ask(ask).await?;
        streams.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(streams);
        }
    }
    Err(CallError::Answer(format!("there are more than {} streams", streams.len())))
}

/// The id of the stream that `named` is the id, link id or name of.
pub(super) async fn find(api: &Api, named: &str) -> Result<String, CallError> {
    choose(&all(api).await?, named).map_err(CallError::Unclear)
}

fn choose(streams: &[Stream], named: &str) -> Result<String, String> {
    let kinds: [fn(&Stream) -> &str; 3] = [|s| &s.id, |s| &s.link_id, |s| &s.name];
    let shown = plain(named, 80);
    for kind in kinds {
        let mut found = streams.iter().filter(|stream| kind(stream) == named);
        match (found.next(), found.next()) {
            (Some(one), None) => return Ok(one.id.clone()),
            (Some(one), Some(other)) => {
                return Err(format!(
                    "`{shown}` is more than one stream: use the id, {} or {}",
                    one.id, other.id
                ));
            }
            (None, _) => {}
        }
    }
    Err(format!("there is no stream `{shown}`: `hlsops stream list` shows id, link id and name of each"))
}

impl Style {
    /// The shape and the word of a state, in its colour.
    pub(crate) fn state(self, state: State) -> String {
        let (shape, code) = match state {
            State::Healthy => ("●", "32"),
            State::Degraded => ("▲", "33"),
            State::Unhealthy => ("■", "31"),
            State::NoData => ("◇", "90"),
            State::Paused => ("‖", "34"),
        };
        self.paint(code, &format!("{shape} {}", state.name()))
    }
}
