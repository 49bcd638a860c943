//! What is known of each RunTask: what it asked for, and what it said it had made.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tasks::Tasks;

/// A RunTask, replays of its client token included.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The request.
    pub request: Value,
    /// Its cluster.
    pub cluster: String,
    /// When it was made first.
    pub invoked: u64,
    /// When it was answered first.
    pub returned: Option<u64>,
    /// What it made, if it was answered.
    pub tasks: Option<Vec<String>>,
    /// The wall clock when it was made first.
    pub at: i64,
    /// How often its cluster's name had been given to a new cluster by then.
    pub epoch: u64,
}

impl Run {
    /// How many tasks it asked for.
    fn count(&self) -> usize {
        self.request.get("count").and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok()).unwrap_or(1)
    }
}

/// Every RunTask, by its `startedBy`, which no two have in common.
#[derive(Debug, Default)]
pub(crate) struct Runs(BTreeMap<String, Run>);

impl Runs {
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Run)> {
        self.0.iter()
    }

    /// Those made after `since` that have a token.
    pub fn with_token(&self, since: i64) -> Vec<(String, Run)> {
        let young = self.0.iter().filter(|(_, run)| run.at > since && run.request.get("clientToken").is_some());
        young.map(|(tag, run)| (tag.clone(), run.clone())).collect()
    }

    /// A RunTask is about to be made, at this tick and this time.
    pub fn begun(&mut self, tag: &str, cluster: &str, request: &Value, (invoked, at): (u64, i64), epoch: u64) {
        let run = Run {
            request: request.clone(),
            cluster: cluster.to_owned(),
            invoked,
            returned: None,
            tasks: None,
            at,
            epoch,
        };
        self.0.entry(tag.to_owned()).or_insert(run);
    }

    /// How often the cluster's name had been given to a new cluster when a RunTask was made.
    pub fn epoch(&self, tag: &str) -> u64 {
        self.0.get(tag).map_or(0, |run| run.epoch)
    }

    /// A RunTask was refused, so it made nothing.
    pub fn refused(&mut self, tag: &str) {
        if self.0.get(tag).is_some_and(|run| run.tasks.is_none()) {
            self.0.remove(tag);
        }
    }

    /// A RunTask was answered: all of its tasks are there, and they are the same ones each time.
    pub fn answered(
        &mut self,
        tag: &str,
        answer: &Value,
        returned: u64,
        tasks: &Tasks,
        now: i64,
    ) -> Result<(), String> {
        let Some(run) = self.0.get_mut(tag) else { return Ok(()) };
        let named = answer.get("tasks").and_then(Value::as_array).cloned().unwrap_or_default();
        let arn = |task: &Value| task.get("taskArn").and_then(Value::as_str).unwrap_or_default().to_owned();
        let named: Vec<String> = named.iter().map(arn).collect();
        match &run.tasks {
            None => {
                // An answer that comes late may leave out what has gone meanwhile.
                let all = tasks.of_run(tag);
                let left_out = all.iter().filter(|arn| !named.contains(arn) && tasks.may_be_gone(arn, now)).count();
                if named.len() + left_out != run.count() {
                    return Err(format!("{tag} asked for {} tasks and was told of {named:?}", run.count()));
                }
                if left_out == 0 {
                    run.tasks = Some(named);
                    run.returned = Some(returned);
                }
            }
            Some(first) => {
                let due: Vec<&String> = first.iter().filter(|arn| !tasks.may_be_gone(arn, now)).collect();
                let all_due = due.iter().all(|arn| named.contains(arn));
                if !all_due || !named.iter().all(|arn| first.contains(arn)) {
                    return Err(format!("{tag} was told of {first:?}, and when it asked again of {named:?}"));
                }
            }
        }
        Ok(())
    }

    /// Everything that is there was just looked at: each young RunTask has all of its tasks or none.
    pub fn are_whole(&self, tasks: &Tasks, since: i64) -> Result<(), String> {
        for (tag, run) in self.0.iter().filter(|(_, run)| run.at > since) {
            let known = tasks.of_run(tag).len();
            if known != run.count() && (known != 0 || run.tasks.is_some()) {
                return Err(format!("{tag} asked for {} tasks, and {known} of them are there", run.count()));
            }
        }
        Ok(())
    }
}
