//! Requests as JSON, and JSON as answers.

use serde_json::{Value, json};

use super::call::{
    Answer, Behaviour, DefinitionSeen, Desired, Filter, Identity, ListTasks, Name, Outcome, Request, STATUSES, TaskId,
    TaskSeen,
};
use crate::client::http_client;

/// The variable that holds a definition's marker.
const MARKER: &str = "MARKER";

/// Operation and body of a request. `number` is the call's.
pub fn request(request: &Request, number: u64) -> (&'static str, Value) {
    match request {
        Request::RunTask(run) => {
            let mut body = json!({
                "cluster": &*run.cluster,
                "taskDefinition": format!("{}:1", run.family),
                "count": run.count,
                "startedBy": &*run.started_by,
            });
            if let Some(token) = &run.token {
                body["clientToken"] = json!(&**token);
            }
            ("RunTask", body)
        }
        Request::StopTask { cluster, task } => {
            ("StopTask", json!({ "cluster": &**cluster, "task": task.to_string(), "reason": format!("call {number}") }))
        }
        Request::DescribeTasks { cluster, tasks } => {
            let tasks: Vec<String> = tasks.iter().map(ToString::to_string).collect();
            ("DescribeTasks", json!({ "cluster": &**cluster, "tasks": tasks }))
        }
        Request::ListTasks(list) => ("ListTasks", list_tasks(list)),
        Request::CreateCluster { cluster } => ("CreateCluster", json!({ "clusterName": &**cluster })),
        Request::DeleteCluster { cluster } => ("DeleteCluster", json!({ "cluster": &**cluster })),
        Request::DescribeClusters { clusters } => {
            let clusters: Vec<&str> = clusters.iter().map(|name| &**name).collect();
            ("DescribeClusters", json!({ "clusters": clusters }))
        }
        Request::RegisterTaskDefinition { family, behaviour, marker } => {
            ("RegisterTaskDefinition", definition(family, *behaviour, *marker))
        }
        Request::DeregisterTaskDefinition { family, revision } => {
            ("DeregisterTaskDefinition", json!({ "taskDefinition": format!("{family}:{revision}") }))
        }
        Request::DescribeTaskDefinition { family, revision } => {
            ("DescribeTaskDefinition", json!({ "taskDefinition": format!("{family}:{revision}") }))
        }
        Request::ListTaskDefinitions { family, active, token } => {
            let status = if *active { "ACTIVE" } else { "INACTIVE" };
            let mut body = json!({ "familyPrefix": &**family, "status": status });
            if let Some(token) = token {
                body["nextToken"] = json!(token);
            }
            ("ListTaskDefinitions", body)
        }
    }
}

fn list_tasks(list: &ListTasks) -> Value {
    let mut body = json!({
        "cluster": &*list.cluster,
        "desiredStatus": list.desired.as_str(),
        "maxResults": list.limit,
    });
    match &list.filter {
        Filter::All => {}
        Filter::Family(family) => body["family"] = json!(&**family),
        Filter::StartedBy(started_by) => body["startedBy"] = json!(&**started_by),
    }
    if let Some(token) = &list.token {
        body["nextToken"] = json!(token);
    }
    body
}

fn definition(family: &Name, behaviour: Behaviour, marker: u64) -> Value {
    let image = match behaviour {
        Behaviour::Waiting => "pull-takes-86400000ms.invalid/image",
        Behaviour::Lasting | Behaviour::Short => "image",
    };
    let mut environment = vec![json!({ "name": MARKER, "value": marker.to_string() })];
    if behaviour == Behaviour::Short {
        environment.push(json!({ "name": "LONGSHORE_SIMULATED_RUN_MS", "value": "20" }));
    }
    let container = json!({ "name": "app", "image": image, "memory": 6, "environment": environment });
    json!({ "family": &**family, "networkMode": "bridge", "containerDefinitions": [container] })
}

/// What an answer to this request says.
pub fn outcome(request: &Request, answer: &http_client::Answer) -> Outcome {
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return Outcome::Nonsense(String::from_utf8_lossy(&answer.body).into_owned());
    };
    if answer.status != 200 {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let resources = body["resourceIds"].as_array().into_iter().flatten();
        let resources = resources.filter_map(|arn| Some(task_arn(arn.as_str()?)?.1)).collect();
        return Outcome::Refused { code: text("__type"), message: text("message"), resources };
    }
    match read(request, &body) {
        Some(answer) => Outcome::Answered(answer),
        None => Outcome::Nonsense(body.to_string()),
    }
}

fn read(request: &Request, body: &Value) -> Option<Answer> {
    let next = || body["nextToken"].as_str().map(ToOwned::to_owned);
    Some(match request {
        Request::RunTask(_) | Request::DescribeTasks { .. } => {
            let failures = body["failures"].as_array()?.iter().map(|failure| failure["reason"].to_string());
            Answer::Tasks { tasks: all(&body["tasks"], task)?, failures: failures.collect() }
        }
        Request::StopTask { .. } => Answer::Tasks { tasks: vec![task(&body["task"])?], failures: vec![] },
        Request::ListTasks(list) => {
            let id = |arn: &Value| {
                task_arn(arn.as_str()?).filter(|(cluster, _)| *cluster == &*list.cluster).map(|(_, id)| id)
            };
            Answer::Listed { tasks: all(&body["taskArns"], id)?, next: next() }
        }
        Request::CreateCluster { .. } | Request::DeleteCluster { .. } => {
            Answer::Clusters(vec![cluster(&body["cluster"])?])
        }
        Request::DescribeClusters { .. } => Answer::Clusters(all(&body["clusters"], cluster)?),
        Request::RegisterTaskDefinition { family, .. }
        | Request::DeregisterTaskDefinition { family, .. }
        | Request::DescribeTaskDefinition { family, .. } => {
            Answer::Definition(definition_seen(family, &body["taskDefinition"])?)
        }
        Request::ListTaskDefinitions { family, .. } => {
            let revision = |arn: &Value| revision(family, arn.as_str()?);
            Answer::Definitions { revisions: all(&body["taskDefinitionArns"], revision)?, next: next() }
        }
    })
}

fn all<T>(values: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    values.as_array()?.iter().map(read).collect()
}

/// Cluster and id in a task's ARN.
fn task_arn(arn: &str) -> Option<(&str, TaskId)> {
    let (cluster, id) = arn.strip_prefix("arn:aws:ecs:")?.split_once(":task/")?.1.split_once('/')?;
    Some((cluster, id.parse().ok()?))
}

fn task(value: &Value) -> Option<TaskSeen> {
    let (cluster, id) = task_arn(value["taskArn"].as_str()?)?;
    let desired = match value["desiredStatus"].as_str()? {
        "RUNNING" => Desired::Running,
        "STOPPED" => Desired::Stopped,
        _ => return None,
    };
    let status = value["lastStatus"].as_str()?;
    let text = |name: &str| value[name].as_str().map(ToOwned::to_owned);
    let identity = || {
        Some(Identity {
            started_by: value["startedBy"].as_str()?.into(),
            definition: value["taskDefinitionArn"].as_str()?.rsplit_once('/')?.1.into(),
            created_at: value["createdAt"].to_string(),
            launch_type: text("launchType")?,
        })
    };
    Some(TaskSeen {
        id,
        cluster: cluster.into(),
        desired,
        last: STATUSES.iter().position(|name| *name == status)?,
        identity: identity(),
        stop: text("stopCode").map(|code| (code, text("stoppedReason").unwrap_or_default())),
    })
}

fn cluster(value: &Value) -> Option<(Name, bool)> {
    let active = match value["status"].as_str()? {
        "ACTIVE" => true,
        "INACTIVE" => false,
        _ => return None,
    };
    Some((value["clusterName"].as_str()?.into(), active))
}

fn revision(family: &Name, arn: &str) -> Option<u32> {
    arn.rsplit_once('/')?.1.strip_prefix(&**family)?.strip_prefix(':')?.parse().ok()
}

fn definition_seen(family: &Name, value: &Value) -> Option<DefinitionSeen> {
    let environment = value["containerDefinitions"][0]["environment"].as_array()?;
    let marker = environment.iter().find(|variable| variable["name"] == MARKER)?;
    Some(DefinitionSeen {
        revision: revision(family, value["taskDefinitionArn"].as_str()?)?,
        marker: marker["value"].as_str()?.parse().ok()?,
        active: value["status"] == "ACTIVE",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:ecs:us-east-1:000000000000:task/shared-0/0000000000000000000000000000000a";

    fn list() -> Request {
        let filter = Filter::Family("short".into());
        Request::ListTasks(ListTasks {
            cluster: "shared-0".into(),
            desired: Desired::Stopped,
            filter,
            limit: 7,
            token: Some("t".into()),
        })
    }

    fn answered(request: &Request, status: u16, body: &Value) -> Outcome {
        outcome(request, &http_client::Answer { status, body: body.to_string().into_bytes() })
    }

    #[test]
    fn a_page_is_asked_for_and_read() {
        let (operation, body) = request(&list(), 3);
        assert_eq!(operation, "ListTasks");
        let asked = json!({ "cluster": "shared-0", "desiredStatus": "STOPPED", "maxResults": 7, "family": "short",
            "nextToken": "t" });
        assert_eq!(body, asked);
        let page = answered(&list(), 200, &json!({ "taskArns": [ARN], "nextToken": "n" }));
        let tasks = vec![TaskId(10)];
        assert_eq!(page, Outcome::Answered(Answer::Listed { tasks, next: Some("n".into()) }));
        let foreign = ARN.replace("shared-0", "shared-1");
        assert!(matches!(answered(&list(), 200, &json!({ "taskArns": [foreign] })), Outcome::Nonsense(_)));
    }

    #[test]
    fn tasks_and_refusals_are_read() {
        let described = Request::DescribeTasks { cluster: "shared-0".into(), tasks: vec![TaskId(10)] };
        let task = json!({ "taskArn": ARN, "desiredStatus": "STOPPED", "lastStatus": "STOPPED", "createdAt": 1.5,
            "startedBy": "run-1", "launchType": "EC2", "stopCode": "UserInitiated", "stoppedReason": "call 1",
            "taskDefinitionArn": "arn:aws:ecs:us-east-1:000000000000:task-definition/short:1" });
        let body = json!({ "tasks": [task], "failures": [] });
        let Outcome::Answered(Answer::Tasks { tasks, failures }) = answered(&described, 200, &body) else {
            panic!("not read")
        };
        assert_eq!((tasks[0].id, tasks[0].last, failures.len()), (TaskId(10), 7, 0));
        let identity = tasks[0].identity.clone().unwrap();
        assert_eq!((&*identity.started_by, &*identity.definition), ("run-1", "short:1"));
        let refused = json!({ "__type": "ConflictException", "message": "m", "resourceIds": [ARN] });
        let resources = vec![TaskId(10)];
        let code = "ConflictException".to_owned();
        let expected = Outcome::Refused { code, message: "m".into(), resources };
        assert_eq!(answered(&described, 400, &refused), expected);
    }
}
