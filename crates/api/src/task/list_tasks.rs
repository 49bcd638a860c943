//! ListTasks: the ARNs of one cluster's tasks, a page at a time.
//!
//! A page is cut from the cluster's indexes and written straight into bytes: it takes no lock, touches no record, and
//! costs the same at one task and at a million. Order is creation order. A task that matches from the first page of a
//! traversal to the last is returned exactly once, whatever happens to others meanwhile, also across a restart.
//! Filters, combinations and texts: ListTasks of the ECS API reference, and what callers have seen.

use bytes::Bytes;
use longshore_domain::arn::{self, InCluster};
use longshore_domain::task::{DesiredStatus, LaunchType};
use longshore_domain::{EcsId, Refusal, Scope, cluster};
use longshore_ecs_wire::operations::DesiredStatus as WireDesiredStatus;
use longshore_ecs_wire::operations::ListTasksRequest;
use longshore_ecs_wire::shapes;
use longshore_store::index::Work;
use longshore_store::task_table::TaskPage;
use longshore_store::{ClusterState, Dimension, State, TaskFilter};

use crate::page_token::{self, PageToken, PageTokens};
use crate::{Api, Caller, resolve};

/// Answers ListTasks with the body of its response.
///
/// # Errors
/// Every check in the order shapes, combinations, cluster, service and instance, token.
pub fn list_tasks(api: &Api, caller: &Caller, input: &ListTasksRequest) -> Result<Bytes, Refusal> {
    let view = api.store().glance();
    page(&view, &api.page_tokens(&view), &caller.scope, input)
}

/// A page of `state`; see [`list_tasks`].
///
/// # Errors
/// As [`list_tasks`].
pub fn page(state: &State, tokens: &PageTokens, scope: &Scope, input: &ListTasksRequest) -> Result<Bytes, Refusal> {
    let ListTasksRequest {
        cluster,
        container_instance,
        family,
        next_token,
        max_results,
        started_by,
        service_name,
        desired_status,
        launch_type,
        daemon_name,
    } = input;
    let limit = max_results_of(*max_results)?;
    let desired_status = desired_status_of(desired_status.as_ref())?;
    let launch_type = launch_type.as_ref().map(launch_type_of).transpose()?;
    check_family(family.as_deref())?;
    check_started_by(started_by.as_deref())?;
    let name = cluster::name_from(scope, cluster.as_deref())?;
    check_combination(input)?;

    let cluster = resolve::active_cluster_named(state, scope, name)?;
    let mut dimensions = Vec::with_capacity(4);
    if let Some(identifier) = service_name {
        let service = arn::inside_cluster(InCluster::Service, scope, name, identifier)?;
        check_service(&cluster, service)?;
        dimensions.push(Dimension::Service(service.into()));
    }
    if let Some(identifier) = container_instance {
        let id = arn::id_inside_cluster(InCluster::ContainerInstance, scope, name, identifier)?;
        dimensions.push(Dimension::ContainerInstance(id));
    }
    dimensions.extend(daemon_name.as_deref().map(|daemon| Dimension::Daemon(daemon.into())));
    dimensions.extend(family.as_deref().map(|family| Dimension::Family(family.into())));
    dimensions.extend(started_by.as_deref().map(|started_by| Dimension::StartedBy(started_by.into())));
    dimensions.extend(launch_type.map(Dimension::LaunchType));

    let Wanted { filter, empty } = Wanted::new(desired_status, dimensions);
    let listing = listing(scope, &cluster, &filter, empty);
    let after = next_token.as_deref().map(|token| after(tokens, &listing, state, token)).transpose()?;
    let page = if empty {
        TaskPage::default()
    } else {
        // A page ends early after this much work, so that no filter makes a page without bound.
        cluster.tasks.page(&filter, after, limit, &mut Work::limited(Work::PAGE_LIMIT))
    };
    let next = page.more.then_some(page.cursor).flatten().map(|cursor| {
        let token = PageToken { version: state.version(), cursor: cursor.to_be_bytes().to_vec() };
        tokens.seal(&listing, &token)
    });
    Ok(body(&arn::prefix(scope), &cluster.record.name, &page.ids, next.as_deref()))
}

struct Wanted {
    filter: TaskFilter,
    /// PENDING is legal, and no task's desired status.
    empty: bool,
}

impl Wanted {
    fn new(desired_status: Option<DesiredStatus>, dimensions: Vec<Dimension>) -> Self {
        Self {
            filter: TaskFilter { desired_status: desired_status.unwrap_or(DesiredStatus::Running), dimensions },
            empty: desired_status.is_none(),
        }
    }
}

fn max_results_of(value: Option<i32>) -> Result<usize, Refusal> {
    let value = value.unwrap_or(100);
    usize::try_from(value)
        .ok()
        .filter(|value| (1..=100).contains(value))
        .ok_or_else(|| Refusal::invalid_parameter("maxResults should be between 1 and 100"))
}

/// The desired status to list; `None` for PENDING. Absent is RUNNING.
fn desired_status_of(value: Option<&WireDesiredStatus>) -> Result<Option<DesiredStatus>, Refusal> {
    match value {
        None | Some(WireDesiredStatus::Running) => Ok(Some(DesiredStatus::Running)),
        Some(WireDesiredStatus::Stopped) => Ok(Some(DesiredStatus::Stopped)),
        Some(WireDesiredStatus::Pending) => Ok(None),
        Some(_) => Err(Refusal::invalid_parameter("desired status should be one of [RUNNING,PENDING,STOPPED]")),
    }
}

fn launch_type_of(value: &shapes::LaunchType) -> Result<LaunchType, Refusal> {
    match value {
        shapes::LaunchType::Ec2 => Ok(LaunchType::Ec2),
        shapes::LaunchType::Fargate => Ok(LaunchType::Fargate),
        shapes::LaunchType::External => Ok(LaunchType::External),
        shapes::LaunchType::ManagedInstances => Ok(LaunchType::ManagedInstances),
        shapes::LaunchType::Unknown(_) => {
            Err(Refusal::invalid_parameter("launch type should be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]"))
        }
    }
}

fn check_family(family: Option<&str>) -> Result<(), Refusal> {
    let legal = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    match family {
        Some(family) if family.is_empty() || !family.bytes().all(legal) => {
            Err(Refusal::invalid_parameter(r"family must match ^[a-zA-Z0-9\\-_]+$"))
        }
        _ => Ok(()),
    }
}

fn check_started_by(started_by: Option<&str>) -> Result<(), Refusal> {
    match started_by {
        Some(text) if text.chars().count() > 128 => Err(Refusal::invalid_parameter("ownerId longer than 128.")),
        _ => Ok(()),
    }
}

/// `startedBy` stands alone; `serviceName` goes with `launchType` only. `desiredStatus` goes with everything.
fn check_combination(input: &ListTasksRequest) -> Result<(), Refusal> {
    let other = input.container_instance.is_some() || input.family.is_some() || input.daemon_name.is_some();
    if input.started_by.is_some() && (other || input.service_name.is_some() || input.launch_type.is_some()) {
        return Err(Refusal::invalid_parameter("cannot specify startedBy with other arguments"));
    }
    if input.service_name.is_some() && other {
        return Err(Refusal::invalid_parameter("cannot specify serviceName with other arguments"));
    }
    Ok(())
}

/// A service is known by the tasks it has.
fn check_service(cluster: &ClusterState, service: &str) -> Result<(), Refusal> {
    let has = |status| cluster.tasks.count(status, Dimension::Service(service.into())) > 0;
    if has(DesiredStatus::Running) || has(DesiredStatus::Stopped) { Ok(()) } else { Err(Refusal::service_not_found()) }
}

/// What a token is bound to: the same bytes for the same cluster incarnation and resolved filters.
fn listing(scope: &Scope, cluster: &ClusterState, filter: &TaskFilter, empty: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(160);
    let mut part = |text: &[u8]| {
        bytes.extend((text.len() as u32).to_be_bytes());
        bytes.extend(text);
    };
    part(b"ListTasks");
    part(scope.account.as_bytes());
    part(scope.region.as_bytes());
    part(&cluster.record.incarnation.to_be_bytes());
    part(if empty { b"PENDING" } else { filter.desired_status.as_str().as_bytes() });
    for dimension in &filter.dimensions {
        let (name, value) = match dimension {
            Dimension::All => ("all", &[][..]),
            Dimension::Family(value) => ("family", value.as_bytes()),
            Dimension::StartedBy(value) => ("startedBy", value.as_bytes()),
            Dimension::Service(value) => ("serviceName", value.as_bytes()),
            Dimension::Daemon(value) => ("daemonName", value.as_bytes()),
            Dimension::ContainerInstance(value) => ("containerInstance", &value.0[..]),
            Dimension::LaunchType(value) => ("launchType", value.as_str().as_bytes()),
        };
        part(name.as_bytes());
        part(value);
    }
    bytes
}

/// The sequence number after which a token's page begins.
fn after(tokens: &PageTokens, listing: &[u8], state: &State, token: &str) -> Result<u64, Refusal> {
    let token = tokens.open(listing, token)?;
    if token.version > state.version() {
        return Err(page_token::invalid());
    }
    let cursor: [u8; 8] = token.cursor.try_into().map_err(|_| page_token::invalid())?;
    let after = u64::from_be_bytes(cursor);
    #[cfg(feature = "planted-bugs")]
    let after = after + u64::from(longshore_store::planted::has(longshore_store::planted::Bug::CursorOffByOne));
    Ok(after)
}

/// The response's bytes: one ARN is the template of all. Its copies are made of copies, twice as many each time, and
/// then each gets its 32 digits.
fn body(prefix: &str, cluster: &str, ids: &[EcsId], next: Option<&str>) -> Bytes {
    const HEAD: &[u8] = br#"{"taskArns":["#;
    const NEXT: &[u8] = br#"],"nextToken":""#;
    let digits = 1 + prefix.len() + b"task/".len() + cluster.len() + 1;
    let item = digits + 32 + b"\",".len();
    let mut out = Vec::with_capacity(HEAD.len() + ids.len() * item + NEXT.len() + next.map_or(0, str::len) + 2);
    out.extend_from_slice(HEAD);
    if !ids.is_empty() {
        for part in [b"\"", prefix.as_bytes(), b"task/", cluster.as_bytes(), b"/", &[b'0'; 32], b"\","] {
            out.extend_from_slice(part);
        }
        let mut made = 1;
        while made < ids.len() {
            let more = made.min(ids.len() - made);
            out.extend_from_within(HEAD.len()..HEAD.len() + more * item);
            made += more;
        }
        for (copy, id) in out[HEAD.len()..].chunks_exact_mut(item).zip(ids) {
            faster_hex::hex_encode(&id.0, &mut copy[digits..digits + 32]).expect("16 bytes have 32 digits");
        }
        // The comma after the last.
        out.pop();
    }
    match next {
        Some(next) => {
            out.extend_from_slice(NEXT);
            out.extend_from_slice(next.as_bytes());
            out.extend_from_slice(b"\"}");
        }
        None => out.extend_from_slice(b"]}"),
    }
    out.into()
}
