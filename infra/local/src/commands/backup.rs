//! `hlsops backup` and `hlsops restore`: a copy of a folder's data, and a folder made from one.

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
    /// The file to write; it must not exist yet
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Options of `hlsops restore`.
#[derive(Args, Debug)]
pub(crate) struct RestoreOptions {
    /// A file that `hlsops backup` wrote
    file: PathBuf,
    #[command(flatten)]
    folder: DataFolder,
}

/// Asks a running server, which goes on watching meanwhile; else copies by itself.
pub(super) async fn run(options: BackupOptions) -> Done {
    let failed = |source| CallError::File { action: "resolve", path: shown(&options.file), source };
    let to = std::path::absolute(&options.file).map_err(failed)?;
    let answer: Value = match options.place.api().await? {
        api @ Api::Server(_) => {
            api.ask(Ask::local(Method::POST, &["backup"]).body(&Backup { to: to.clone() })).await?
        }
        here @ Api::Here { .. } => {
            drop(here);
            let folder = options.place.folder.path().map_err(|none| CallError::Usage(none.to_string()))?;
            let engine = Engine::open(EngineConfig::new(folder)).map_err(OpenError::from)?;
            engine.backup(&to).await.map_err(OpenError::from)?;
            let bytes = std::fs::metadata(&to).map(|file| file.len()).unwrap_or_default();
            json!({"file": to, "size_bytes": bytes})
        }
    };
    options.place.print(&answer, |answer| {
        let bytes = answer.get("size_bytes").and_then(Value::as_u64).unwrap_or_default();
        format!("wrote {} ({bytes} bytes)\n", to.display())
    })?;
    Ok(Exit::Clean)
}

/// Makes a folder from a backup.
pub(crate) fn restore(options: RestoreOptions) -> Done {
    // Never a folder by default: data that somebody relies on may come to lie there.
    let none = || CallError::Usage("name the folder to make, with --data DIR".into());
    let folder = options.folder.named().ok_or_else(none)?;
    Engine::restore(&options.file, &folder).map_err(OpenError::from)?;
    say(&format!(
        "restored {} to {}; start `hlsops serve --data {}`\n",
        options.file.display(),
        folder.display(),
        folder.display()
    ))?;
    Ok(Exit::Clean)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
