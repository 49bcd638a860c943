//! The smallest image that runs: one static program in an otherwise empty file system.
//!
//! The program holds a container open and ends at once, with exit code 0, on SIGTERM or SIGINT, also as process 1,
//! whose default for both is to ignore them. `longshore demo`, the liveness probe and pauses use it: no registry,
//! no build. The bytes are made here, so the same source gives the same image everywhere; its tag is the digest of
//! its content.

mod elf;
mod program;

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::engine::{Engine, EngineError};

/// Path of the program inside the image.
const PROGRAM_PATH: &str = "longshore-minimal";

/// Repository of the image; the tag is the digest of its content.
const REPOSITORY: &str = "longshore/minimal";

/// The image of one architecture, ready to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinimalImage {
    /// `longshore/minimal:<first 12 hexadecimal digits of the SHA-256 of the root file system>`.
    pub reference: String,
    /// The root file system as an uncompressed tar.
    pub rootfs_tar: Vec<u8>,
    /// The entry point.
    pub entry_point: Vec<String>,
}

/// The image of `architecture` (`x86_64`, `aarch64`); `None` for any other.
pub fn build(architecture: &str) -> Option<MinimalImage> {
    let rootfs_tar = tar_of(&executable(architecture)?)?;
    let digest = hex(&Sha256::digest(&rootfs_tar));
    Some(MinimalImage {
        reference: format!("{REPOSITORY}:{}", digest.get(..12)?),
        rootfs_tar,
        entry_point: vec![format!("/{PROGRAM_PATH}")],
    })
}

/// The program of `architecture` as a static ELF file; `None` for an architecture it was not written for.
pub fn executable(architecture: &str) -> Option<Vec<u8>> {
    match architecture {
        "x86_64" => Some(elf::executable(elf::Machine::X86_64, &program::X86_64)),
        "aarch64" => Some(elf::executable(elf::Machine::Aarch64, &program::AARCH64)),
        _ => None,
    }
}

/// Sees to it that `engine` has the image of this machine's architecture; its reference.
///
/// # Errors
///
/// [`EngineError::Unsupported`] on an architecture that the program was not written for, else what the engine says.
pub async fn ensure(engine: &dyn Engine) -> Result<String, EngineError> {
    static IMAGE: LazyLock<Option<MinimalImage>> = LazyLock::new(|| build(std::env::consts::ARCH));
    let image = IMAGE.as_ref().ok_or_else(|| {
        EngineError::Unsupported(format!("the minimal image on architecture {}", std::env::consts::ARCH))
    })?;
    if engine.image(&image.reference).await?.is_none() {
        engine.import_image(&image.reference, image.rootfs_tar.clone(), &image.entry_point).await?;
    }
    Ok(image.reference.clone())
}

/// A tar with the program as its only entry, the same bytes every time.
fn tar_of(executable: &[u8]) -> Option<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_size(executable.len() as u64);
    header.set_mode(0o755);
    header.set_entry_type(tar::EntryType::Regular);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, PROGRAM_PATH, executable).ok()?;
    archive.into_inner().ok()
}

/// Lower-case hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_follows_from_the_content() {
        let first = build("x86_64").expect("x86_64 is supported");
        assert_eq!(build("x86_64"), Some(first.clone()));
        let other = build("aarch64").expect("aarch64 is supported");
        assert_ne!(first.reference, other.reference);
        let tag = first.reference.strip_prefix("longshore/minimal:").expect("the repository");
        assert_eq!(tag, &hex(&Sha256::digest(&first.rootfs_tar))[..12]);
        assert_eq!(build("riscv64"), None);
        // Both programs were run when these were written; who changes a byte has to run them again, aarch64 in QEMU.
        assert_eq!(first.reference, "longshore/minimal:c042c2805feb");
        assert_eq!(other.reference, "longshore/minimal:8d290251cccf");
    }

    #[test]
    fn the_file_system_holds_one_executable() {
        let image = build("aarch64").expect("aarch64 is supported");
        let mut archive = tar::Archive::new(image.rootfs_tar.as_slice());
        let entries: Vec<_> = archive
            .entries()
            .expect("a tar")
            .map(|entry| {
                let entry = entry.expect("an entry");
                let path = entry.path().expect("a path").to_string_lossy().into_owned();
                (path, entry.header().mode().expect("a mode"), entry.size())
            })
            .collect();
        let size = executable("aarch64").expect("aarch64").len() as u64;
        assert_eq!(entries, [("longshore-minimal".to_owned(), 0o755, size)]);
        assert_eq!(image.entry_point, ["/longshore-minimal"]);
    }
}
