//! ListTasks against a brute-force oracle over plain rows, on random fleets.
//!
//! The oracle shares no code with the store, the filters or the ARNs of the product: it has the rows, strings and loops.
//! Fleets stretch over scopes, clusters and incarnations of one name; requests are every combination of filters.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Map, Value, json};

use crate::list_tasks_fleet::{ACCOUNTS, CLUSTERS, Fleet, LAUNCH_TYPES, Random, Row};

const DESIRED: [Option<&str>; 4] = [None, Some("RUNNING"), Some("PENDING"), Some("STOPPED")];

/// A value as it is sent, and what it means or why it cannot be.
#[derive(Debug, Clone)]
struct Given {
    text: String,
    means: Result<String, String>,
}

impl Given {
    fn plain(text: &str) -> Self {
        Self { text: text.into(), means: Ok(text.into()) }
    }
}

/// A request of ListTasks.
#[derive(Debug, Clone, Default)]
struct Ask {
    scope: usize,
    cluster: Option<Given>,
    container_instance: Option<Given>,
    family: Option<Given>,
    service_name: Option<Given>,
    daemon_name: Option<Given>,
    started_by: Option<Given>,
    launch_type: Option<Given>,
    desired_status: Option<&'static str>,
}

impl Ask {
    /// A request with the filters whose bits are set.
    fn random(random: &mut Random, filters: u32, desired_status: Option<&'static str>) -> Self {
        let scope = usize::try_from(random.pick(&[0, 0, 0, 1, 2])).unwrap();
        let cluster = cluster(random, scope);
        let name = cluster.as_ref().map_or("default", |cluster| cluster.means.as_deref().unwrap_or("?")).to_owned();
        let has = |bit: u32| filters >> bit & 1 == 1;
        Self {
            scope,
            cluster,
            container_instance: has(0).then(|| instance(random, scope, &name)),
            family: has(1).then(|| Given::plain(random.pick(&["web", "batch-job", "web", "none"]))),
            service_name: has(2).then(|| service(random, scope, &name)),
            daemon_name: has(3).then(|| Given::plain(random.pick(&["x", "logs", "none"]))),
            started_by: has(4).then(|| Given::plain(random.pick(&["ci", "ecs-svc/1", "ecs-svc", "c"]))),
            launch_type: has(5).then(|| Given::plain(random.pick(&LAUNCH_TYPES).0)),
            desired_status,
        }
    }

    fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        for (name, given) in [
            ("cluster", &self.cluster),
            ("containerInstance", &self.container_instance),
            ("family", &self.family),
            ("serviceName", &self.service_name),
            ("daemonName", &self.daemon_name),
            ("startedBy", &self.started_by),
            ("launchType", &self.launch_type),
        ] {
            if let Some(given) = given {
                body.insert(name.into(), json!(given.text));
            }
        }
        if let Some(desired_status) = self.desired_status {
            body.insert("desiredStatus".into(), json!(desired_status));
        }
        body
    }

    /// The incarnation it is about.
    fn incarnation(&self) -> Result<Option<u64>, String> {
        let name = match &self.cluster {
            None => "default".to_owned(),
            Some(given) => given.means.clone()?,
        };
        let latest = CLUSTERS.iter().rev().find(|cluster| cluster.0 == self.scope && cluster.1 == name);
        match latest {
            Some((_, _, incarnation, true)) => Ok(Some(*incarnation)),
            Some(_) => Err("ClusterNotFoundException: The referenced cluster was inactive.".into()),
            None if name == "default" => Ok(None),
            None => Err("ClusterNotFoundException: Cluster not found.".into()),
        }
    }
}

fn arn(scope: usize, rest: &str) -> String {
    let (account, region) = ACCOUNTS[scope];
    format!("arn:aws:ecs:{region}:{account}:{rest}")
}

fn cluster(random: &mut Random, scope: usize) -> Option<Given> {
    if random.chance(25) {
        return None;
    }
    let name = random.pick(&["default", "default", "web", "web", "gone", "nope"]);
    let mut given = Given::plain(name);
    match random.below(10) {
        0..4 => given.text = arn(scope, &format!("cluster/{name}")),
        4 => {
            given.text = arn((scope + 1) % 3, &format!("cluster/{name}"));
            given.means = Err("ClusterNotFoundException: Cluster not found.".into());
        }
        _ => {}
    }
    Some(given)
}

fn other_cluster(name: &str) -> Result<String, String> {
    Err(format!(
        "InvalidParameterException: Invalid identifier: Identifier is for cluster other. Your cluster is {name}"
    ))
}

fn instance(random: &mut Random, scope: usize, cluster: &str) -> Given {
    let id = format!("{:032x}", 1 + random.below(3));
    match random.below(10) {
        0..4 => Given { text: arn(scope, &format!("container-instance/{cluster}/{id}")), means: Ok(id) },
        4 => Given { text: arn(scope, &format!("container-instance/other/{id}")), means: other_cluster(cluster) },
        5 => Given {
            text: "i-12345".into(),
            means: Err("InvalidParameterException: Container Instance Identifier is invalid".into()),
        },
        _ => Given::plain(&id),
    }
}

fn service(random: &mut Random, scope: usize, cluster: &str) -> Given {
    let name = random.pick(&["x", "web", "x", "web", "logs"]);
    match random.below(10) {
        0..4 => Given { text: arn(scope, &format!("service/{cluster}/{name}")), means: Ok(name.into()) },
        4 => Given { text: arn(scope, &format!("service/other/{name}")), means: other_cluster(cluster) },
        _ => Given::plain(name),
    }
}

/// What ListTasks must answer: sequence numbers and ARNs in creation order, or the error.
fn expected(rows: &[Row], ask: &Ask) -> Result<Vec<(u64, String)>, String> {
    let Ask { container_instance, family, service_name, daemon_name, started_by, launch_type, .. } = ask;
    let others = container_instance.is_some() || family.is_some() || daemon_name.is_some();
    if let Some(Given { means: Err(error), .. }) = &ask.cluster
        && error.starts_with("ClusterNotFound")
    {
        // An ARN of another scope cannot be resolved at all, so nothing else is looked at.
        return Err(error.clone());
    }
    if started_by.is_some() && (others || service_name.is_some() || launch_type.is_some()) {
        return Err("InvalidParameterException: cannot specify startedBy with other arguments".into());
    }
    if service_name.is_some() && others {
        return Err("InvalidParameterException: cannot specify serviceName with other arguments".into());
    }
    let incarnation = ask.incarnation()?;
    let mine: Vec<&Row> = rows.iter().filter(|row| Some(row.cluster) == incarnation).collect();
    let service = service_name.as_ref().map(|given| given.means.clone()).transpose()?;
    if let Some(service) = &service
        && !mine.iter().any(|row| row.group == format!("service:{service}"))
    {
        return Err("ServiceNotFoundException: Service not found.".into());
    }
    let instance = container_instance.as_ref().map(|given| given.means.clone()).transpose()?;
    let stopped = match ask.desired_status {
        None | Some("RUNNING") => Some(false),
        Some("STOPPED") => Some(true),
        _ => None,
    };
    let is = |wanted: &Option<Given>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted.text == value);
    let mut found = Vec::new();
    for row in mine {
        let group = |kind: &str, wanted: Option<&str>| wanted.is_none_or(|name| row.group == format!("{kind}:{name}"));
        let at = row.instance.map(|instance| format!("{instance:032x}"));
        if Some(row.stopped) == stopped
            && is(family, row.family)
            && is(launch_type, row.launch_type.0)
            && is(started_by, row.started_by.unwrap_or("\0"))
            && group("service", service.as_deref())
            && group("daemon", daemon_name.as_ref().map(|given| given.text.as_str()))
            && instance.as_ref().is_none_or(|wanted| at.as_ref() == Some(wanted))
        {
            let cluster = CLUSTERS.iter().find(|cluster| cluster.2 == row.cluster).unwrap().1;
            found.push((row.sequence, arn(ask.scope, &format!("task/{cluster}/{:032x}", row.id))));
        }
    }
    found.sort();
    Ok(found)
}

/// A whole traversal of a fleet that stands still.
async fn traverse(fleet: &Fleet, ask: &Ask, max_results: Option<u64>) -> Result<Vec<String>, String> {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let page = fleet.page(ask.scope, ask.body(), max_results, token.as_deref()).await?;
        let most = usize::try_from(max_results.unwrap_or(100)).unwrap();
        assert!(page.arns.len() <= most, "{ask:?}");
        assert!(page.arns.len() == most || page.next.is_none(), "a small fleet's page ended early: {ask:?}");
        found.extend(page.arns);
        token = page.next;
        if token.is_none() {
            return Ok(found);
        }
    }
}

async fn all_combinations(seed: u64) -> Result<(), TestCaseError> {
    let mut random = Random(seed);
    let fleet = Fleet::new(&mut random, 240).await;
    let (mut listed, mut refused) = (0, BTreeSet::new());
    for filters in (0..64).cycle().take(3 * 64) {
        for desired_status in DESIRED {
            let ask = Ask::random(&mut random, filters, desired_status);
            let max_results = random.pick(&[None, Some(100), Some(1), Some(2), Some(7), Some(50)]);
            let got = traverse(&fleet, &ask, max_results).await;
            let wanted = expected(&fleet.rows, &ask).map(|rows| rows.into_iter().map(|row| row.1).collect::<Vec<_>>());
            prop_assert_eq!(&got, &wanted, "{:?}, {:?} a page", ask, max_results);
            match wanted {
                Ok(arns) => listed += arns.len(),
                Err(error) => drop(refused.insert(error)),
            }
        }
    }
    prop_assert!(listed > 100, "hardly anything was listed: {}", listed);
    prop_assert!(refused.len() >= 4, "hardly anything was refused: {:?}", refused);
    Ok(())
}

/// A traversal between whose pages tasks start, stop and go.
async fn changing_traversal(fleet: &mut Fleet, random: &mut Random, ask: &Ask) -> Result<usize, TestCaseError> {
    let max_results = random.pick(&[1, 2, 3, 10]);
    let cluster = ask.incarnation().unwrap().unwrap_or(1001);
    let mut throughout: Option<BTreeSet<String>> = None;
    let (mut seen, mut last, mut token, mut pages) = (BTreeSet::new(), 0, None::<String>, 0);
    loop {
        let got = fleet.page(ask.scope, ask.body(), Some(max_results), token.as_deref()).await;
        let now = match expected(&fleet.rows, ask) {
            Ok(now) => now,
            Err(error) => {
                // The last task of the service has gone.
                prop_assert_eq!(got.err(), Some(error));
                return Ok(pages);
            }
        };
        let page = got.map_err(TestCaseError::fail)?;
        let sequences: BTreeMap<&String, u64> = now.iter().map(|(sequence, arn)| (arn, *sequence)).collect();
        for arn in &page.arns {
            let sequence = sequences.get(arn).copied();
            prop_assert!(sequence > Some(last), "{:?}: {} does not match or is out of order", ask, arn);
            last = sequence.unwrap();
            prop_assert!(seen.insert(arn.clone()), "{:?}: {} twice", ask, arn);
        }
        let matches: BTreeSet<String> = now.into_iter().map(|(_, arn)| arn).collect();
        throughout = Some(match throughout {
            None => matches,
            Some(before) => before.intersection(&matches).cloned().collect(),
        });
        pages += 1;
        token = page.next;
        if token.is_none() {
            break;
        }
        fleet.change(cluster, random, pages < 40).await;
    }
    let missed: Vec<_> = throughout.iter().flatten().filter(|arn| !seen.contains(*arn)).collect();
    prop_assert!(missed.is_empty(), "{:?}: missed {:?}", ask, missed);
    Ok(pages)
}

async fn changes_between_pages(seed: u64) -> Result<(), TestCaseError> {
    let mut random = Random(seed);
    let mut fleet = Fleet::new(&mut random, 240).await;
    let (mut traversals, mut pages) = (0, 0);
    while traversals < 25 {
        let filters = u32::try_from(random.below(64)).unwrap();
        let desired_status = random.pick(&DESIRED);
        let ask = Ask::random(&mut random, filters, desired_status);
        if expected(&fleet.rows, &ask).is_ok_and(|rows| rows.len() > 2) {
            pages += changing_traversal(&mut fleet, &mut random, &ask).await?;
            traversals += 1;
        }
    }
    prop_assert!(pages > 2 * traversals, "hardly any traversal had a second page: {}", pages);
    Ok(())
}

fn run(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_combination_of_filters_is_as_the_oracle_says(seed: u64) {
        run(all_combinations(seed))?;
    }

    #[test]
    fn what_matches_throughout_a_traversal_is_returned_exactly_once(seed: u64) {
        run(changes_between_pages(seed))?;
    }
}
