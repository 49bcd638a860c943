//! `longshore backup FILE`: the store in one file, while a server runs or while none does.

use std::path::PathBuf;

use clap::Args;
use longshore_store::backend::sqlite;

use super::data_dir::DataDirFlags;
use crate::failure::Failure;

/// Flags of `longshore backup`.
#[derive(Debug, Clone, Args)]
pub struct BackupFlags {
    /// The file to make; it holds keys, so only its owner may read it
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Overwrite the file if it is there
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    data_dir: DataDirFlags,
}

/// Runs the command to its end.
///
/// # Errors
/// There is no store, it is damaged, or the file cannot be made.
pub fn run(flags: &BackupFlags) -> Result<(), Failure> {
    let directory = flags.data_dir.resolve()?;
    let made = sqlite::backup(&directory, &flags.file, flags.force).map_err(|error| match error {
        sqlite::BackupError::NoStore(_) | sqlite::BackupError::Exists(_) | sqlite::BackupError::Itself(_) => {
            Failure::Usage(error.to_string())
        }
        error => Failure::Trouble(error.to_string()),
    })?;
    let sqlite::Backup { version, records, bytes } = made;
    let records = records.map_or_else(|| "all".to_owned(), |records| records.to_string());
    let file = flags.file.display();
    eprintln!(
        "{file} holds the store of {} at version {version}: {records} records, {bytes} bytes",
        directory.display()
    );
    Ok(())
}
