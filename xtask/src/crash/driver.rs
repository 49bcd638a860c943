//! Starts, loads, kills and starts again, and judges in between.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::call::{Behaviour, Outcome, Request};
use super::client::{Client, NOTICE, Over, Shared};
use super::history;
use super::judge::Violation;
use super::options::Options;
use super::random::Random;
use super::report::{Found, Totals};
use super::server::{self, Launch, Server, Watchdog};
use super::traffic::{SHARED_CLUSTERS, Worker, shared_cluster};
use super::verify::Verify;

/// How long the server is loaded at most before a kill, in milliseconds.
const LOAD: usize = 250;

/// How long is waited for a checkpoint to begin.
const CHECKPOINT: Duration = Duration::from_millis(600);

/// Every so many kills all tasks are described.
const THOROUGH: usize = 25;

/// When the server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// So many microseconds after the process began, before anybody looked.
    Start(u64),
    /// So many milliseconds after the clients began.
    Load(u64),
    /// As soon as the database file itself changes.
    Checkpoint,
    /// So many milliseconds after it was asked to end.
    End(u64),
}

impl Moment {
    fn choose(random: &mut Random) -> Self {
        let number = |random: &mut Random, most| random.below(most) as u64;
        match random.below(100) {
            0..10 => Self::Start(number(random, 40_000)),
            10..20 => Self::Load(number(random, 10)),
            20..28 => Self::Checkpoint,
            28..33 => Self::End(number(random, 30)),
            _ => Self::Load(number(random, LOAD)),
        }
    }
}

/// One data directory and its kills.
struct Generation<'a> {
    shared: &'a Shared,
    launch: &'a Launch,
    random: Random,
    totals: &'a mut Totals,
    /// How much of the server's log was looked at.
    log_read: usize,
}

/// Runs the driver with these options; `scratch` holds the data directories.
///
/// # Errors
/// What was found, or what kept the driver from working.
pub fn run(options: &Options, program: &Path, scratch: &Path) -> Result<Totals, String> {
    let begun = Instant::now();
    let random = Random::new(options.seed);
    let mut watchdog = Watchdog::start()?;
    let mut totals = Totals::default();
    let mut number = 0;
    while totals.kills < options.kills && !is_late(options, begun) {
        let directory = scratch.join(number.to_string());
        let kills = options.kills_per_directory.min(options.kills - totals.kills);
        let random = random.fork(number);
        generation(options, &mut watchdog, (program, &directory), kills, random, &mut totals, begun)?;
        std::fs::remove_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        number += 1;
    }
    totals.directories = number;
    totals.seconds = begun.elapsed().as_secs_f64();
    Ok(totals)
}

fn is_late(options: &Options, begun: Instant) -> bool {
    options.seconds > 0 && begun.elapsed() > Duration::from_secs(options.seconds)
}

fn generation(
    options: &Options,
    watchdog: &mut Watchdog,
    (program, directory): (&Path, &PathBuf),
    kills: usize,
    mut random: Random,
    totals: &mut Totals,
    begun: Instant,
) -> Result<(), String> {
    let trouble = |error: std::io::Error| format!("{}: {error}", directory.display());
    std::fs::create_dir_all(directory).map_err(trouble)?;
    let address = server::free_address(random.below(10_000) + std::process::id() as usize)?;
    let launch = Launch {
        program: program.to_owned(),
        data_dir: directory.join("data"),
        log: directory.join("server.log"),
        address: address.clone(),
    };
    let shared = Shared::new(address);
    let outcome = thread::scope(|scope| {
        // Whatever ends this thread sends the clients home.
        let home = SendHome(&shared);
        for number in 0..options.clients {
            let worker = Worker::new(number, &shared, random.fork(number as u64));
            scope.spawn(move || worker.work());
        }
        let (stream, first) = (random.fork(1_000), options.clients);
        let shared = &shared;
        scope.spawn(move || history::histories(shared, first, stream));
        let mut generation = Generation { shared, launch: &launch, random, totals: &mut *totals, log_read: 0 };
        let outcome = (0..kills)
            .take_while(|_| !is_late(options, begun))
            .try_for_each(|kill| generation.kill(kill, kill % THOROUGH == THOROUGH - 1, watchdog))
            .and_then(|()| generation.last_look(watchdog));
        drop(home);
        outcome
    });
    totals.add(&shared);
    let kills = shared.kills.load(Ordering::SeqCst);
    match (shared.failure(), outcome) {
        (None, Ok(())) => Ok(()),
        (Some(violation), _) => Err(Found { options, directory, kills, violation: &violation, shared: &shared }.tell()),
        (None, Err(trouble)) => {
            let violation = Violation::new("the server comes back", trouble, []);
            Err(Found { options, directory, kills, violation: &violation, shared: &shared }.tell())
        }
    }
}

struct SendHome<'a>(&'a Shared);

impl Drop for SendHome<'_> {
    fn drop(&mut self) {
        self.0.gate.end();
    }
}

impl Generation<'_> {
    /// Starts the server on what is there, judges it, loads it and kills it.
    fn kill(&mut self, number: usize, all: bool, watchdog: &mut Watchdog) -> Result<(), String> {
        let moment = if number == 0 { Moment::Load(200) } else { Moment::choose(&mut self.random) };
        let mut server = Server::start(self.launch, watchdog)?;
        if let Moment::Start(micros) = moment {
            thread::sleep(Duration::from_micros(micros));
            return self.finish(server, moment);
        }
        server.ready()?;
        self.shared.dying.store(false, Ordering::SeqCst);
        self.look(number == 0, all, &mut server)?;
        self.shared.gate.open();
        match moment {
            Moment::Start(_) => {}
            Moment::Load(millis) => self.shared.gate.pause(Duration::from_millis(millis)),
            Moment::Checkpoint => {
                let begun = server::wait_for_change(&self.launch.data_dir.join("longshore.db"), CHECKPOINT);
                self.totals.at_checkpoint += usize::from(begun);
            }
            Moment::End(millis) => {
                self.shared.gate.pause(Duration::from_millis(millis));
                self.shared.dying.store(true, Ordering::SeqCst);
                server.ask_to_end()?;
                thread::sleep(Duration::from_millis(millis));
                return self.finish(server, moment);
            }
        }
        server.runs()?;
        self.finish(server, moment)
    }

    fn finish(&mut self, server: Server<'_>, moment: Moment) -> Result<(), String> {
        self.shared.dying.store(true, Ordering::SeqCst);
        self.shared.kills.fetch_add(1, Ordering::SeqCst);
        server.kill();
        self.totals.killed(matches!(moment, Moment::Start(_)));
        self.shared.gate.close();
        if !self.shared.gate.wait_empty(NOTICE) {
            return Err(format!("calls to a server that was killed did not end within {NOTICE:?}"));
        }
        self.read_log()?;
        // A client found something.
        self.shared.failure().map_or(Ok(()), |violation| Err(violation.rule.to_owned()))
    }

    fn look(&mut self, first: bool, all: bool, server: &mut Server<'_>) -> Result<(), String> {
        let looked = if first { self.set_up() } else { self.verify(all) };
        match looked {
            Ok(()) => Ok(()),
            Err(Over) => {
                server.runs()?;
                Err("a rule was broken".to_owned())
            }
        }
    }

    fn verify(&mut self, all: bool) -> Result<(), Over> {
        let random = self.random.fork(self.shared.unique());
        Verify::new(usize::MAX, self.shared, random).look(all)
    }

    /// What all clients use.
    fn set_up(&self) -> Result<(), Over> {
        let mut client = Client::new(usize::MAX, self.shared);
        let clusters = (0..SHARED_CLUSTERS).map(|number| Request::CreateCluster { cluster: shared_cluster(number) });
        let families = Behaviour::ALL.map(|behaviour| Request::RegisterTaskDefinition {
            family: behaviour.family().into(),
            behaviour,
            marker: self.shared.unique(),
        });
        for request in clusters.chain(families) {
            let call = client.call_now(request)?;
            if !matches!(call.outcome, Outcome::Answered(_)) {
                return Err(self.shared.fail(Violation::new("every call is answered", "setting up", [call.number])));
            }
        }
        Ok(())
    }

    fn read_log(&mut self) -> Result<(), String> {
        let (faults, length) = server::faults(&self.launch.log, self.log_read)?;
        self.log_read = length;
        match faults.first() {
            Some(fault) => Err(format!("the server's log tells of a fault: {fault}")),
            None => Ok(()),
        }
    }

    /// One more start, at which everything is described.
    fn last_look(&mut self, watchdog: &mut Watchdog) -> Result<(), String> {
        let mut server = Server::start(self.launch, watchdog)?;
        server.ready()?;
        self.shared.dying.store(false, Ordering::SeqCst);
        self.look(false, true, &mut server)?;
        server.kill();
        self.read_log()
    }
}
