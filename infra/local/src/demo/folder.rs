//! The demo's folder, which goes away with it; and those of demos that were killed, which could not take theirs along.

use std::path::{Path, PathBuf};
use std::{fs, io};

use hlsops_engine::is_in_use;
use jiff::Timestamp;

use super::DemoError;

/// What the name of a demo's folder begins with; then come process and time.
const PREFIX: &str = "hlsops-demo-";
/// For how long a folder may be there before its demo has locked it. Unit: milliseconds.
const STARTING_MS: i64 = 60_000;

/// A new folder, removed when dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes one in `parent`, and takes away what killed demos left there.
    pub(super) fn make(parent: &Path) -> Result<Self, DemoError> {
        let now = Timestamp::now().as_millisecond();
        let path = parent.join(format!("{PREFIX}{}-{now}", std::process::id()));
        let made = private_folder(&path);
        made.map_err(|source| DemoError::Folder { folder: path.clone(), source })?;
        let folder = Self(path);
        // What cannot be listed or removed stays: it is in the folder for what may go.
        let _ = folder.tidy(parent, now);
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Removes the folders beside this one whose demo has ended.
    fn tidy(&self, parent: &Path, now_ms: i64) -> io::Result<()> {
        for entry in fs::read_dir(parent)? {
            let entry = entry?;
            let is_left = made_at(&entry.file_name().to_string_lossy())
                .is_some_and(|made_ms| now_ms.saturating_sub(made_ms) > STARTING_MS)
                // Of a link this tells the link.
                && entry.file_type().is_ok_and(|kind| kind.is_dir())
                && is_of_one_user(&entry.path(), &self.0)
                && is_in_use(&entry.path()).is_ok_and(|in_use| !in_use);
            if is_left {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays, the next demo removes.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// When a demo made the folder of this name; none if no demo did.
fn made_at(name: &str) -> Option<i64> {
    let (process, made_ms) = name.strip_prefix(PREFIX)?.split_once('-')?;
    process.parse::<u32>().ok()?;
    made_ms.parse().ok()
}

/// Fails if it is there already, so that nobody can have prepared it.
#[cfg(unix)]
fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

/// The folder for what may go is everybody's.
#[cfg(unix)]
fn is_of_one_user(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = |path| fs::symlink_metadata(path).map(|found| found.uid());
    matches!((owner(one), owner(other)), (Ok(one), Ok(other)) if one == other)
}

/// Elsewhere each user has one.
#[cfg(not(unix))]
fn is_of_one_user(_: &Path, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_engine::{Engine, EngineConfig};

    #[test]
    fn what_killed_demos_left_goes_and_nothing_else() {
        let parent = std::env::temp_dir().join(format!("hlsops-tidy-{}", std::process::id()));
        let now = Timestamp::now().as_millisecond();
        let young = format!("{PREFIX}7-{now}");
        let in_use = format!("{PREFIX}2-1000");
        for name in
            ["hlsops-demo-1-1000", "hlsops-demo-3-1000", &in_use, &young, "hlsops-demo-x-1", "hlsops-data"]
        {
            fs::create_dir_all(parent.join(name)).unwrap();
        }
        fs::write(parent.join("hlsops-demo-4-1000"), "a file").unwrap();
        // One was killed while it had the folder open, another one before that.
        fs::write(parent.join("hlsops-demo-1-1000/engine.lock"), "1\n").unwrap();
        let engine = Engine::open(EngineConfig::new(parent.join(&in_use))).unwrap();
        let mine = Folder::make(&parent).unwrap();
        let there = |name: &str| parent.join(name).exists();
        assert!(!there("hlsops-demo-1-1000") && !there("hlsops-demo-3-1000"));
        for name in [&in_use, &young, "hlsops-demo-x-1", "hlsops-data", "hlsops-demo-4-1000"] {
            assert!(there(name), "{name}");
        }
        assert!(mine.path().is_dir());
        drop((engine, mine));
        Folder::make(&parent).unwrap();
        assert!(!there(&in_use), "its demo has ended");
        fs::remove_dir_all(&parent).unwrap();
    }
}
