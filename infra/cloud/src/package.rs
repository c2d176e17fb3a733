//! Zips as Lambda wants them: one executable called `bootstrap`.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use ring::digest::{SHA256, digest};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::error::Error;

/// Instruction sets of Lambda.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Architecture {
    /// Graviton: a fifth cheaper.
    #[default]
    #[value(name = "arm64")]
    Arm,
    /// For emulators on such machines.
    #[value(name = "x86_64")]
    X86,
}

impl Architecture {
    /// As Lambda and the template spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arm => "arm64",
            Self::X86 => "x86_64",
        }
    }

    /// The machine's number in an ELF header.
    const fn elf_machine(self) -> u16 {
        match self {
            Self::Arm => 183,
            Self::X86 => 62,
        }
    }
}

/// The functions' zips, by the names of their files.
pub const FUNCTIONS: [&str; 2] = ["probe", "api"];

/// Lambda takes larger ones; we do not: a larger zip starts slower.
pub const MAX_ZIP_BYTES: usize = 8_000_000;

/// A zip that was written.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Where it is.
    pub path: PathBuf,
    /// Size of the binary.
    pub binary_bytes: usize,
    /// Size of the zip.
    pub zip_bytes: usize,
}

/// Puts a binary into `out/NAME.zip` as `bootstrap`.
///
/// The same binary gives the same bytes: no time, no user.
///
/// # Errors
/// If the file is no binary for that architecture, or a file cannot be read or written.
pub fn pack(name: &str, binary: &Path, architecture: Architecture, out: &Path) -> Result<Packed, Error> {
    let code = fs::read(binary).map_err(Error::file("read", binary))?;
    if !is_elf_for(&code, architecture) {
        return Err(Error::WrongBinary { path: binary.into(), wanted: architecture.name() });
    }
    fs::create_dir_all(out).map_err(Error::file("create", out))?;
    let path = out.join(format!("{name}.zip"));
    let file = File::create(&path).map_err(Error::file("create", &path))?;
    let failed = |source| Error::Zip { path: path.clone(), source };
    let mut zip = ZipWriter::new(BufWriter::new(file));
    let options = SimpleFileOptions::DEFAULT
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .unix_permissions(0o755);
    zip.start_file("bootstrap", options).map_err(failed)?;
    zip.write_all(&code).map_err(Error::file("write", &path))?;
    zip.finish().map_err(failed)?.flush().map_err(Error::file("write", &path))?;
    let zip_bytes = fs::metadata(&path).map_err(Error::file("read", &path))?.len();
    Ok(Packed { path, binary_bytes: code.len(), zip_bytes: usize::try_from(zip_bytes).unwrap_or(usize::MAX) })
}

/// The SHA-256 of a content in hexadecimal: its name in a bucket.
#[must_use]
pub fn content_hash(content: &[u8]) -> String {
    digest(&SHA256, content).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_elf_for(code: &[u8], architecture: Architecture) -> bool {
    let machine = code.get(18..20).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes);
    code.starts_with(b"\x7fELF") && machine == Some(architecture.elf_machine())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(machine: u8) -> Vec<u8> {
        let mut code = b"\x7fELF".to_vec();
        code.resize(64, 0);
        code[18] = machine;
        code
    }

    #[test]
    fn the_same_binary_gives_the_same_zip_and_another_machines_is_refused() {
        let folder = std::env::temp_dir().join(format!("hlsops-pack-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let binary = folder.join("code");
        fs::write(&binary, elf(62)).unwrap();
        let once = pack("probe", &binary, Architecture::X86, &folder).unwrap();
        let first = fs::read(&once.path).unwrap();
        let again = pack("probe", &binary, Architecture::X86, &folder).unwrap();
        assert_eq!(first, fs::read(&again.path).unwrap());
        assert_eq!((again.binary_bytes, again.zip_bytes), (64, first.len()));
        let refused = pack("probe", &binary, Architecture::Arm, &folder).unwrap_err();
        assert!(refused.to_string().contains("no Linux binary for arm64"), "{refused}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_content_is_named_by_its_hash() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(content_hash(b""), empty);
    }
}
