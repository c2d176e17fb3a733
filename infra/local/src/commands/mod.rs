//! Commands that ask the API: streams, incidents, timelines, keys, backups, imports.

mod backup;
mod import;
mod incident;
mod key;
mod stream;
mod table;
mod thresholds;
mod timeline;

use std::io::{ErrorKind, Write, stdout};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

pub(crate) use backup::{BackupOptions, RestoreOptions, restore};
pub(crate) use import::ImportOptions;
pub(crate) use incident::{IncidentCommand, IncidentsOptions};
pub(crate) use key::KeyCommand;
pub(crate) use stream::StreamCommand;
pub(crate) use thresholds::ThresholdsOptions;
pub(crate) use timeline::TimelineOptions;

use crate::client::{Api, CallError, Words};
use crate::data::DataFolder;
use crate::exit::Exit;
use crate::terminal::complain;

/// Whom to ask, and how to answer.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    #[command(flatten)]
    pub(crate) folder: DataFolder,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Place {
    fn path(&self) -> Result<PathBuf, CallError> {
        self.folder.path().map_err(|none| CallError::Usage(none.to_string()))
    }

    async fn api(&self) -> Result<Api, CallError> {
        Api::of(&self.path()?).await
    }

    /// The same for a command that shows how streams are: it says so where nobody looks at them.
    async fn reader(&self) -> Result<Api, CallError> {
        let api = self.api().await?;
        if !api.is_served() {
            complain(format_args!(
                "hlsops: no server runs on `{}`: nobody watches, and what is shown is as it was stored",
                self.path()?.display()
            ));
        }
        Ok(api)
    }

    /// What is worth knowing of a stream that is to be watched from now on: where no server runs, it is not yet.
    fn unwatched(&self, api: &Api) -> Result<String, CallError> {
        if api.is_served() {
            return Ok(String::new());
        }
        let folder = self.path()?;
        Ok(format!(
            "note: no server runs: it is watched once `hlsops serve --data {}` does\n",
            folder.display()
        ))
    }

    /// Prints an answer: as JSON where that was asked for, else as `text` has it.
    fn print<T: Serialize>(&self, answer: &T, text: impl FnOnce(&T) -> String) -> Result<(), CallError> {
        if self.json {
            let json = serde_json::to_string_pretty(answer);
            return say(&(json.map_err(|error| CallError::Answer(error.to_string()))? + "\n"));
        }
        say(&text(answer))
    }
}

/// What a command came to: the exit code is another one than 0 where something was found wanting.
type Done = Result<Exit, CallError>;

/// A command of this module.
#[derive(Debug)]
pub(crate) enum Asking {
    Stream(StreamCommand),
    Incidents(IncidentsOptions),
    Incident(IncidentCommand),
    Timeline(TimelineOptions),
    Thresholds(ThresholdsOptions),
    Key(KeyCommand),
    Backup(BackupOptions),
    Restore(RestoreOptions),
    Import(ImportOptions),
}

/// Runs a command and says why it failed if it did.
pub(crate) async fn run(command: Asking) -> Exit {
    let (name, words, done): (_, Words, _) = match command {
        Asking::Stream(command) => ("stream", stream::WORDS, stream::run(command).await),
        Asking::Incidents(options) => ("incidents", incident::WORDS, incident::list(options).await),
        Asking::Incident(command) => ("incident", incident::WORDS, incident::run(command).await),
        Asking::Timeline(options) => ("timeline", timeline::WORDS, timeline::run(options).await),
        Asking::Thresholds(options) => ("thresholds", &[], thresholds::run(options).await),
        Asking::Key(command) => ("key", key::WORDS, key::run(command).await),
        Asking::Backup(options) => ("backup", &[], backup::run(options).await),
        Asking::Restore(options) => ("restore", &[], restore(options)),
        Asking::Import(options) => ("import", &[], import::run(options).await),
    };
    match done {
        Ok(exit) => exit,
        // Who stops reading has read enough.
        Err(CallError::Terminal(error)) if error.kind() == ErrorKind::BrokenPipe => Exit::Clean,
        Err(error) => {
            complain(format_args!("hlsops {name}: {}", error.in_words(words)));
            error.exit()
        }
    }
}

fn say(text: &str) -> Result<(), CallError> {
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// A time as people read it: to the second. What is no time of ours is shown as it is.
fn moment(at: &str) -> String {
    match (at.get(..10), at.get(10..11), at.get(11..19)) {
        (Some(day), Some("T"), Some(time)) => format!("{day} {time}Z"),
        _ => at.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_short() {
        assert_eq!(super::moment("2026-11-22T03:35:10.123Z"), "2026-11-22 03:35:10Z");
        assert_eq!(super::moment("soon"), "soon");
    }
}
