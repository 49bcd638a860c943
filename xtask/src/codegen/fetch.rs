//! The service model out of botocore's wheel.
//!
//! pip downloads the wheel of the pinned version once; the unpacked model is kept in the build
//! folder under that version, so later runs need no network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process;

/// The model's path inside the wheel.
const MODEL: &str = "botocore/data/ecs/2014-11-13/service-2.json.gz";

const DOWNLOAD_DEADLINE: Duration = Duration::from_secs(300);
const UNPACK_DEADLINE: Duration = Duration::from_secs(60);

/// Prints one gzip member of a zip file, unpacked.
const UNPACK: &str = "import gzip, sys, zipfile
data = zipfile.ZipFile(sys.argv[1]).read(sys.argv[2])
sys.stdout.buffer.write(gzip.decompress(data))";

/// The version of the line `botocore==…` in the requirements file.
///
/// # Errors
/// The file cannot be read, or pins botocore not exactly once.
pub fn pinned_version(requirements: &Path) -> Result<String, String> {
    let text =
        fs::read_to_string(requirements).map_err(|error| format!("cannot read {}: {error}", requirements.display()))?;
    let pins: Vec<&str> = text.lines().filter_map(pin).collect();
    match pins.as_slice() {
        [version] => Ok((*version).to_owned()),
        _ => Err(format!("{} must hold exactly one line `botocore==VERSION`", requirements.display())),
    }
}

fn pin(line: &str) -> Option<&str> {
    let version = line.split('#').next()?.trim().strip_prefix("botocore==")?.trim();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '.';
    (!version.is_empty() && version.chars().all(plain)).then_some(version)
}

/// The text of the ECS service model in botocore `version`, from the build folder or from the
/// package index.
///
/// # Errors
/// Neither has it; the text says what is missing and how to get it.
pub fn service_model(root: &Path, build: &Path, version: &str) -> Result<String, String> {
    let folder = build.join(format!("botocore-{version}"));
    let kept = folder.join("service-2.json");
    if let Ok(text) = fs::read_to_string(&kept) {
        return Ok(text);
    }
    fs::create_dir_all(&folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    let python = python(root);
    let wheel = download(&python, &folder, version)?;
    let text = process::run(Command::new(&python).arg("-c").arg(UNPACK).arg(&wheel).arg(MODEL), UNPACK_DEADLINE)
        .map_err(|problem| format!("cannot unpack {MODEL} from {}: {problem}", wheel.display()))?;
    let fresh = folder.join("service-2.json.new");
    fs::write(&fresh, &text)
        .and_then(|()| fs::rename(&fresh, &kept))
        .map_err(|error| format!("cannot write {}: {error}", kept.display()))?;
    Ok(text)
}

fn download(python: &Path, folder: &Path, version: &str) -> Result<PathBuf, String> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]);
    pip.args(["--only-binary=:all:", "--timeout=20", "--retries=2", "--dest"]);
    pip.arg(folder).arg(format!("botocore=={version}"));
    process::run(&mut pip, DOWNLOAD_DEADLINE).map_err(|problem| {
        format!(
            "cannot download botocore {version}: {problem}\n\
             codegen needs python3 with pip (Debian: apt-get install python3-pip) and a reachable \
             package index (PIP_INDEX_URL)"
        )
    })?;
    let wheel = folder.join(format!("botocore-{version}-py3-none-any.whl"));
    if wheel.is_file() { Ok(wheel) } else { Err(format!("pip ended well, but {} is not there", wheel.display())) }
}

/// The Python of the tests' virtual environment if there is one, else the machine's.
fn python(root: &Path) -> PathBuf {
    let own = root.join(".venv/bin/python3");
    if own.is_file() { own } else { PathBuf::from("python3") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_exact_pin_counts() {
        assert_eq!(pin("botocore==1.44.5"), Some("1.44.5"));
        assert_eq!(pin("  botocore==1.44.5  # the model"), Some("1.44.5"));
        assert_eq!(pin("botocore>=1.44.5"), None);
        assert_eq!(pin("botocore==1.44.5; python_version > '3'"), None);
        assert_eq!(pin("boto3==1.44.5"), None);
        assert_eq!(pin("# botocore==1.44.5"), None);
    }
}
