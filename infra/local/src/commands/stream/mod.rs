//! `hlsops stream`: add, list, show, pause, resume and remove streams.

mod add;
mod secrets;
mod show;

use clap::{Args, Subcommand};
use hlsops_wire::{List, State, Stream};
use http::Method;
use serde_json::json;

pub(super) use add::{WORDS, hint};
pub(super) use secrets::masked;

use super::table::lay_out;
use super::{Done, Place};
use crate::client::{Api, Ask, CallError};
use crate::exit::Exit;
use crate::terminal::{Style, plain};

/// What to do with streams.
#[derive(Debug, Subcommand)]
pub(crate) enum StreamCommand {
    /// Add a stream; it is watched from then on
    Add(Box<add::AddOptions>),
    /// List all streams with their health
    List(ListOptions),
    /// Show a stream: health with reasons, configuration, renditions, thresholds in force
    Show(show::ShowOptions),
    /// Stop watching a stream and keep what is known of it
    Pause(OneOptions),
    /// Watch a paused stream again
    Resume(OneOptions),
    /// Remove a stream; what was recorded expires by itself
    Remove(OneOptions),
}

/// Options of `hlsops stream list`.
#[derive(Args, Debug)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    secrets: secrets::Secrets,
    #[command(flatten)]
    pub(crate) place: Place,
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
        StreamCommand::Add(options) => add::add(*options).await,
        StreamCommand::List(options) => list(options).await,
        StreamCommand::Show(options) => show::show(options).await,
        StreamCommand::Pause(options) => enable(options, false).await,
        StreamCommand::Resume(options) => enable(options, true).await,
        StreamCommand::Remove(options) => remove(options).await,
    }
}

async fn list(options: ListOptions) -> Done {
    let mut streams = all(&options.place.api().await?).await?;
    streams.iter_mut().for_each(|stream| options.secrets.mask(stream));
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
                stream.playlist_state.clone().unwrap_or_else(|| "-".into()),
                stream.id.clone(),
            ]
        };
        let rows: Vec<_> = streams.iter().map(row).collect();
        lay_out(&["STATE", "NAME", "LINK ID", "PLAYLIST", "ID"], &rows)
    })?;
    Ok(Exit::Clean)
}

async fn enable(options: OneOptions, enabled: bool) -> Done {
    let api = options.place.api().await?;
    let id = find(&api, &options.stream).await?;
    let action = if enabled { "resume" } else { "pause" };
    let mut stream: Stream = api.ask(Ask::api(Method::POST, &["streams", &id, action])).await?;
    secrets::Secrets::default().mask(&mut stream);
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
