//! From the compact form of a task back to its record.

use std::sync::Arc;

use longshore_domain::EcsId;
use longshore_domain::task::TaskRecord;
use serde::de::DeserializeOwned;

use super::compact::{CompactTask, GroupKind};
use super::name::Name;
use super::particulars::hex_of_bytes;
use super::rare::Odd;
use super::template::Mark;

impl CompactTask {
    /// The record, of the task with this place in the store.
    pub(super) fn expand(&self, cluster: u64, id: EcsId, sequence: u64) -> TaskRecord {
        let mut task = self.template.record().clone();
        task.cluster = cluster;
        task.id = id;
        task.sequence = sequence;
        task.group = self.group_text(&task.family);
        task.started_by = self.started_by.as_ref().map(text);
        task.node = self.place.node;
        task.container_instance = self.place.container_instance;
        task.desired_status = self.desired_status;
        task.last_status = self.last_status;
        task.version = u64::from(self.version);
        task.created_at = self.created_at;
        let mut early = [None; 4];
        for (at, time) in early.iter_mut().enumerate() {
            let millis = self.created_at.millis().checked_add(i64::from(self.early[at]));
            *time = millis.map(longshore_domain::Timestamp::from_millis).filter(|_| self.early_present >> at & 1 == 1);
        }
        let odd = self.rare.as_ref().and_then(|rare| rare.odd.as_deref());
        if let Some(odd) = odd {
            early = std::array::from_fn(|at| odd.early[at].or(early[at]));
            task.version = odd.version.unwrap_or(task.version);
        }
        [task.connectivity_at, task.pull_started_at, task.pull_stopped_at, task.started_at] = early;
        self.fill_containers(&mut task, odd);
        self.fill_rare(&mut task);
        task
    }

    fn group_text(&self, family: &str) -> Arc<str> {
        let name = self.group.as_ref().map_or("", Name::as_str);
        match self.group_kind {
            GroupKind::Family => format!("family:{family}").into(),
            GroupKind::Service => format!("service:{name}").into(),
            GroupKind::Daemon => format!("daemon:{name}").into(),
            GroupKind::Other => name.into(),
        }
    }

    fn fill_containers(&self, task: &mut TaskRecord, odd: Option<&Odd>) {
        let mut bytes = self.particulars.reader();
        let mut texts = odd.map_or(&[][..], |odd| &odd.texts).iter().map(text);
        for container in &mut task.containers {
            container.runtime_id = match Mark::read_runtime_id(container.runtime_id.as_deref()) {
                Mark::Absent => None,
                Mark::Short => Some(hex_of_bytes(&bytes.take()).into()),
                Mark::Long => texts.next(),
            };
            if container.reason.is_some() {
                container.reason = texts.next();
            }
            for binding in &mut container.network_bindings {
                binding.host_port = match Mark::read_port(binding.host_port) {
                    Mark::Absent => None,
                    Mark::Short => Some(i32::from(u16::from_le_bytes(bytes.take()))),
                    Mark::Long => Some(i32::from_le_bytes(bytes.take())),
                };
            }
        }
    }

    fn fill_rare(&self, task: &mut TaskRecord) {
        let Some(rare) = &self.rare else { return };
        task.overrides = rare.overrides.as_ref().and_then(json).map(Arc::new);
        task.tags = rare.tags.as_ref().and_then(json).unwrap_or_default();
        if let Some(end) = &rare.end {
            task.stopping_at = end.stopping_at;
            task.execution_stopped_at = end.execution_stopped_at;
            task.stopped_at = end.stopped_at;
            task.stop_code = end.stop_code;
            task.stopped_reason = end.stopped_reason.as_ref().map(text);
        }
    }
}

fn text(name: &Name) -> Arc<str> {
    name.as_str().into()
}

/// What was written as JSON when the task came.
fn json<T: DeserializeOwned>(text: &Name) -> Option<T> {
    serde_json::from_str(text.as_str()).ok()
}
