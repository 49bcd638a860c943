//! Runs seeds and prints what they came to; `cargo xtask sim` builds and starts it.
//!
//! An example, because virtual time is a feature of tokio's that nothing but tests may turn on.

use std::process::ExitCode;
use std::time::Instant;

use longshore_sim::planted;
use longshore_sim::world::{Options, Outcome, run};

const USAGE: &str = "usage: simulate [--seeds N] [--seed S] [--bug NAME | --bugs] [--log]";

/// A run with fewer events is none.
const EVENTS: u64 = 500;
/// One seed in so many is run twice, to see that it is the same twice.
const TWICE: u64 = 50;
/// Within so many seeds a planted bug must be found.
const SEEDS_FOR_A_BUG: u64 = 200;

#[derive(Debug)]
struct Arguments {
    seeds: u64,
    first: u64,
    bug: Option<String>,
    bugs: bool,
    log: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut parsed = Arguments { seeds: 1, first: 1, bug: None, bugs: false, log: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a value; {USAGE}"));
        match word.as_str() {
            "--seeds" => parsed.seeds = number(&value()?)?,
            "--seed" => parsed.first = number(&value()?)?,
            "--bug" => parsed.bug = Some(value()?),
            "--bugs" => parsed.bugs = true,
            "--log" => parsed.log = true,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(parsed)
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is no number; {USAGE}"))
}

fn simulate(seed: u64) -> Result<Outcome, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    Ok(run(&runtime, Options::of(seed)))
}

fn all(arguments: &Arguments) -> Result<String, String> {
    let began = Instant::now();
    let (mut events, mut crashes) = (0, 0);
    for seed in arguments.first..arguments.first + arguments.seeds {
        let outcome = simulate(seed)?;
        if arguments.log {
            print!("{}", outcome.log);
        }
        if !outcome.violations.is_empty() {
            let tail: Vec<&str> = outcome.log.lines().rev().take(30).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            return Err(format!(
                "{}\n\nseed {seed} is wrong:\n  {}\nagain: cargo xtask sim --seed {seed}{} --log",
                tail.join("\n"),
                outcome.violations.join("\n  "),
                arguments.bug.as_ref().map(|bug| format!(" --bug {bug}")).unwrap_or_default(),
            ));
        }
        if outcome.events < EVENTS {
            return Err(format!("seed {seed} has {} events only", outcome.events));
        }
        if seed.is_multiple_of(TWICE) && simulate(seed)? != outcome {
            return Err(format!("seed {seed} is not the same twice"));
        }
        events += outcome.events;
        crashes += outcome.crashes;
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(format!("{} seeds, {events} events, {crashes} crashes: nothing wrong, in {seconds:.1} s", arguments.seeds))
}

/// Plants each bug and runs seeds until it is found.
fn every_bug(arguments: &Arguments) -> Result<String, String> {
    let names = planted::names();
    if names.is_empty() {
        return Err("no bug can be planted: the feature planted-bugs is off".into());
    }
    for name in &names {
        planted::plant_named(Some(name))?;
        let mut seeds = arguments.first..arguments.first + SEEDS_FOR_A_BUG;
        let found = seeds.find_map(|seed| Some((seed, simulate(seed).ok()?.violations.into_iter().next()?)));
        let (seed, violation) = found.ok_or_else(|| format!("{name} was not found in {SEEDS_FOR_A_BUG} seeds"))?;
        println!("{name}: found by seed {seed}: {}", violation.chars().take(160).collect::<String>());
    }
    planted::plant_named(None)?;
    Ok(format!("{} planted bugs, all found", names.len()))
}

fn run_as_told(arguments: &Arguments) -> Result<String, String> {
    if arguments.bugs {
        return every_bug(arguments);
    }
    planted::plant_named(arguments.bug.as_deref())?;
    all(arguments)
}

fn main() -> ExitCode {
    match arguments().and_then(|arguments| run_as_told(&arguments)) {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
