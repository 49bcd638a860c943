//! The words of the command line.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the driver is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How often the server is killed.
    pub kills: usize,
    /// What all choices follow from.
    pub seed: u64,
    /// After this many seconds no further kill begins; 0: no end but `kills`.
    pub seconds: u64,
    /// Kills on one data directory; then a new one begins, so that it does not grow without end.
    pub kills_per_directory: usize,
    /// Clients beside those of the histories.
    pub clients: usize,
    /// The server, if it is not the one of the release profile.
    pub server: Option<PathBuf>,
}

impl Options {
    /// The options in `words`.
    ///
    /// # Errors
    /// A name that does not exist, or a value that cannot be read.
    pub fn read(words: &[&str]) -> Result<Self, String> {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seed = u64::try_from(clock.as_micros() % 1_000_000_000).unwrap_or_default();
        let mut options = Self { kills: 200, seed, seconds: 0, kills_per_directory: 100, clients: 8, server: None };
        for pair in words.chunks(2) {
            let [name, value] = pair else { return Err(format!("{} has no value", pair.concat())) };
            let number = || value.parse::<u64>().map_err(|_| format!("{name} {value} is no number"));
            let count = || {
                let count = number().ok().and_then(|number| usize::try_from(number).ok());
                count.filter(|count| *count > 0).ok_or_else(|| format!("{name} {value} is no number from 1 on"))
            };
            match *name {
                "--kills" => options.kills = count()?,
                "--seed" => options.seed = number()?,
                "--seconds" => options.seconds = number()?,
                "--kills-per-directory" => options.kills_per_directory = count()?,
                "--clients" => options.clients = count()?,
                "--server" => options.server = Some(PathBuf::from(value)),
                _ => return Err(format!("unknown option {name}")),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_overrule_defaults_and_mistakes_are_named() {
        let options = Options::read(&["--kills", "9", "--seed", "7", "--server", "x"]).unwrap();
        assert_eq!((options.kills, options.seed, options.seconds, options.clients), (9, 7, 0, 8));
        assert_eq!(options.server, Some(PathBuf::from("x")));
        assert_eq!(Options::read(&["--turns", "1"]), Err("unknown option --turns".to_owned()));
        assert_eq!(Options::read(&["--kills"]), Err("--kills has no value".to_owned()));
        assert_eq!(Options::read(&["--kills", "0"]), Err("--kills 0 is no number from 1 on".to_owned()));
    }
}
