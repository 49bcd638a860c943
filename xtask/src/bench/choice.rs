//! The numbers a benchmark is called with: `--name value`, all optional, and `--quick` for its short form.

use std::collections::BTreeMap;

/// The word for the short form.
pub const QUICK: &str = "--quick";

/// Named numbers, with their defaults until [`Choices::read`] changes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices(BTreeMap<&'static str, u32>);

impl Choices {
    /// The words of the command line over these defaults.
    ///
    /// # Errors
    /// A name that is not among the defaults, or a value that is not a number from 1 on.
    pub fn read(defaults: &[(&'static str, u32)], words: &[&str]) -> Result<Self, String> {
        let mut choices: BTreeMap<_, _> = defaults.iter().copied().collect();
        for pair in words.chunks(2) {
            let [name, value] = pair else { return Err(format!("{} has no value", pair.concat())) };
            let known = name.strip_prefix("--").and_then(|name| choices.get_mut(name));
            let known = known.ok_or_else(|| format!("unknown option {name}"))?;
            *known =
                value.parse().ok().filter(|value| *value > 0).ok_or_else(|| format!("{name} {value} is no number"))?;
        }
        Ok(Self(choices))
    }

    /// As [`Choices::read`], with other defaults if `--quick` is among the words; whether it is.
    ///
    /// # Errors
    /// As [`Choices::read`].
    pub fn read_either(
        defaults: &[(&'static str, u32)],
        quick: &[(&'static str, u32)],
        words: &[&str],
    ) -> Result<(Self, bool), String> {
        let is_quick = words.contains(&QUICK);
        let words: Vec<&str> = words.iter().copied().filter(|word| *word != QUICK).collect();
        Ok((Self::read(if is_quick { quick } else { defaults }, &words)?, is_quick))
    }

    /// The number of that name, which must be one of the defaults'.
    pub fn get(&self, name: &str) -> u32 {
        self.0.get(name).copied().expect("every benchmark asks for what it has a default for")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_overrule_defaults_and_mistakes_are_named() {
        let read = |words: &[&str]| Choices::read(&[("rounds", 5), ("seconds", 4)], words);
        let chosen = read(&["--seconds", "9"]).unwrap();
        assert_eq!((chosen.get("rounds"), chosen.get("seconds")), (5, 9));
        assert_eq!(read(&["--turns", "1"]), Err("unknown option --turns".to_owned()));
        assert_eq!(read(&["--rounds"]), Err("--rounds has no value".to_owned()));
        assert_eq!(read(&["--rounds", "0"]), Err("--rounds 0 is no number".to_owned()));
    }

    #[test]
    fn the_short_form_has_other_defaults() {
        let read = |words: &[&str]| Choices::read_either(&[("rounds", 5)], &[("rounds", 2)], words).unwrap();
        let chosen = |words: &[&str]| (read(words).0.get("rounds"), read(words).1);
        assert_eq!(chosen(&[]), (5, false));
        assert_eq!(chosen(&["--quick"]), (2, true));
        assert_eq!(chosen(&["--rounds", "7", "--quick"]), (7, true));
    }
}
