//! The folder with the data, and where a running `hlsops serve` is found.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

/// Which folder.
#[derive(Args, Clone, Debug)]
pub(crate) struct DataFolder {
    /// Folder with the data; `check` and `demo` use none [env: HLSOPS_DATA] [default: the platform's, such as
    /// ~/.local/share/hlsops]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
}

/// Stands for the option where there is none.
const VARIABLE: &str = "HLSOPS_DATA";

/// The platform has no place for data.
#[derive(Debug, thiserror::Error)]
#[error("there is no home folder to keep data in: name a folder with --data DIR or HLSOPS_DATA")]
pub(crate) struct NoHome;

impl DataFolder {
    /// What an option said.
    pub(crate) const fn given(data: Option<PathBuf>) -> Self {
        Self { data }
    }

    /// It is named on the command line, rather than in the environment or nowhere.
    pub(crate) const fn is_given(&self) -> bool {
        self.data.is_some()
    }

    /// The folder that somebody named, on the command line or in the environment.
    pub(crate) fn named(&self) -> Option<PathBuf> {
        let known = self.data.clone().or_else(|| std::env::var_os(VARIABLE).map(PathBuf::from));
        known.filter(|dir| !dir.as_os_str().is_empty())
    }

    /// The folder named on the command line or in the environment, else the platform's.
    pub(crate) fn path(&self) -> Result<PathBuf, NoHome> {
        self.named().or_else(platform).ok_or(NoHome)
    }
}

fn platform() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")))
    };
    base.map(|base| base.join("hlsops"))
}

/// Where a running `hlsops serve` answers, and the key of this run. Who can read the file may do everything.
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Endpoint {
    /// As in `http://127.0.0.1:8080`.
    pub(crate) address: String,
    /// Valid as long as that process runs.
    pub(crate) key: String,
    /// The process.
    pub(crate) pid: u32,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("address", &self.address)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    const FILE: &str = "serve.json";

    /// What the folder says; none when nobody serves it. It may be what a killed process left behind.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(Self::FILE)).ok()?).ok()
    }

    /// Leaves the file, readable to this user only. It is there whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let partial = folder.join(format!("{}.partial", Self::FILE));
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private(&partial)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.write_all(b"\n")?;
        fs::rename(&partial, folder.join(Self::FILE))
    }

    /// Takes the file away.
    pub(crate) fn remove(folder: &Path) {
        // Whoever finds it later finds nobody at its address.
        let _ = fs::remove_file(folder.join(Self::FILE));
    }
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Elsewhere a user's own folders are closed to others.
#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_read_back_and_closed_to_others() {
        let folder = std::env::temp_dir().join(format!("hlsops-endpoint-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let endpoint = Endpoint { address: "http://127.0.0.1:1".into(), key: "secret".into(), pid: 7 };
        endpoint.write(&folder).unwrap();
        endpoint.write(&folder).unwrap();
        assert_eq!(Endpoint::read(&folder), Some(endpoint.clone()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.join(Endpoint::FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(!format!("{endpoint:?}").contains("secret"));
        Endpoint::remove(&folder);
        assert_eq!(Endpoint::read(&folder), None);
        fs::remove_dir_all(&folder).unwrap();
    }
}
