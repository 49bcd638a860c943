//! `longshore restore FILE`: a backup in place of the store's content, while a server runs or while none does.

use std::path::PathBuf;

use clap::Args;
use longshore_store::backend::sqlite;

use super::data_dir::DataDirFlags;
use crate::failure::Failure;

/// Flags of `longshore restore`.
#[derive(Debug, Clone, Args)]
pub struct RestoreFlags {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    data_dir: DataDirFlags,
}

/// Runs the command to its end.
///
/// # Errors
/// The file is no whole backup, or the store cannot be written; nothing has been changed then.
pub fn run(flags: &RestoreFlags) -> Result<(), Failure> {
    let directory = flags.data_dir.resolve()?;
    let restored = sqlite::restore(&directory, &flags.file).map_err(|error| Failure::Trouble(error.to_string()))?;
    let sqlite::Restored { version, backup_version, records, before } = restored;
    let (file, directory) = (flags.file.display(), directory.display());
    eprintln!("{directory} holds the {records} records of {file} (version {backup_version}) as version {version}");
    if before > 0 {
        eprintln!(
            "what it held before (version {before}) is gone; a server that runs goes on from the backup in a second"
        );
    }
    eprintln!("containers of tasks that the backup does not know run on for --orphan-grace: see `longshore orphans`");
    Ok(())
}
