//! A client: sends requests one after another, writes each into the log and shows it to the judge.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::call::{Call, Name, Nanos, Outcome, Request, RunTask};
use super::gate::Gate;
use super::judge::{Judge, Violation};
use super::wire;
use crate::client::http_client::Connection;

/// Uses of client tokens that are remembered for replays.
const REMEMBERED: usize = 200;

/// What all clients of one server share.
#[derive(Debug)]
pub struct Shared {
    /// Address and port of the server, the same over all restarts.
    pub address: String,
    /// Lets clients call while the server is up.
    pub gate: Gate,
    /// How often the server has been killed; raised just before each kill.
    pub kills: AtomicUsize,
    /// Whether calls may stay without an answer: from just before a kill until the next start.
    pub dying: AtomicBool,
    /// What was done, for the report.
    pub counts: Counts,
    clock: Instant,
    calls: AtomicU64,
    names: AtomicU64,
    judge: Mutex<Judge>,
    log: Mutex<Vec<Call>>,
    failure: Mutex<Option<Violation>>,
    replayable: Mutex<Vec<RunTask>>,
}

/// How much was done.
#[derive(Debug, Default)]
pub struct Counts {
    /// Calls without an answer.
    pub lost: AtomicUsize,
    /// Calls that were throttled.
    pub throttled: AtomicUsize,
    /// Traversals that ended.
    pub traversals: AtomicUsize,
    /// Those of them that went on after a kill.
    pub traversals_across: AtomicUsize,
    /// Replays of client tokens.
    pub replays: AtomicUsize,
    /// Clusters that were deleted.
    pub deletions: AtomicUsize,
    /// Histories that were checked.
    pub histories: AtomicUsize,
    /// Those of them with a kill in between.
    pub histories_across: AtomicUsize,
}

/// Pause after a call without an answer: the gate closes only when the server is really gone.
const AFTER_LOSS: Duration = Duration::from_millis(5);

/// Everything is over: the driver has ended or a rule was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A client that panics ends the whole run by itself; what it held is still what was seen.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// For a server at this address; the gate is closed.
    pub fn new(address: String) -> Self {
        Self {
            address,
            gate: Gate::new(),
            kills: AtomicUsize::new(0),
            dying: AtomicBool::new(false),
            counts: Counts::default(),
            clock: Instant::now(),
            calls: AtomicU64::new(1),
            names: AtomicU64::new(1),
            judge: Mutex::default(),
            log: Mutex::default(),
            failure: Mutex::default(),
            replayable: Mutex::default(),
        }
    }

    /// The judge.
    pub fn judge(&self) -> MutexGuard<'_, Judge> {
        lock(&self.judge)
    }

    /// Now.
    pub fn now(&self) -> Nanos {
        Nanos::try_from(self.clock.elapsed().as_nanos()).unwrap_or(Nanos::MAX)
    }

    /// A number that nobody else gets.
    pub fn unique(&self) -> u64 {
        self.names.fetch_add(1, Ordering::Relaxed)
    }

    /// A name that nobody else gets.
    pub fn name(&self, of: &str) -> Name {
        format!("{of}-{}", self.unique()).into()
    }

    /// Ends everything because a rule was broken; the first one counts.
    pub fn fail(&self, violation: Violation) -> Over {
        lock(&self.failure).get_or_insert(violation);
        self.gate.end();
        Over
    }

    /// What a check says, or the end of everything.
    pub fn check<T>(&self, checked: Result<T, Violation>) -> Result<T, Over> {
        checked.map_err(|violation| self.fail(violation))
    }

    /// The rule that was broken, if one was.
    pub fn failure(&self) -> Option<Violation> {
        lock(&self.failure).clone()
    }

    /// The log so far.
    pub fn log(&self) -> MutexGuard<'_, Vec<Call>> {
        lock(&self.log)
    }

    /// Remembers a use of a client token.
    pub fn remember(&self, run: &RunTask) {
        let mut remembered = lock(&self.replayable);
        if remembered.len() >= REMEMBERED {
            remembered.remove(0);
        }
        remembered.push(run.clone());
    }

    /// The uses of client tokens that are remembered, oldest first.
    pub fn remembered(&self) -> Vec<RunTask> {
        lock(&self.replayable).clone()
    }
}

/// One client.
#[derive(Debug)]
pub struct Client<'a> {
    /// Its number.
    pub number: usize,
    /// What it shares with the others.
    pub shared: &'a Shared,
    /// A connection, and how often the server had been killed when it was made.
    connection: Option<(Connection<TcpStream>, usize)>,
}

impl<'a> Client<'a> {
    /// A client without a connection yet.
    pub fn new(number: usize, shared: &'a Shared) -> Self {
        Self { number, shared, connection: None }
    }

    /// Waits until the server is up, then calls.
    ///
    /// # Errors
    /// Everything is over.
    pub fn call(&mut self, request: Request) -> Result<Call, Over> {
        let inside = self.shared.gate.enter().ok_or(Over)?;
        let call = self.call_now(request);
        drop(inside);
        if matches!(call, Ok(Call { outcome: Outcome::Lost(_), .. })) {
            self.shared.gate.pause(AFTER_LOSS);
        }
        call
    }

    /// Calls without asking whether the gate is open.
    ///
    /// # Errors
    /// Everything is over.
    pub fn call_now(&mut self, request: Request) -> Result<Call, Over> {
        let shared = self.shared;
        let number = shared.calls.fetch_add(1, Ordering::Relaxed);
        let kills = shared.kills.load(Ordering::SeqCst);
        let (operation, body) = wire::request(&request, number);
        let text = self.text(operation, &body.to_string());
        let invoked = shared.now();
        shared.judge().announce(number, &request, invoked);
        let answer = self.send(&text, kills);
        let ended = shared.now();
        let outcome = match answer {
            Ok(answer) => wire::outcome(&request, &answer),
            Err(why) => Outcome::Lost(why),
        };
        let call = Call { number, client: self.number, kills, invoked, ended, request, outcome };
        let judged = self.judge(&call);
        shared.log().push(call.clone());
        shared.check(judged)?;
        Ok(call)
    }

    fn judge(&self, call: &Call) -> Result<(), Violation> {
        let counts = &self.shared.counts;
        match &call.outcome {
            Outcome::Lost(why) => {
                counts.lost.fetch_add(1, Ordering::Relaxed);
                if !self.shared.dying.load(Ordering::SeqCst) {
                    let text = format!("nobody killed the server: {why}");
                    return Err(Violation::new("every call is answered", text, [call.number]));
                }
            }
            Outcome::Refused { code, .. } if code == "ThrottlingException" => {
                counts.throttled.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
        self.shared.judge().take(call)
    }

    fn text(&self, operation: &str, body: &str) -> Vec<u8> {
        format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nX-Amz-Target: AmazonEC2ContainerServiceV20141113.{operation}\r\n\
             Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{body}",
            self.shared.address,
            body.len()
        )
        .into_bytes()
    }

    fn send(&mut self, request: &[u8], kills: usize) -> Result<crate::client::http_client::Answer, String> {
        let kept = self.connection.take().filter(|(_, made)| *made == kills);
        let mut connection = match kept {
            Some((connection, _)) => connection,
            None => Connection::tcp(&self.shared.address)?,
        };
        let answer = connection.send(request)?;
        self.connection = Some((connection, kills));
        Ok(answer)
    }
}

/// How long clients have to notice that the server is gone.
pub const NOTICE: Duration = Duration::from_secs(90);
