//! What is known of each task.

use std::collections::BTreeMap;

use serde_json::Value;

/// Stopped tasks are kept for at least this long; source: the ECS developer guide's page on stopped tasks.
pub(crate) const RETENTION_MILLIS: i64 = 3_600_000;
/// So much longer at most.
const GRACE_MILLIS: i64 = 10_000;

/// Names of the statuses in the order of life.
const LIFE: [&str; 8] =
    ["PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"];
const STOPPED: usize = LIFE.len() - 1;

/// Members of a task that never change.
const FIXED: [&str; 8] =
    ["clusterArn", "containerInstanceArn", "createdAt", "group", "launchType", "startedBy", "taskDefinitionArn", "cpu"];

/// What is known of a task.
#[derive(Debug, Clone, Default)]
pub(crate) struct TaskFact {
    /// `startedBy`.
    pub tag: Option<String>,
    /// Whether it was seen with desired status STOPPED.
    pub stopping: bool,
    /// The furthest last status that was seen.
    last: usize,
    version: i64,
    stopped_at: Option<i64>,
    /// The last moment at which it was certainly there.
    seen_at: i64,
    /// The last moment at which it was certainly there and not STOPPED.
    alive_at: i64,
    /// Whether it was found to have gone.
    pub gone: bool,
    fixed: Option<String>,
    /// How often its cluster's name had been given to a new cluster.
    pub epoch: u64,
    /// Place in the creation order, once it is known.
    pub sequence: u64,
}

/// Every task that anybody has heard of, by ARN.
#[derive(Debug, Default)]
pub(crate) struct Tasks(BTreeMap<String, TaskFact>);

/// The name of the cluster in a task's ARN.
pub(crate) fn cluster_of(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or_default()
}

/// The id in a task's ARN.
pub(crate) fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

fn text<'a>(task: &'a Value, name: &str) -> &'a str {
    task.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A time in milliseconds; on the wire it is in seconds.
fn millis(task: &Value, name: &str) -> Option<i64> {
    task.get(name)?.as_f64().map(|seconds| (seconds * 1000.0).round() as i64)
}

/// What changes of a task.
struct Life {
    stopping: bool,
    last: usize,
    version: i64,
    stopped_at: Option<i64>,
}

fn life_of(task: &Value) -> Result<Life, String> {
    let last = LIFE.iter().position(|name| *name == text(task, "lastStatus"));
    Ok(Life {
        stopping: text(task, "desiredStatus") == "STOPPED",
        last: last.ok_or_else(|| format!("a task without a status: {task}"))?,
        version: task.get("version").and_then(Value::as_i64).unwrap_or_default(),
        stopped_at: millis(task, "stoppedAt"),
    })
}

impl TaskFact {
    /// Nothing of a task goes back.
    fn may_become(&self, life: &Life) -> Result<(), String> {
        if self.gone {
            return Err("had gone and is there again".into());
        }
        if self.stopping && !life.stopping {
            return Err("was wanted STOPPED and is wanted RUNNING again".into());
        }
        if life.last < self.last {
            return Err(format!("was {} and is {} again", LIFE[self.last], LIFE[life.last]));
        }
        if life.version < self.version {
            return Err(format!("had version {} and has {}", self.version, life.version));
        }
        if self.stopped_at.is_some() && life.stopped_at != self.stopped_at {
            return Err(format!("had stoppedAt {:?} and has {:?}", self.stopped_at, life.stopped_at));
        }
        Ok(())
    }
}

impl Tasks {
    pub fn get(&self, arn: &str) -> Option<&TaskFact> {
        self.0.get(arn)
    }

    /// Those that were not found to have gone.
    pub fn present(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter(|(_, fact)| !fact.gone).map(|(arn, _)| arn.clone())
    }

    /// Those of a cluster of a name that were not found to have gone.
    pub fn present_in(&self, cluster: &str, epoch: u64) -> Vec<String> {
        let of = self.0.iter().filter(|(arn, fact)| cluster_of(arn) == cluster && fact.epoch == epoch && !fact.gone);
        of.map(|(arn, _)| arn.clone()).collect()
    }

    pub fn arn_of(&self, id: &str) -> Option<String> {
        self.0.keys().find(|arn| id_of(arn) == id).cloned()
    }

    /// The tasks that one RunTask made, as far as they are known, in creation order.
    pub fn of_run(&self, tag: &str) -> Vec<String> {
        let mut of: Vec<_> = self.0.iter().filter(|(_, fact)| fact.tag.as_deref() == Some(tag)).collect();
        of.sort_by_key(|(_, fact)| fact.sequence);
        of.into_iter().map(|(arn, _)| arn.clone()).collect()
    }

    /// The node was told of a task that has not STOPPED.
    pub fn heard_of(&mut self, arn: &str, epoch: u64, now: i64) {
        let fact = TaskFact { epoch, seen_at: now, alive_at: now, ..TaskFact::default() };
        self.0.entry(arn.to_owned()).or_insert(fact);
    }

    /// A task was listed.
    pub fn listed(&mut self, arn: &str, epoch: u64, stopped: bool, now: i64) {
        // One that is wanted RUNNING has not STOPPED; of another it is not known when it did.
        let alive_at = if stopped { now - RETENTION_MILLIS } else { now };
        let fact = TaskFact { epoch, seen_at: now, alive_at, ..TaskFact::default() };
        let fact = self.0.entry(arn.to_owned()).or_insert(fact);
        fact.alive_at = fact.alive_at.max(alive_at);
        // It is in the cluster that has the name now, whoever heard of it before.
        fact.epoch = fact.epoch.max(epoch);
    }

    /// Takes note of a task's place in the creation order, which never changes.
    pub fn is_at(&mut self, arn: &str, sequence: u64) -> Result<(), String> {
        let Some(fact) = self.0.get_mut(arn) else { return Ok(()) };
        if fact.sequence != 0 && fact.sequence != sequence {
            return Err(format!("{arn} had sequence number {} and has {sequence}", fact.sequence));
        }
        fact.sequence = sequence;
        Ok(())
    }

    /// A task was shown whole by a read: as it is now.
    pub fn saw(&mut self, task: &Value, epoch: u64, now: i64) -> Result<(), String> {
        let arn = text(task, "taskArn");
        let life = life_of(task)?;
        if let Some(fact) = self.0.get(arn) {
            fact.may_become(&life).map_err(|what| format!("{arn} {what}"))?;
        }
        self.take_in(task, &life, epoch, now)?;
        if let Some(fact) = self.0.get_mut(arn) {
            fact.seen_at = now;
            if life.last < STOPPED {
                fact.alive_at = now;
            }
        }
        Ok(())
    }

    /// A task was shown in the answer of a write: as it was when that was decided, which others may have overtaken.
    pub fn was_shown(&mut self, task: &Value, epoch: u64, now: i64) -> Result<(), String> {
        let life = life_of(task)?;
        self.take_in(task, &life, epoch, now)
    }

    fn take_in(&mut self, task: &Value, life: &Life, epoch: u64, now: i64) -> Result<(), String> {
        let arn = text(task, "taskArn");
        let alive_at = now - RETENTION_MILLIS;
        let fact = self.0.entry(arn.to_owned());
        let fact = fact.or_insert_with(|| TaskFact { epoch, alive_at, seen_at: now, ..TaskFact::default() });
        if life.last == STOPPED && !life.stopping {
            return Err(format!("{arn} is STOPPED and wanted RUNNING"));
        }
        fact.stopping |= life.stopping;
        fact.last = fact.last.max(life.last);
        fact.version = fact.version.max(life.version);
        if let (Some(before), Some(stopped_at)) = (fact.stopped_at, life.stopped_at)
            && before != stopped_at
        {
            return Err(format!("{arn} had stoppedAt {before} and has {stopped_at}"));
        }
        fact.stopped_at = fact.stopped_at.or(life.stopped_at);
        // The replay of a token shows no more of a stopped task.
        if task.get("createdAt").is_none() {
            return Ok(());
        }
        fact.tag = task.get("startedBy").and_then(Value::as_str).map(str::to_owned);
        let fixed: Vec<&Value> = FIXED.iter().map(|name| task.get(*name).unwrap_or(&Value::Null)).collect();
        let fixed = format!("{fixed:?}");
        match &fact.fixed {
            Some(before) if *before != fixed => {
                return Err(format!("{arn} was shown as {before} and is shown as {fixed}"));
            }
            _ => fact.fixed = Some(fixed),
        }
        Ok(())
    }

    /// A task that must be there, or must have been kept for long enough, is not there.
    pub fn missed(&mut self, arn: &str, now: i64) -> Result<(), String> {
        let Some(fact) = self.0.get_mut(arn) else { return Ok(()) };
        let stopped_at = fact.stopped_at.unwrap_or(fact.alive_at);
        if now - stopped_at < RETENTION_MILLIS {
            return Err(format!(
                "{arn} is missing: it was there at {}, was {} (stopped at {:?}), and it is {now}",
                fact.seen_at, LIFE[fact.last], fact.stopped_at
            ));
        }
        fact.gone = true;
        Ok(())
    }

    /// Whether a task may have gone by now.
    pub fn may_be_gone(&self, arn: &str, now: i64) -> bool {
        self.0
            .get(arn)
            .is_none_or(|fact| fact.gone || now - fact.stopped_at.unwrap_or(fact.alive_at) >= RETENTION_MILLIS)
    }

    /// Tasks that are kept for longer than they may be, once everything has come to rest.
    pub fn kept_too_long(&self, now: i64) -> Result<(), String> {
        let late = |fact: &TaskFact| {
            !fact.gone && fact.stopped_at.is_some_and(|at| now - at > RETENTION_MILLIS + GRACE_MILLIS)
        };
        match self.0.iter().find(|(_, fact)| fact.seen_at == now && late(fact)) {
            Some((arn, fact)) => Err(format!("{arn} stopped at {:?} and is still there at {now}", fact.stopped_at)),
            None => Ok(()),
        }
    }
}
