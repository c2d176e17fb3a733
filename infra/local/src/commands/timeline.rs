//! `hlsops timeline`: what happened to a stream, as lines.

use std::time::Duration;

use clap::Args;
use hlsops_wire::{State, Stream, Timeline, TimelineEntry, TimelineKind};
use http::Method;
use jiff::Timestamp;

use super::table::lay_out;
use super::{Done, Place, moment, stream};
use crate::cli::parse;
use crate::client::{Api, Ask, CallError, Words};
use crate::exit::Exit;
use crate::terminal::plain;

/// Options of `hlsops timeline`.
#[derive(Args, Debug)]
pub(crate) struct TimelineOptions {
    /// Id, name or link id of a stream
    stream: String,
    /// How far back: `10m`, `1h`, `48h`
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse::past)]
    since: Duration,
    /// How many entries, the newest, from 1 to 500
    #[arg(long, value_name = "COUNT", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    #[command(flatten)]
    place: Place,
}

pub(super) const WORDS: Words = &[("?limit", "--limit"), ("?from", "--since")];

pub(super) async fn run(options: TimelineOptions) -> Done {
    let api = options.place.reader().await?;
    let stream = stream::find(&api, &options.stream).await?;
    let from = Timestamp::now()
        .checked_sub(options.since)
        .map_err(|_| CallError::Usage("--since lies before all time".into()))?;
    let (mut entries, complete_to) =
        read(&api, &stream.id, &format!("{from:.3}"), usize::from(options.limit)).await?;
    let now: Stream = api.ask(Ask::api(Method::GET, &["streams", &stream.id])).await?;
    // Oldest first, as in a log: the newest stands above the prompt.
    entries.reverse();
    options.place.print(&entries, |entries| {
        let complete = complete(complete_to.as_deref(), later(entries, now.health.state));
        if entries.is_empty() {
            return format!("{}\n{complete}", nothing(&stream.created_at, from));
        }
        let row = |entry: &TimelineEntry| {
            vec![
                moment(&entry.at),
                kind(entry.kind).to_owned(),
                entry.rendition.clone().unwrap_or_default(),
                plain(&entry.text, 400),
            ]
        };
        let rows: Vec<_> = entries.iter().map(row).collect();
        lay_out(&["AT", "KIND", "RENDITION", "WHAT"], &rows) + &complete
    })?;
    Ok(Exit::Clean)
}

/// What is said where nothing is to be told: further back than a stream there is nothing.
fn nothing(created_at: &str, from: Timestamp) -> &'static str {
    let is_whole_life = created_at.parse::<Timestamp>().is_ok_and(|created| created >= from);
    if is_whole_life {
        "nothing has happened since the stream was added"
    } else {
        "nothing happened in that time; look further back with --since"
    }
}

/// A minute is stored when it is over, or sooner where a state changes.
fn complete(to: Option<&str>, later: Option<State>) -> String {
    let since = later.map(|state| format!(", and {} by now", state.name())).unwrap_or_default();
    to.map_or_else(String::new, |at| format!("complete up to {}{since}\n", moment(at)))
}

/// The state of now, where it is not the last one that the entries tell of: that entry is stored later.
fn later(entries: &[TimelineEntry], now: State) -> Option<State> {
    let told = entries.iter().rev().find_map(|entry| entry.state)?;
    (told != now).then_some(now)
}

/// Most pages that are read for one answer.
const PAGES: usize = 100;

/// The newest entries since `from`, at most `most`, newest first, and up to when they are complete. A page may be
/// empty and have another behind it.
async fn read(
    api: &Api,
    id: &str,
    from: &str,
    most: usize,
) -> Result<(Vec<TimelineEntry>, Option<String>), CallError> {
    let mut entries: Vec<TimelineEntry> = Vec::new();
    let mut complete_to = None;
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let wanted = most.saturating_sub(entries.len()).to_string();
        let mut ask =
            Ask::api(Method::GET, &["streams", id, "timeline"]).query("from", from).query("limit", &wanted);
        if let Some(cursor) = &cursor {
            ask = ask.query("cursor", cursor);
        }
        let page: Timeline = api.ask(ask).await?;
        entries.extend(page.items);
        complete_to = complete_to.or(page.complete_to_at);
        cursor = page.next_cursor;
        if cursor.is_none() || entries.len() >= most {
            break;
        }
    }
    Ok((entries, complete_to))
}

const fn kind(kind: TimelineKind) -> &'static str {
    match kind {
        TimelineKind::Health => "health",
        TimelineKind::Playlist => "playlist",
        TimelineKind::LoadFailed => "load",
        TimelineKind::SegmentFailed | TimelineKind::SegmentObtained => "segment",
        TimelineKind::Incident => "incident",
        TimelineKind::Finding => "finding",
        TimelineKind::Rebuffering => "rebuffering",
        TimelineKind::Origin => "origin",
        TimelineKind::Gap => "gap",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_state_that_is_told_later_is_said() {
        let entry = |state: State| -> TimelineEntry {
            serde_json::from_value(json!({"id": "", "at": "", "kind": "health", "text": "", "state": state}))
                .unwrap()
        };
        let entries = [entry(State::Healthy), entry(State::NoData)];
        let told = |now| complete(Some("2026-11-22T22:42:42.100Z"), later(&entries, now));
        assert_eq!(told(State::NoData), "complete up to 2026-11-22 22:42:42Z\n");
        assert_eq!(told(State::Healthy), "complete up to 2026-11-22 22:42:42Z, and HEALTHY by now\n");
        assert_eq!(later(&[], State::Healthy), None);
    }

    #[test]
    fn nobody_is_sent_to_look_before_the_stream_was_there() {
        let from = "2026-11-22T12:00:00Z".parse().unwrap();
        assert!(nothing("2026-11-22T11:59:59Z", from).ends_with("--since"));
        assert!(!nothing("2026-11-22T12:00:00Z", from).contains("--since"));
    }
}
