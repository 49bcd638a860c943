//! What is known of each cluster. Only one client makes and deletes a cluster of one name, one call after another.

use super::super::call::{Answer, Call, Name, Outcome, TaskId};
use super::{Evidence, Judge, Violation};

/// What a cluster is expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expected {
    /// It was never made.
    #[default]
    Absent,
    /// A CreateCluster had no answer.
    Creating,
    /// It is ACTIVE.
    Active,
    /// A DeleteCluster had no answer.
    Deleting,
    /// It is INACTIVE.
    Inactive,
}

/// What is known of one cluster.
#[derive(Debug, Default)]
pub(super) struct ClusterFacts {
    expected: Expected,
    /// The call that the expectation stands on.
    since: u64,
    /// Tasks of its latest incarnation, in the order in which they became known.
    pub(super) tasks: Vec<TaskId>,
    /// Those that may not be stopped yet.
    pub(super) live: Vec<TaskId>,
}

impl Judge {
    /// What a cluster is expected to be.
    pub fn expected(&self, cluster: &Name) -> Expected {
        self.clusters.get(cluster).map(|cluster| cluster.expected).unwrap_or_default()
    }

    /// The clusters that were asked for.
    pub fn cluster_names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = self.clusters.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    pub(super) fn take_create(&mut self, call: &Call, cluster: &Name) -> Result<(), Violation> {
        match &call.outcome {
            Outcome::Lost(_) if self.expected(cluster) != Expected::Active => {
                self.expect(cluster, Expected::Creating, call);
                Ok(())
            }
            Outcome::Answered(_) => self.see_cluster(call, cluster, true),
            _ => Ok(()),
        }
    }

    pub(super) fn take_delete(&mut self, call: &Call, cluster: &Name) -> Result<(), Violation> {
        match &call.outcome {
            Outcome::Lost(_) if self.expected(cluster) == Expected::Active => {
                self.expect(cluster, Expected::Deleting, call);
                Ok(())
            }
            Outcome::Answered(Answer::Clusters(clusters)) => {
                if clusters.iter().any(|(_, active)| *active) {
                    let text = format!("{cluster} was deleted and is ACTIVE");
                    return Err(Violation::new("answers make sense", text, [call.number]));
                }
                self.expect(cluster, Expected::Inactive, call);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn take_clusters(&mut self, call: &Call, asked: &[Name]) -> Result<(), Violation> {
        let Outcome::Answered(Answer::Clusters(clusters)) = &call.outcome else { return Ok(()) };
        for cluster in asked {
            match clusters.iter().find(|(name, _)| name == cluster) {
                Some((_, active)) => self.see_cluster(call, cluster, *active)?,
                None if matches!(self.expected(cluster), Expected::Absent | Expected::Creating) => {}
                None => return self.unexpected(call, cluster, "MISSING"),
            }
        }
        Ok(())
    }

    /// An answer shows a cluster.
    fn see_cluster(&mut self, call: &Call, cluster: &Name, active: bool) -> Result<(), Violation> {
        match (self.expected(cluster), active) {
            (Expected::Active | Expected::Deleting, true) => self.expect(cluster, Expected::Active, call),
            // Only a CreateCluster that was answered just now makes these ACTIVE.
            (Expected::Absent | Expected::Inactive, true) if !is_create(call) => {
                return self.unexpected(call, cluster, "ACTIVE");
            }
            (Expected::Absent | Expected::Creating | Expected::Inactive, true) => {
                self.retire(cluster, call);
                self.expect(cluster, Expected::Active, call);
            }
            (Expected::Absent | Expected::Active, false) => return self.unexpected(call, cluster, "INACTIVE"),
            (Expected::Creating, false) => {}
            (Expected::Deleting | Expected::Inactive, false) => self.expect(cluster, Expected::Inactive, call),
        }
        Ok(())
    }

    /// The cluster was made anew: tasks of earlier ones of its name must not be seen any more.
    fn retire(&mut self, cluster: &Name, call: &Call) {
        let Some(facts) = self.clusters.get_mut(cluster) else { return };
        facts.live.clear();
        for id in std::mem::take(&mut facts.tasks) {
            if let Some(task) = self.tasks.get_mut(&id) {
                task.gone = Some(Evidence::end(call));
            }
        }
        self.runs.retain(|_, run| run.input.cluster != *cluster);
    }

    fn expect(&mut self, cluster: &Name, expected: Expected, call: &Call) {
        let facts = self.clusters.entry(cluster.clone()).or_default();
        facts.expected = expected;
        facts.since = call.number;
    }

    fn unexpected(&self, call: &Call, cluster: &Name, found: &str) -> Result<(), Violation> {
        let since = self.clusters.get(cluster).map_or(call.number, |facts| facts.since);
        let text = format!("{cluster} is {found} and should be {:?}", self.expected(cluster));
        Err(Violation::new("clusters stay", text, [since, call.number]))
    }
}

fn is_create(call: &Call) -> bool {
    matches!(call.request, super::super::call::Request::CreateCluster { .. })
}
