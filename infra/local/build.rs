//! Lists the dashboard's files, so that they are built into the program. Where they are not built, the list is
//! empty: nothing but `cargo demo` and a release needs them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = here.join("../../dashboard/dist").canonicalize()?;
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut list = String::from(
        "/// Every file of the page; none where it was not built.\nstatic FILES: &[File] = &[\n",
    );
    if dist.join("index.html").is_file() {
        list.push_str(&entry("/", &dist.join("index.html")));
        let mut assets: Vec<_> = fs::read_dir(dist.join("assets"))?.collect::<Result<_, _>>()?;
        assets.sort_by_key(fs::DirEntry::file_name);
        for asset in assets {
            let path = asset.path();
            // The compressed forms go with what they are forms of.
            if !path.extension().is_some_and(|ending| ending == "br" || ending == "gz") {
                list.push_str(&entry(&format!("/assets/{}", asset.file_name().display()), &path));
            }
        }
    }
    list.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("site_files.rs"), list)
}

fn entry(url: &str, file: &Path) -> String {
    let mut text = String::new();
    let path = file.display().to_string();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "    File {{ path: {url:?}, raw: include_bytes!({path:?}), brotli: include_bytes!({:?}), gzip: include_bytes!({:?}) }},",
        format!("{path}.br"),
        format!("{path}.gz"),
    );
    text
}
