//! `hlsops backup` and `hlsops restore`: a copy of a folder's data, and a folder made from one.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use hlsops_engine::{Engine, EngineConfig};
use http::Method;
use serde_json::{Value, json};

use super::{Done, Place, say};
use crate::client::{Api, Ask, CallError};
use crate::data::DataFolder;
use crate::exit::Exit;
use crate::serve::Backup;
use crate::station::OpenError;

/// Options of `hlsops backup`.
#[derive(Args, Debug)]
pub(crate) struct BackupOptions {
    /// The file to write; it must not exist yet, and its folder must
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Options of `hlsops restore`.
#[derive(Args, Debug)]
pub(crate) struct RestoreOptions {
    /// A file that `hlsops backup` wrote
    file: PathBuf,
    /// The folder to make; it must not have data yet. There is no default [env: HLSOPS_DATA]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
}

impl RestoreOptions {
    /// The folder to make.
    pub(crate) fn folder(&self) -> DataFolder {
        DataFolder::given(self.data.clone())
    }
}

/// Asks a running server, which goes on watching meanwhile; else copies by itself.
pub(super) async fn run(options: BackupOptions) -> Done {
    let shown = options.file.display();
    let to = std::path::absolute(&options.file)
        .map_err(|error| CallError::Output(format!("cannot write `{shown}`: {error}")))?;
    look_for_folder(&to)?;
    let answer: Value = match options.place.api().await? {
        api @ Api::Server(_) => {
            let ask = Ask::local(Method::POST, &["backup"]).body(&Backup { to: to.clone() });
            api.ask(ask).await.map_err(not_written)?
        }
        here @ Api::Here { .. } => {
            drop(here);
            let engine = Engine::open(EngineConfig::new(options.place.path()?)).map_err(OpenError::from)?;
            engine.backup(&to).await.map_err(OpenError::from)?;
            let bytes = fs::metadata(&to).map(|file| file.len()).unwrap_or_default();
            json!({"file": to, "size_bytes": bytes})
        }
    };
    options.place.print(&answer, |answer| {
        let bytes = answer.get("size_bytes").and_then(Value::as_u64).unwrap_or_default();
        format!("wrote {} ({bytes} bytes)\n", to.display())
    })?;
    Ok(Exit::Clean)
}

/// A folder is not made for a backup: it may be a mistyped one, or a disk that is not there.
fn look_for_folder(to: &Path) -> Result<(), CallError> {
    let Some(folder) = to.parent() else { return Ok(()) };
    let wrong = |what: &str| {
        let (file, folder) = (to.display(), folder.display());
        Err(CallError::Output(format!("cannot write `{file}`: `{folder}` {what}, or choose another place")))
    };
    match fs::metadata(folder) {
        Ok(found) if !found.is_dir() => wrong("is no folder: name a file in one"),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            wrong("does not exist: make that folder first")
        }
        // Whether it may be written is found out by writing.
        _ => Ok(()),
    }
}

/// What a running server says of a file that it cannot write, as this process would say it.
fn not_written(error: CallError) -> CallError {
    match error {
        CallError::Refused(problem) if problem.status == 409 => CallError::Unclear(problem.detail),
        CallError::Refused(problem) if problem.status == 422 => CallError::Output(problem.detail),
        other => other,
    }
}

/// Makes a folder from a backup.
pub(crate) fn restore(options: RestoreOptions) -> Done {
    // Never a folder by default: data that somebody relies on may come to lie there.
    let none = || CallError::Usage("name the folder to make, with --data DIR".into());
    let folder = options.folder().named().ok_or_else(none)?;
    let file = &options.file;
    File::open(file).map_err(|source| CallError::Read { path: file.display().to_string(), source })?;
    Engine::restore(file, &folder).map_err(OpenError::from)?;
    say(&format!(
        "restored {} to {}; start `hlsops serve --data {}`\n",
        file.display(),
        folder.display(),
        folder.display()
    ))?;
    Ok(Exit::Clean)
}
