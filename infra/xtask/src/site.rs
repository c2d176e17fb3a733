//! `cargo xtask site`: the dashboard as files that any web server can serve.
//!
//! `dashboard/dist` gets `index.html` and `assets/`. A file below `assets/` has the hash of its content in its
//! name, so it may be kept for ever; beside it lie `.br` and `.gz`, compressed once and for all. The page has no
//! inline script or style, so that a strict content security policy holds.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use twox_hash::XxHash3_64;
use wasm_bindgen_cli_support::Bindgen;

use crate::cargo::{Workspace, run};
use crate::error::Error;
use crate::wasm::{TARGET, Toolchain};

const PACKAGE: &str = "hlsops-dashboard";
const PROFILE: &str = "wasm-release";

/// Where the page's sources and results are, seen from the workspace's root.
const SOURCES: &str = "dashboard/page";
pub(crate) const DIST: &str = "dashboard/dist";

/// What the whole page may weigh, brotli-compressed: every visitor pays for it.
const HEAVIEST: usize = 450 * 1024;

/// Names the inputs of what lies in the folder.
const STAMP: &str = ".inputs";

/// Builds the page, unless what is there was made from the same inputs.
pub(crate) fn build(workspace: &Workspace) -> Result<(), Error> {
    let wasm = compile(workspace)?;
    let sources = Sources::read(&workspace.root.join(SOURCES))?;
    let dist = workspace.root.join(DIST);
    let stamp = format!("{:016x}", sources.fingerprint(&read(&wasm)?));
    if fs::read_to_string(dist.join(STAMP)).is_ok_and(|last| last == stamp) {
        println!("xtask: {DIST} is up to date");
        return Ok(());
    }
    let bound = bind(&wasm, &workspace.target.join("site"))?;
    let files = sources.link(bound)?;
    let weight = write_all(&dist, &files)?;
    write(&dist.join(STAMP), stamp.as_bytes())?;
    println!("xtask: {DIST}: {}", weight.text());
    if weight.brotli > HEAVIEST {
        return Err(Error::TooHeavy { bytes: weight.brotli, limit: HEAVIEST });
    }
    Ok(())
}

fn compile(workspace: &Workspace) -> Result<PathBuf, Error> {
    let target = workspace.target.join("wasm");
    run(Toolchain::ensure()?.build(&target).args(["--profile", PROFILE, "--package", PACKAGE]))?;
    Ok(target.join(TARGET).join(PROFILE).join(PACKAGE).with_extension("wasm"))
}

/// What is written by hand.
struct Sources {
    index: String,
    style: String,
    theme: String,
    boot: String,
}

/// What wasm-bindgen makes.
struct Bound {
    module: String,
    wasm: Vec<u8>,
}

/// A file of the page.
struct File {
    path: String,
    bytes: Vec<u8>,
}

impl File {
    /// One whose name says what is in it: `assets/name-0123456789abcdef.extension`.
    fn hashed(name: &str, extension: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let hash = XxHash3_64::oneshot(&bytes);
        Self { path: format!("assets/{name}-{hash:016x}.{extension}"), bytes }
    }

    fn url(&self) -> String {
        format!("/{}", self.path)
    }
}

impl Sources {
    fn read(folder: &Path) -> Result<Self, Error> {
        let text = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|source| Error::File { action: "read", path, source })
        };
        Ok(Self {
            index: text("index.html")?,
            style: text("style.css")?,
            theme: text("theme.js")?,
            boot: text("boot.js")?,
        })
    }

    /// Over everything the result depends on. The version of wasm-bindgen is part of what the compiler made.
    fn fingerprint(&self, wasm: &[u8]) -> u64 {
        let parts =
            [self.index.as_bytes(), self.style.as_bytes(), self.theme.as_bytes(), self.boot.as_bytes(), wasm];
        let hashes: Vec<u8> = parts.iter().flat_map(|part| XxHash3_64::oneshot(part).to_le_bytes()).collect();
        XxHash3_64::oneshot(&hashes)
    }

    /// Puts the names of the files into those that load them.
    fn link(&self, bound: Bound) -> Result<Vec<File>, Error> {
        let wasm = File::hashed("hlsops", "wasm", bound.wasm);
        let module = File::hashed("hlsops", "js", bound.module);
        let style = File::hashed("style", "css", self.style.as_str());
        let theme = File::hashed("theme", "js", self.theme.as_str());
        let boot = fill("boot.js", &self.boot, &[("{{module}}", module.url()), ("{{wasm}}", wasm.url())])?;
        let boot = File::hashed("boot", "js", boot);
        let index = fill(
            "index.html",
            &self.index,
            &[
                ("{{style}}", style.url()),
                ("{{theme}}", theme.url()),
                ("{{boot}}", boot.url()),
                ("{{module}}", module.url()),
                ("{{wasm}}", wasm.url()),
            ],
        )?;
        let index = File { path: "index.html".into(), bytes: index.into() };
        Ok(vec![index, style, theme, boot, module, wasm])
    }
}

fn fill(file: &'static str, text: &str, values: &[(&'static str, String)]) -> Result<String, Error> {
    values.iter().try_fold(text.to_owned(), |text, (name, value)| {
        if text.contains(name) { Ok(text.replace(name, value)) } else { Err(Error::NoPlace { file, name }) }
    })
}

/// Makes the JavaScript module that loads the compiled page, and the page as that module wants it.
fn bind(wasm: &Path, scratch: &Path) -> Result<Bound, Error> {
    remove(scratch)?;
    Bindgen::new()
        .input_path(wasm)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .out_name("page")
                .typescript(false)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate(scratch)
        })
        .map_err(|error| Error::Bindgen(format!("{error:#}")))?;
    let snippets = scratch.join("snippets");
    if snippets.exists() {
        return Err(Error::Snippet(snippets.display().to_string()));
    }
    let module = read(&scratch.join("page.js"))?;
    Ok(Bound {
        module: String::from_utf8_lossy(&module).into_owned(),
        wasm: read(&scratch.join("page_bg.wasm"))?,
    })
}

/// Bytes of all files together.
#[derive(Default)]
struct Weight {
    raw: usize,
    brotli: usize,
    gzip: usize,
}

impl Weight {
    fn text(&self) -> String {
        let &Self { raw, brotli, gzip } = self;
        format!("{raw} bytes, brotli {brotli}, gzip {gzip}")
    }
}

/// Writes the files, each in three forms, in place of what was there.
fn write_all(dist: &Path, files: &[File]) -> Result<Weight, Error> {
    let assets = dist.join("assets");
    remove(&assets)?;
    fs::create_dir_all(&assets).map_err(|source| Error::File { action: "create", path: assets, source })?;
    let mut weight = Weight::default();
    for file in files {
        let path = dist.join(&file.path);
        let squeezed = |source| Error::File { action: "compress", path: path.clone(), source };
        let brotli = brotli_of(&file.bytes).map_err(squeezed)?;
        let gzip = gzip_of(&file.bytes).map_err(squeezed)?;
        weight.raw += file.bytes.len();
        weight.brotli += brotli.len();
        weight.gzip += gzip.len();
        println!("  {:<34}{:>9} raw{:>9} br{:>9} gz", file.path, file.bytes.len(), brotli.len(), gzip.len());
        write(&with_ending(&path, ".br"), &brotli)?;
        write(&with_ending(&path, ".gz"), &gzip)?;
        write(&path, &file.bytes)?;
    }
    Ok(weight)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn brotli_of(bytes: &[u8]) -> io::Result<Vec<u8>> {
    const BUFFER: usize = 4096;
    const BEST: u32 = 11;
    const WINDOW: u32 = 22;
    let mut packed = brotli::CompressorWriter::new(Vec::new(), BUFFER, BEST, WINDOW);
    packed.write_all(bytes)?;
    packed.flush()?;
    Ok(packed.into_inner())
}

fn gzip_of(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes)?;
    packed.finish()
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::File { action: "read", path: path.into(), source })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    fs::write(path, bytes).map_err(|source| Error::File { action: "write", path: path.into(), source })
}

/// Removes a folder with all that is in it, if it is there.
fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::File { action: "remove", path: path.into(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(index: &str) -> Sources {
        let text = |text: &str| text.to_owned();
        Sources { index: text(index), style: text("s"), theme: text("t"), boot: text("{{module}} {{wasm}}") }
    }

    const INDEX: &str = "{{style}} {{theme}} {{boot}} {{module}} {{wasm}}";

    fn bound() -> Bound {
        Bound { module: "m".into(), wasm: b"w".to_vec() }
    }

    #[test]
    fn every_name_is_linked_and_follows_the_content() {
        let files = sources(INDEX).link(bound()).unwrap();
        let index = String::from_utf8(files[0].bytes.clone()).unwrap();
        let names: Vec<_> = index.split(' ').collect();
        assert_eq!(names.len(), 5);
        assert!(files[1..].iter().all(|file| names.contains(&file.url().as_str())), "{index}");
        let other = sources(INDEX).link(Bound { wasm: b"x".to_vec(), ..bound() }).unwrap();
        assert_ne!(files[5].path, other[5].path);
        assert_ne!(files[3].path, other[3].path, "what loads it has another name too");
        assert_eq!(files[1].path, other[1].path);
    }

    #[test]
    fn a_place_that_is_missing_is_named() {
        let error = sources("{{style}}").link(bound()).err().unwrap().to_string();
        assert_eq!(error, "index.html has no place for `{{theme}}`");
    }

    #[test]
    fn any_input_changes_the_fingerprint() {
        let before = sources(INDEX).fingerprint(b"w");
        assert_eq!(before, sources(INDEX).fingerprint(b"w"));
        assert_ne!(before, sources(INDEX).fingerprint(b"x"));
        assert_ne!(before, sources("").fingerprint(b"w"));
    }

    #[test]
    fn compressed_forms_unpack_to_the_same() {
        let text = b"the same, the same, the same".repeat(100);
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &brotli_of(&text).unwrap()[..], &mut unpacked).unwrap();
        assert_eq!(unpacked, text);
        let packed = gzip_of(&text).unwrap();
        let mut unpacked = Vec::new();
        io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked).unwrap();
        assert_eq!(unpacked, text);
    }
}
