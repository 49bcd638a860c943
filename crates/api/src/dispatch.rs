//! From an operation's name and a body to an answer: one table.

use bytes::Bytes;
use longshore_domain::Refusal;
use longshore_ecs_wire::Operation;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Answer, Api, Caller, cluster, container_instance, tag, task, task_definition, unsupported};

/// A body that is no JSON object of the operation's shape.
struct Malformed(serde_json::Error);

impl Malformed {
    fn answer(&self) -> Answer {
        let message = self.0.to_string();
        Answer::error(400, "SerializationException", Some(&message), &[])
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(Malformed)
}

fn answer<T: Serialize>(operation: Operation, outcome: Result<T, Refusal>) -> Answer {
    match outcome {
        Ok(response) => Answer::json(&response),
        Err(refusal) => Answer::refused(operation, &refusal),
    }
}

/// Refuses members that are not honoured yet; most operations have none, and cost nothing here.
fn check_members(operation: Operation, body: &[u8]) -> Result<(), Answer> {
    if !unsupported::has_members(operation) {
        return Ok(());
    }
    let input = parse::<serde_json::Value>(body).map_err(|malformed| malformed.answer())?;
    unsupported::members(operation, &input).map_err(|refusal| Answer::refused(operation, &refusal))
}

/// The table: an operation's name, how it is called, its function.
macro_rules! table {
    ($api:ident, $caller:ident, $operation:ident, $body:ident;
     $(read $read:ident = $read_fn:path;)*
     $(write $write:ident = $write_fn:path;)*) => {
        match $operation {
            $(Operation::$read => match parse(&$body) {
                Ok(input) => answer($operation, $read_fn($api, $caller, &input)),
                Err(malformed) => malformed.answer(),
            },)*
            $(Operation::$write => match parse(&$body) {
                Ok(input) => answer($operation, $write_fn($api, $caller, input).await),
                Err(malformed) => malformed.answer(),
            },)*
            other => unsupported::operation(other),
        }
    };
}

impl Api {
    /// Runs one operation by name; `None` is a missing or foreign target.
    pub async fn call(&self, caller: &Caller, operation: Option<&str>, body: Bytes) -> Answer {
        let Some(operation) = operation.and_then(Operation::from_name) else {
            return Answer::error(400, "UnknownOperationException", None, &[]);
        };
        if operation == Operation::ListTasks {
            return self.list_tasks(caller, &body);
        }
        if let Err(refused) = check_members(operation, &body) {
            return refused;
        }
        // In a box, as its state is as large as the largest operation's, and hyper moves the future of every call.
        Box::pin(self.run(caller, operation, &body)).await
    }

    /// ListTasks writes its own bytes.
    fn list_tasks(&self, caller: &Caller, body: &[u8]) -> Answer {
        match parse(body) {
            Ok(input) => match task::list_tasks::list_tasks(self, caller, &input) {
                Ok(body) => Answer::ok(body),
                Err(refusal) => Answer::refused(Operation::ListTasks, &refusal),
            },
            Err(malformed) => malformed.answer(),
        }
    }

    async fn run(&self, caller: &Caller, operation: Operation, body: &[u8]) -> Answer {
        let api = self;
        table! { api, caller, operation, body;
            read DescribeClusters = cluster::describe_clusters::describe_clusters;
            read DescribeContainerInstances = container_instance::describe_container_instances::describe_container_instances;
            read DescribeTaskDefinition = task_definition::describe_task_definition::describe_task_definition;
            read DescribeTasks = task::describe_tasks::describe_tasks;
            read ListClusters = cluster::list_clusters::list_clusters;
            read ListContainerInstances = container_instance::list_container_instances::list_container_instances;
            read ListTagsForResource = tag::list_tags_for_resource::list_tags_for_resource;
            read ListTaskDefinitionFamilies = task_definition::list_task_definition_families::list_task_definition_families;
            read ListTaskDefinitions = task_definition::list_task_definitions::list_task_definitions;
            write CreateCluster = cluster::create_cluster::create_cluster;
            write DeleteCluster = cluster::delete_cluster::delete_cluster;
            write DeleteTaskDefinitions = task_definition::delete_task_definitions::delete_task_definitions;
            write DeregisterTaskDefinition = task_definition::deregister_task_definition::deregister_task_definition;
            write RegisterTaskDefinition = task_definition::register_task_definition::register_task_definition;
            write RunTask = task::run_task::run_task;
            write StopTask = task::stop_task::stop_task;
            write SubmitTaskStateChange = task::submit_task_state_change::submit_task_state_change;
            write TagResource = tag::tag_resource::tag_resource;
            write UntagResource = tag::untag_resource::untag_resource;
            write UpdateCluster = cluster::update_cluster::update_cluster;
            write UpdateClusterSettings = cluster::update_cluster_settings::update_cluster_settings;
        }
    }
}
