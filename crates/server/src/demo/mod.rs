//! The demonstration: a whole server on a free port with a directory that goes away, and three real tasks.
//!
//! It needs no registry: its image is the minimal one that the node builds itself. Whatever happens, it stops its tasks
//! and removes what it made.

mod progress;

use std::time::Duration;

use bytes::Bytes;
use longshore_api::{Api, Caller};
use longshore_domain::Scope;
use longshore_node::engine::Engine;
use longshore_node::minimal_image;
use serde_json::{Value, json};

use crate::config::{Config, EngineKind, ServeFlags};
use crate::failure::Failure;
use crate::serve::{self, Behind};
use progress::Progress;

/// How many tasks it runs.
const TASKS: usize = 3;
/// How long they may take to run.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at them.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the demonstration.
///
/// # Errors
/// No engine, or a task that does not run; whatever was made is removed all the same.
pub async fn run(engine: EngineKind) -> Result<(), Failure> {
    let directory = tempfile::Builder::new().prefix("longshore-demo-").tempdir();
    let directory = directory.map_err(|error| Failure::Trouble(format!("no temporary directory: {error}")))?;
    let engine = if engine == EngineKind::Auto { EngineKind::Docker } else { engine };
    let flags = ServeFlags {
        listen: Some("127.0.0.1:0".parse().map_err(Failure::Usage)?),
        data_dir: Some(directory.path().to_path_buf()),
        engine: Some(engine),
        stop_tasks_on_exit: Some(true),
        ..ServeFlags::default()
    };
    let config = Config::load(flags)?;
    let (running, behind) = serve::launch(&config).await?;
    let url = running.url();
    println!("A server is up at {url} (engine: {}).", name(&behind));
    let image = import(&behind).await;
    let shown = match &image {
        Ok(image) => tokio::select! {
            shown = show(&behind, &url, &image.reference) => shown,
            _ = tokio::signal::ctrl_c() => Err(Failure::Trouble("interrupted".to_owned())),
        },
        Err(_) => Ok(()),
    };
    println!("\nStopping the tasks and cleaning up.");
    running.stop().await;
    let image = image?;
    let removed = if image.was_there { Ok(()) } else { remove(&behind, &image.reference).await };
    shown.and(removed)
}

fn name(behind: &Behind) -> &'static str {
    behind.engine.as_ref().map_or("none", |engine| engine.name())
}

/// The image of the demonstration's tasks.
struct Image {
    reference: String,
    /// Whether it was there before; then it stays.
    was_there: bool,
}

async fn import(behind: &Behind) -> Result<Image, Failure> {
    let trouble = |error| Failure::Trouble(format!("cannot import the demo's image: {error}"));
    let engine = engine(behind)?;
    let image = minimal_image::build(std::env::consts::ARCH)
        .ok_or_else(|| Failure::Trouble("there is no minimal image for this architecture".to_owned()))?;
    let was_there = engine.image(&image.reference).await.map_err(trouble)?.is_some();
    let reference = minimal_image::ensure(engine).await.map_err(trouble)?;
    Ok(Image { reference, was_there })
}

async fn remove(behind: &Behind, reference: &str) -> Result<(), Failure> {
    let trouble = |error| Failure::Trouble(format!("cannot remove the demo's image: {error}"));
    engine(behind)?.remove_image(reference).await.map_err(trouble)
}

fn engine(behind: &Behind) -> Result<&dyn Engine, Failure> {
    behind.engine.as_deref().ok_or_else(|| Failure::Trouble("the server has no node".to_owned()))
}

/// Registers, runs, waits, lists.
async fn show(behind: &Behind, url: &str, image: &str) -> Result<(), Failure> {
    let client = Client { api: behind.api.clone() };
    let definition = json!({"family": "demo", "containerDefinitions": [{"name": "app", "image": image, "memory": 16}]});
    client.call("RegisterTaskDefinition", &definition).await?;
    println!("Registered the task definition demo:1.");
    let answer = client.call("RunTask", &json!({"taskDefinition": "demo", "count": TASKS})).await?;
    let arns = arns(&answer);
    if arns.len() < TASKS {
        return Err(Failure::Trouble(format!("not all tasks could be placed: {}", answer["failures"])));
    }
    wait_until_running(&client, behind, &arns).await?;
    let page = client.call("ListTasks", &json!({})).await?;
    println!("\nListTasks answers:\n{}", serde_json::to_string_pretty(&page).unwrap_or_default());
    print!("{}", how_to_call(url));
    Ok(())
}

fn arns(answer: &Value) -> Vec<String> {
    let tasks = answer["tasks"].as_array().into_iter().flatten();
    tasks.filter_map(|task| task["taskArn"].as_str()).map(str::to_owned).collect()
}

async fn wait_until_running(client: &Client, behind: &Behind, arns: &[String]) -> Result<(), Failure> {
    let mut progress = Progress::new(arns);
    let begun = tokio::time::Instant::now();
    loop {
        let answer = client.call("DescribeTasks", &json!({"tasks": arns})).await?;
        let tasks = answer["tasks"].as_array().cloned().unwrap_or_default();
        progress.show(&tasks, |arn| behind.node.as_ref().and_then(|node| node.pull_progress(arn)));
        if tasks.iter().all(|task| task["lastStatus"] == "RUNNING") {
            progress.finish();
            return Ok(());
        }
        if let Some(task) = tasks.iter().find(|task| task["lastStatus"] == "STOPPED") {
            progress.finish();
            return Err(Failure::Trouble(format!("a task stopped: {}", task["stoppedReason"])));
        }
        if begun.elapsed() > PATIENCE {
            progress.finish();
            return Err(Failure::Trouble(format!("the tasks did not run within {} s", PATIENCE.as_secs())));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn how_to_call(url: &str) -> String {
    format!(
        r#"
Call it from Python (any key pair will do):

    import boto3
    ecs = boto3.client("ecs", endpoint_url="{url}", region_name="us-east-1",
                       aws_access_key_id="local", aws_secret_access_key="local")
    print(ecs.list_tasks()["taskArns"])

or with the AWS CLI:

    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1
    aws ecs list-tasks --endpoint-url {url}

`longshore serve` listens on http://127.0.0.1:8327 until it is stopped.
"#
    )
}

/// Calls of the demonstration, in process.
struct Client {
    api: Api,
}

impl Client {
    async fn call(&self, operation: &str, input: &Value) -> Result<Value, Failure> {
        let caller = Caller {
            scope: Scope::new("000000000000", "us-east-1"),
            principal: "arn:aws:iam::000000000000:root".into(),
            user_id: "000000000000".into(),
        };
        let answer = self.api.call(&caller, Some(operation), Bytes::from(input.to_string())).await;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status == 200 { Ok(body) } else { Err(Failure::Trouble(format!("{operation} was refused: {body}"))) }
    }
}
