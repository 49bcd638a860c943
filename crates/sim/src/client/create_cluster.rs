//! CreateCluster and DeleteCluster of a name that one caller has to itself.

use serde_json::json;

use super::Client;
use crate::world::Reply;

impl Client {
    pub(super) async fn make_or_delete_cluster(&mut self) {
        let volatile = self.world.volatile;
        let Some(name) = volatile.get(self.number) else { return };
        let may_be = self.world.judge().clusters.may_be(name);
        if may_be.active && !may_be.absent && !self.random.per_mille(200) {
            self.delete_cluster(name).await;
        } else {
            self.create_cluster(name).await;
        }
    }

    async fn create_cluster(&mut self, name: &str) {
        self.world.judge().clusters.create_begins(name);
        let called = self.call("CreateCluster", &json!({"clusterName": name})).await;
        let mut judge = self.world.judge();
        match called.reply {
            Reply::Ok(_) => judge.clusters.created(name),
            Reply::Refused { why } if why.starts_with("Throttling") => {}
            Reply::Refused { why } => judge.violation(format!("CreateCluster {name} was refused: {why}")),
            Reply::Unknown => {}
        }
    }

    async fn delete_cluster(&mut self, name: &str) {
        self.world.judge().clusters.delete_begins(name);
        let called = self.call("DeleteCluster", &json!({"cluster": name})).await;
        let mut judge = self.world.judge();
        match called.reply {
            Reply::Ok(_) => judge.clusters.deleted(name),
            Reply::Refused { why } if why.starts_with("ClusterContainsTasks") => judge.clusters.not_deleted(name),
            Reply::Refused { why } if why.starts_with("Throttling") => {}
            Reply::Refused { why } => judge.violation(format!("DeleteCluster {name} was refused: {why}")),
            Reply::Unknown => {}
        }
    }
}
