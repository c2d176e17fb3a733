//! `hlsops import`: streams from the `streams.json` of the system that this one replaces.
//!
//! The whole file is judged before anything is stored. What is there already is left alone, so a second run adds
//! nothing; and where an entry is refused after others were added, those are taken away again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use hlsops_wire::{Stream, StreamCreate};
use http::Method;
use serde::Serialize;
use serde_json::{Map, Value};

use super::table::lay_out;
use super::{Done, Place, stream};
use crate::cli::parse;
use crate::client::{Api, Ask, CallError};
use crate::exit::Exit;

/// The largest file. Unit: bytes.
const MAX_BYTES: u64 = 5 << 20;
/// Most entries of a file.
const MAX_ENTRIES: usize = 5_000;
/// Longest link id.
const LINK_ID: usize = 32;

/// Options of `hlsops import`.
#[derive(Args, Debug)]
pub(crate) struct ImportOptions {
    /// A `streams.json`: a list of objects with `manifest_url`, `name` and `id`, or an object with such a list as
    /// `streams`
    file: PathBuf,
    /// Say what would be added, and add nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

/// What becomes of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// It is added, or would be.
    Added,
    /// It is there already.
    Unchanged,
    /// It cannot be added.
    Failed,
    /// It was not added because another entry failed.
    NotDone,
}

/// An entry and what became of it.
#[derive(Clone, Debug, Serialize)]
struct Line {
    /// Which entry, from 1.
    entry: usize,
    outcome: Outcome,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_id: Option<String>,
    /// With its secrets masked, as everything here is shown; what is stored is in `create`.
    manifest_url: String,
    /// Why it failed, or what was left out.
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
    #[serde(skip)]
    create: StreamCreate,
}

pub(super) async fn run(options: ImportOptions) -> Done {
    let mut lines = read(&options.file)?;
    let api = options.place.api().await?;
    compare(&mut lines, &stream::all(&api).await?);
    if lines.iter().any(|line| line.outcome == Outcome::Failed) {
        give_up(&mut lines);
    } else if !options.dry_run {
        add(&api, &options.place, &mut lines).await?;
    }
    let failed = lines.iter().any(|line| line.outcome == Outcome::Failed);
    options.place.print(&lines, |lines| text(lines, options.dry_run))?;
    Ok(if failed { Exit::Findings } else { Exit::Clean })
}

fn text(lines: &[Line], dry_run: bool) -> String {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Added if dry_run => "would add",
        Outcome::Added => "added",
        Outcome::Unchanged => "unchanged",
        Outcome::Failed => "FAILED",
        Outcome::NotDone => "not done",
    };
    let row = |line: &Line| {
        let outcome = word(&line.outcome).to_owned();
        let link_id = line.link_id.clone().unwrap_or_default();
        let note = if line.note.is_empty() { &line.manifest_url } else { &line.note };
        vec![outcome, line.entry.to_string(), line.name.clone(), link_id, note.clone()]
    };
    let rows: Vec<_> = lines.iter().map(row).collect();
    lay_out(&["RESULT", "ENTRY", "NAME", "LINK ID", "URL OR NOTE"], &rows) + &sum(lines, dry_run)
}

/// What it comes to, and what to do next.
fn sum(lines: &[Line], dry_run: bool) -> String {
    let count = |wanted: Outcome| lines.iter().filter(|line| line.outcome == wanted).count();
    let (added, unchanged, failed) =
        (count(Outcome::Added), count(Outcome::Unchanged), count(Outcome::Failed));
    match (failed, dry_run) {
        (0, false) => format!("\n{added} added, {unchanged} unchanged: they were there already\n"),
        (0, true) if added == 0 => {
            format!("\ndry run: there is nothing to add; {unchanged} are there already\n")
        }
        (0, true) => format!(
            "\ndry run: nothing was added; {added} would be added, {unchanged} are there already\n\
             run it without --dry-run to add them; whether an address may be fetched is seen then\n"
        ),
        (_, false) => {
            format!("\nnothing was stored: {failed} cannot be added; correct what FAILED and run it again\n")
        }
        (_, true) => format!(
            "\ndry run: nothing was added, and nothing would be: {failed} cannot be added; correct what FAILED\n"
        ),
    }
}

/// The file's entries, each judged by itself.
fn read(file: &std::path::Path) -> Result<Vec<Line>, CallError> {
    let shown = || file.display().to_string();
    let failed = |source| CallError::Read { path: shown(), source };
    let bytes = std::fs::metadata(file).map_err(failed)?.len();
    if bytes > MAX_BYTES {
        return Err(CallError::Input(format!(
            "`{}` has {bytes} bytes, at most {MAX_BYTES} are read",
            shown()
        )));
    }
    let text = std::fs::read_to_string(file).map_err(failed)?;
    parse_file(text.trim_start_matches('\u{feff}'))
        .map_err(|why| CallError::Input(format!("`{}` is no list of streams: {why}", shown())))
}

fn parse_file(text: &str) -> Result<Vec<Line>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let entries = match value {
        Value::Array(entries) => entries,
        Value::Object(mut whole) => match whole.remove("streams") {
            Some(Value::Array(entries)) => entries,
            _ => return Err("write it as a list, or as an object with a list `streams`".into()),
        },
        _ => return Err("write it as a list, or as an object with a list `streams`".into()),
    };
    if entries.len() > MAX_ENTRIES {
        return Err(format!("it has {} entries, at most {MAX_ENTRIES} are read", entries.len()));
    }
    Ok(entries.iter().enumerate().map(|(at, entry)| line(at + 1, entry)).collect())
}

fn line(number: usize, entry: &Value) -> Line {
    let empty = Map::new();
    let fields = entry.as_object().unwrap_or(&empty);
    let field = |name: &str| fields.get(name).and_then(Value::as_str).map(str::trim).unwrap_or_default();
    let create = StreamCreate {
        manifest_url: field("manifest_url").to_owned(),
        name: Some(field("name")).filter(|name| !name.is_empty()).map(str::to_owned),
        link_id: link_id(field("id")),
        enabled: fields.get("enabled").and_then(Value::as_bool),
        ..StreamCreate::default()
    };
    let problem = match parse::url(&create.manifest_url) {
        _ if !entry.is_object() => Some("an entry is an object with `manifest_url`".to_owned()),
        _ if create.manifest_url.is_empty() => Some("`manifest_url` is missing".to_owned()),
        Err(why) => Some(format!("manifest_url: {why}")),
        Ok(_) => None,
    };
    Line {
        entry: number,
        outcome: if problem.is_some() { Outcome::Failed } else { Outcome::Added },
        name: create.name.clone().unwrap_or_default(),
        link_id: create.link_id.clone(),
        manifest_url: stream::masked(&create.manifest_url),
        note: problem.unwrap_or_else(|| left_out(fields)),
        create,
    }
}

/// The old identifier as a link id. A UUID loses its hyphens, and so fits; what does not fit is left out.
fn link_id(id: &str) -> Option<String> {
    let id = if id.len() > LINK_ID { id.replace('-', "") } else { id.to_owned() };
    let fits = (1..=LINK_ID).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    fits.then_some(id)
}

fn left_out(fields: &Map<String, Value>) -> String {
    const KNOWN: [&str; 4] = ["id", "name", "manifest_url", "enabled"];
    let unknown: Vec<&str> = fields.keys().map(String::as_str).filter(|name| !KNOWN.contains(name)).collect();
    if unknown.is_empty() { String::new() } else { format!("left out: {}", unknown.join(", ")) }
}

/// Marks what is there already, and what contradicts it or another entry.
fn compare(lines: &mut [Line], streams: &[Stream]) {
    let by_link: BTreeMap<&str, &Stream> = streams.iter().map(|s| (s.link_id.as_str(), s)).collect();
    let mut links = BTreeSet::new();
    let mut named = BTreeSet::new();
    for line in lines.iter_mut().filter(|line| line.outcome == Outcome::Added) {
        let same_url = |stream: &&Stream| stream::same_url(&stream.manifest_url, &line.create.manifest_url);
        let refuse = |note: String| (Outcome::Failed, note);
        let verdict = match &line.link_id {
            Some(link) if !links.insert(link.clone()) => {
                Some(refuse(format!("another entry has the id `{link}` too")))
            }
            Some(link) => by_link.get(link.as_str()).map(|stream| {
                if same_url(stream) {
                    (Outcome::Unchanged, String::new())
                } else {
                    refuse(format!(
                        "`{link}` is there with another URL, {}",
                        stream::masked(&stream.manifest_url)
                    ))
                }
            }),
            None if !named.insert((line.name.clone(), line.create.manifest_url.clone())) => {
                Some(refuse("another entry has the same name and URL".into()))
            }
            None => streams
                .iter()
                .find(|stream| same_url(stream) && (line.name.is_empty() || stream.name == line.name))
                .map(|_| (Outcome::Unchanged, String::new())),
        };
        if let Some((outcome, note)) = verdict {
            (line.outcome, line.note) = (outcome, note);
        }
    }
    refuse_names_of_others(lines, streams);
}

/// A name that is another stream's id names nobody for sure.
fn refuse_names_of_others(lines: &mut [Line], streams: &[Stream]) {
    let known = streams.iter().map(|stream| stream.link_id.clone());
    let links: BTreeSet<String> = known.chain(lines.iter().filter_map(|line| line.link_id.clone())).collect();
    for line in lines.iter_mut().filter(|line| line.outcome == Outcome::Added) {
        let own = line.link_id.as_deref();
        let named_so = |stream: &&Stream| Some(stream.name.as_str()) == own;
        let note = if own != Some(line.name.as_str()) && links.contains(&line.name) {
            format!("its name `{}` is the id of another stream", line.name)
        } else if let Some(other) = streams.iter().find(named_so) {
            format!("its id `{}` is the name of another stream, {}", other.name, other.id)
        } else {
            continue;
        };
        (line.outcome, line.note) = (Outcome::Failed, note);
    }
}

async fn add(api: &Api, place: &Place, lines: &mut [Line]) -> Result<(), CallError> {
    let mut added: Vec<String> = Vec::new();
    for at in 0..lines.len() {
        let Some(line) = lines.get_mut(at).filter(|line| line.outcome == Outcome::Added) else { continue };
        let created = api.ask::<Stream>(Ask::api(Method::POST, &["streams"]).body(&line.create)).await;
        let error = match created {
            Ok(stream) => {
                (line.name, line.link_id) = (stream.name, Some(stream.link_id));
                added.push(stream.id);
                continue;
            }
            Err(error) => error,
        };
        take_back(api, &added).await?;
        let CallError::Refused(_) = &error else { return Err(error) };
        let note = stream::hint(error, api, place, true).to_string();
        (line.outcome, line.note) = (Outcome::Failed, note);
        give_up(lines);
        return Ok(());
    }
    Ok(())
}

async fn take_back(api: &Api, added: &[String]) -> Result<(), CallError> {
    for id in added {
        api.send(Ask::api(Method::DELETE, &["streams", id]).if_match("*")).await?;
    }
    Ok(())
}

fn give_up(lines: &mut [Line]) {
    for line in lines.iter_mut().filter(|line| line.outcome == Outcome::Added) {
        line.outcome = Outcome::NotDone;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(text: &str) -> Vec<(Outcome, String)> {
        let mut lines = parse_file(text).unwrap();
        compare(&mut lines, &[]);
        lines.into_iter().map(|line| (line.outcome, line.note)).collect()
    }

    #[test]
    fn both_forms_of_the_file_are_read() {
        let entry = r#"{"id": "a1", "name": "A", "manifest_url": "https://h/a.m3u8"}"#;
        for text in [format!("[{entry}]"), format!(r#"{{"version": 1, "streams": [{entry}]}}"#)] {
            let lines = parse_file(&text).unwrap();
            assert_eq!(lines[0].create.manifest_url, "https://h/a.m3u8");
            assert_eq!(lines[0].create.link_id.as_deref(), Some("a1"));
            assert_eq!(lines[0].create.name.as_deref(), Some("A"));
        }
        for wrong in ["7", "{}", r#"{"streams": 3}"#, "not json"] {
            assert!(parse_file(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_entry_says_what_is_wrong_with_it() {
        let text = r#"[{"manifest_url": "https://h/a.m3u8", "thumbnail": "x"}, {"name": "b"},
            {"manifest_url": "ftp://h/a"}, 3]"#;
        let found = outcomes(text);
        assert_eq!(found[0], (Outcome::Added, "left out: thumbnail".into()));
        for (at, expected) in [(1, "missing"), (2, "http or https"), (3, "an object")] {
            assert_eq!(found[at].0, Outcome::Failed);
            assert!(found[at].1.contains(expected), "{found:?}");
        }
    }

    #[test]
    fn a_dry_run_says_that_nothing_was_added() {
        let lines = |text| {
            let mut lines = parse_file(text).unwrap();
            compare(&mut lines, &[]);
            lines
        };
        let good = lines(r#"[{"manifest_url": "https://h/a"}]"#);
        let said = text(&good, true);
        assert!(
            said.contains("would add") && said.contains("dry run: nothing was added; 1 would be added"),
            "{said}"
        );
        assert!(!text(&good, false).contains("dry run"));
        let bad = text(&lines(r#"[{"manifest_url": "nonsense"}]"#), true);
        assert!(bad.contains("nothing was added") && bad.contains("1 cannot be added"), "{bad}");
    }

    #[test]
    fn entries_do_not_contradict_each_other() {
        let text = r#"[{"id": "a", "manifest_url": "https://h/a"}, {"id": "a", "manifest_url": "https://h/b"},
            {"manifest_url": "https://h/c"}, {"manifest_url": "https://h/c"}]"#;
        let found: Vec<_> = outcomes(text).into_iter().map(|(outcome, _)| outcome).collect();
        assert_eq!(found, [Outcome::Added, Outcome::Failed, Outcome::Added, Outcome::Failed]);
        let named = r#"[{"id": "news", "name": "A", "manifest_url": "https://h/a"},
            {"id": "x", "name": "news", "manifest_url": "https://h/b"}, {"id": "y", "name": "y", "manifest_url": "https://h/c"}]"#;
        let found = outcomes(named);
        assert_eq!(found[1], (Outcome::Failed, "its name `news` is the id of another stream".into()));
        assert_eq!((&found[0].0, &found[2].0), (&Outcome::Added, &Outcome::Added));
    }

    #[test]
    fn tokens_are_compared_and_not_shown() {
        let there: Stream = serde_json::from_value(serde_json::json!({
            "id": "str_1", "link_id": "a", "name": "TV", "manifest_url": "https://h/a?token=stored",
            "enabled": true, "watch": {"mode": "continuous"}, "profile": "default",
            "health": {"state": "healthy"}, "created_at": "", "as_of": ""
        }))
        .unwrap();
        let text = r#"[{"id": "a", "manifest_url": "https://h/a?token=given"},
            {"id": "b", "manifest_url": "https://h/b?token=given"},
            {"manifest_url": "https://h/c?token=one"}, {"manifest_url": "https://h/c?token=other"},
            {"manifest_url": "https://h/a?token=stored"}]"#;
        let mut lines = parse_file(text).unwrap();
        compare(&mut lines, &[there]);
        let found: Vec<_> = lines.iter().map(|line| line.outcome.clone()).collect();
        assert_eq!(
            found,
            [Outcome::Failed, Outcome::Added, Outcome::Added, Outcome::Added, Outcome::Unchanged]
        );
        assert!(lines[0].note.contains("another URL, https://h/a?token=***"), "{}", lines[0].note);
        assert_eq!(lines[1].create.manifest_url, "https://h/b?token=given");
        let said = [super::text(&lines, true), serde_json::to_string(&lines).unwrap()];
        for secret in ["given", "stored", "=one", "=other"] {
            assert!(said.iter().all(|said| !said.contains(secret)), "{secret}: {said:?}");
        }
        assert!(said.iter().all(|said| said.contains("https://h/b?token=***")), "{said:?}");
    }

    #[test]
    fn old_identifiers_become_link_ids_where_they_fit() {
        assert_eq!(link_id("news-1").as_deref(), Some("news-1"));
        let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        assert_eq!(link_id(uuid).as_deref(), Some("0f8fad5bd9cb469fa16570867728950e"));
        for wrong in ["", "a b", &"x".repeat(33)] {
            assert_eq!(link_id(wrong), None, "{wrong}");
        }
    }
}
