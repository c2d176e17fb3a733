//! `hlsops stream`: add, list, show, pause, resume and remove streams.

mod add;
mod secrets;
mod show;

use clap::{Args, Subcommand};
use hlsops_wire::{List, State, Stream};
use http::Method;
use serde_json::json;

pub(super) use add::{WORDS, hint, same_url};
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
    let mut streams = all(&options.place.reader().await?).await?;
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
    let id = find(&api, &options.stream).await?.id;
    let action = if enabled { "resume" } else { "pause" };
    let mut stream: Stream = api.ask(Ask::api(Method::POST, &["streams", &id, action])).await?;
    secrets::Secrets::default().mask(&mut stream);
    let note = if enabled { options.place.unwatched(&api)? } else { String::new() };
    options.place.print(&stream, |stream| {
        let done = if stream.enabled { "resumed" } else { "paused" };
        format!("{done} {}\n{note}", named(stream))
    })?;
    Ok(Exit::Clean)
}

async fn remove(options: OneOptions) -> Done {
    let api = options.place.api().await?;
    let stream = find(&api, &options.stream).await?;
    api.send(Ask::api(Method::DELETE, &["streams", &stream.id]).if_match("*")).await?;
    let removed = json!({"removed": stream.id, "name": stream.name});
    options.place.print(&removed, |_| format!("removed {}\n", named(&stream)))?;
    Ok(Exit::Clean)
}

/// A stream in a sentence: its name, and the id that is its alone.
fn named(stream: &Stream) -> String {
    format!("{} ({})", plain(&stream.name, 80), stream.id)
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

/// The stream that `wanted` is the id, link id or name of.
pub(super) async fn find(api: &Api, wanted: &str) -> Result<Stream, CallError> {
    choose(&all(api).await?, wanted).cloned().map_err(CallError::Unclear)
}

/// Most streams that are listed where one was to be named.
const LISTED: usize = 10;

/// An id is one stream's only; a link id may be another one's name, and then neither of them is meant for sure.
fn choose<'a>(streams: &'a [Stream], wanted: &str) -> Result<&'a Stream, String> {
    if let Some(one) = streams.iter().find(|stream| stream.id == wanted) {
        return Ok(one);
    }
    let is_meant = |stream: &&Stream| stream.link_id == wanted || stream.name == wanted;
    let found: Vec<&Stream> = streams.iter().filter(is_meant).collect();
    let shown = plain(wanted, 80);
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(format!(
            "there is no stream `{shown}`: `hlsops stream list` shows id, link id and name of each"
        )),
        all => {
            let mut text = format!("`{shown}` is more than one stream: use the id");
            for stream in all.iter().take(LISTED) {
                let (name, link) = (plain(&stream.name, 80), plain(&stream.link_id, 40));
                text.push_str(&format!("\n  {}  name {name}, link id {link}", stream.id));
            }
            if let Some(more @ 1..) = all.len().checked_sub(LISTED) {
                text.push_str(&format!("\n  and {more} more: `hlsops stream list` shows them"));
            }
            Err(text)
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(id: &str, name: &str, link_id: &str) -> Stream {
        serde_json::from_value(json!({
            "id": id, "link_id": link_id, "name": name, "manifest_url": "https://h/a", "enabled": true,
            "watch": {"mode": "continuous"}, "profile": "default", "health": {"state": "healthy"},
            "created_at": ""
        }))
        .unwrap()
    }

    #[test]
    fn what_may_mean_two_streams_means_neither() {
        let streams = [
            stream("str_1", "TV", "news"),
            stream("str_2", "news", "tv2"),
            stream("str_3", "same", "same"),
            stream("str_4", "str_1", "tv4"),
        ];
        for (wanted, id) in
            [("str_1", "str_1"), ("TV", "str_1"), ("tv2", "str_2"), ("same", "str_3"), ("tv4", "str_4")]
        {
            assert_eq!(choose(&streams, wanted).map(|stream| stream.id.as_str()), Ok(id), "{wanted}");
        }
        let why = choose(&streams, "news").unwrap_err();
        for part in ["more than one", "\n  str_1  name TV, link id news", "\n  str_2  name news, link id tv2"]
        {
            assert!(why.contains(part), "{why}");
        }
        let many: Vec<Stream> = (0..12).map(|n| stream(&format!("str_{n}"), "TV", "-")).collect();
        let why = choose(&many, "TV").unwrap_err();
        assert!(
            why.lines().count() == 12 && why.ends_with("and 2 more: `hlsops stream list` shows them"),
            "{why}"
        );
    }
}
