//! The dashboard's files in their bucket.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bucket::{Bucket, Manners};
use crate::error::Error;

const INDEX: &str = "index.html";
const MAX_FILES: usize = 1_000;
const MAX_DEPTH: usize = 8;

/// Files of earlier versions are kept this long, for pages that are still open.
const OPEN_PAGES: Duration = Duration::from_secs(7 * 86_400);

/// What an upload did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Uploaded {
    pub(crate) files: usize,
    pub(crate) changed: usize,
    pub(crate) removed: usize,
}

/// Uploads a built site, the page last, so that it never names files that are not there yet.
pub(crate) async fn upload(bucket: &Bucket, folder: &Path) -> Result<Uploaded, Error> {
    let mut files = Vec::new();
    collect(folder, "", 0, &mut files)?;
    if !files.iter().any(|(key, _)| key == INDEX) {
        return Err(Error::NoSite { path: folder.into(), lacks: "it has no index.html" });
    }
    files.sort_by_key(|(key, _)| (key == INDEX, key.clone()));
    let mut changed = 0;
    for (key, path) in &files {
        let content = fs::read(path).map_err(Error::file("read", path))?;
        changed += usize::from(bucket.put(key, content, &manners(key)).await?);
    }
    let is_ours = |key: &str| files.iter().any(|(ours, _)| ours == key);
    let removed = bucket.sweep(OPEN_PAGES, is_ours).await?;
    Ok(Uploaded { files: files.len(), changed, removed })
}

/// The files below a folder with their keys.
fn collect(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(Error::NoSite { path: folder.into(), lacks: "it is nested too deeply" });
    }
    for entry in fs::read_dir(folder).map_err(Error::file("read", folder))? {
        let path = entry.map_err(Error::file("read", folder))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let key = format!("{prefix}{name}");
        if path.is_dir() {
            collect(&path, &format!("{key}/"), depth + 1, files)?;
        // What the build keeps for itself; and CloudFront compresses by itself.
        } else if !(name.starts_with('.') || name.ends_with(".br") || name.ends_with(".gz")) {
            files.push((key, path));
        }
        if files.len() > MAX_FILES {
            return Err(Error::NoSite { path: folder.into(), lacks: "it has too many files" });
        }
    }
    Ok(())
}

fn manners(key: &str) -> Manners {
    let content_type = match key.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    };
    let cache_control = if has_hash(key) { "public, max-age=31536000, immutable" } else { "no-cache" };
    Manners { content_type, cache_control }
}

/// Whether a file's name holds a hash of its content, so that another content has another name:
/// `app-0123456789abcdef.wasm`, `app-0123456789abcdef_bg.wasm`.
fn has_hash(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    name.split(['-', '.', '_']).any(|part| {
        part.len() >= 8
            && part.bytes().all(|byte| byte.is_ascii_hexdigit())
            && part.bytes().any(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        for kept in ["app-0123456789abcdef.js", "assets/app-1a2b3c4d_bg.wasm", "style.9f8e7d6c.css"] {
            assert_eq!(manners(kept).cache_control, "public, max-age=31536000, immutable", "{kept}");
        }
        for asked in ["index.html", "app.js", "hlsops-dashboard.js", "favicon.svg", "facade-decade.js"] {
            assert_eq!(manners(asked).cache_control, "no-cache", "{asked}");
        }
        assert_eq!(manners("a/b.wasm").content_type, "application/wasm");
        assert_eq!(manners("LICENSE").content_type, "application/octet-stream");
    }
}
