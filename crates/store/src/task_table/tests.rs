//! The table against a plain list of records: what comes out is what went in, and nothing stays when it goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_domain::task::{
    ContainerRecord, ContainerStatus, DesiredStatus, LaunchType, StopCode, TaskRecord, TaskStatus,
};
use longshore_domain::{EcsId, Resources, Timestamp};
use longshore_ecs_wire::shapes::{
    AwsVpcConfiguration, ContainerOverride, KeyValuePair, NetworkBinding, NetworkConfiguration, Tag, TaskOverride,
    TransportProtocol,
};
use proptest::option::of as maybe;
use proptest::prelude::*;

use super::*;

const CLUSTER: u64 = 7;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["", "a", "web", "service:", "family:", "daemon:x", "0", "-1", "ü\u{0}\"\\"]).prop_map(Into::into),
        1 => prop::collection::vec(any::<char>(), 0..6).prop_map(String::from_iter),
    ]
}

fn shared() -> impl Strategy<Value = Arc<str>> {
    text().prop_map(Into::into)
}

fn runtime_id() -> impl Strategy<Value = Arc<str>> {
    let hex = any::<[u8; 32]>().prop_map(|bytes| particulars::hex_of_bytes(&bytes));
    prop_oneof![
        4 => hex.clone().prop_map(Into::into),
        1 => hex.clone().prop_map(|hex| hex.to_uppercase().into()),
        1 => hex.prop_map(|hex| hex[..63].into()),
        2 => shared(),
    ]
}

fn time() -> impl Strategy<Value = Timestamp> {
    let near = 1_767_225_600_000i64..1_767_225_700_000;
    prop_oneof![6 => near, 1 => any::<i64>(), 1 => Just(i64::MIN), 1 => Just(i64::MAX), 1 => -3..3i64]
        .prop_map(Timestamp::from_millis)
}

fn id() -> impl Strategy<Value = EcsId> {
    prop_oneof![3 => (0..4u8).prop_map(|n| EcsId([n; 16])), 1 => any::<[u8; 16]>().prop_map(EcsId)]
}

fn port() -> impl Strategy<Value = i32> {
    prop_oneof![4 => 0..=65_535, 1 => any::<i32>(), 1 => prop::sample::select(vec![-1, 0, 65_535, 65_536])]
}

fn binding() -> impl Strategy<Value = NetworkBinding> {
    let protocol = prop_oneof![
        Just(TransportProtocol::Tcp),
        Just(TransportProtocol::Udp),
        text().prop_map(|text| TransportProtocol::from(&*text)),
    ];
    let parts = (maybe(text()), maybe(port()), maybe(port()), maybe(protocol), maybe(text()), maybe(text()));
    parts.prop_map(|(bind_ip, container_port, host_port, protocol, container_port_range, host_port_range)| {
        NetworkBinding { bind_ip, container_port, host_port, protocol, container_port_range, host_port_range }
    })
}

fn container() -> impl Strategy<Value = ContainerRecord> {
    let status =
        prop::sample::select(vec![ContainerStatus::Pending, ContainerStatus::Running, ContainerStatus::Stopped]);
    let exit_code = prop_oneof![Just(0), Just(137), any::<i32>()];
    let bindings = prop::collection::vec(binding(), 0..5);
    (status, maybe(runtime_id()), maybe(shared()), maybe(exit_code), maybe(shared()), bindings).prop_map(
        |(last_status, runtime_id, image_digest, exit_code, reason, network_bindings)| ContainerRecord {
            last_status,
            runtime_id,
            image_digest,
            exit_code,
            reason,
            network_bindings,
        },
    )
}

fn overrides() -> impl Strategy<Value = TaskOverride> {
    let pair = (maybe(text()), maybe(text())).prop_map(|(name, value)| KeyValuePair { name, value });
    let of_container = (maybe(text()), maybe(prop::collection::vec(text(), 0..3)), prop::collection::vec(pair, 0..3));
    let of_container = of_container.prop_map(|(name, command, pairs)| ContainerOverride {
        name,
        command,
        environment: Some(pairs),
        ..ContainerOverride::default()
    });
    (maybe(text()), maybe(prop::collection::vec(of_container, 0..3)), maybe(text())).prop_map(
        |(cpu, container_overrides, task_role_arn)| TaskOverride {
            cpu,
            container_overrides,
            task_role_arn,
            ..TaskOverride::default()
        },
    )
}

fn network() -> impl Strategy<Value = NetworkConfiguration> {
    maybe(prop::collection::vec(text(), 0..3)).prop_map(|subnets| NetworkConfiguration {
        awsvpc_configuration: subnets
            .map(|subnets| AwsVpcConfiguration { subnets: Some(subnets), ..AwsVpcConfiguration::default() }),
    })
}

fn group() -> impl Strategy<Value = Arc<str>> {
    let prefix = prop::sample::select(vec!["family:", "service:", "daemon:", ""]);
    (prefix, text()).prop_map(|(prefix, text)| format!("{prefix}{text}").into())
}

/// Any record at all, with an id and a sequence number of its own.
pub(crate) fn record(sequence: u64) -> impl Strategy<Value = TaskRecord> {
    let ports = || prop::collection::vec(any::<u16>(), 0..3);
    let resources = (any::<u64>(), any::<u64>(), ports(), ports());
    let who = (shared(), any::<u32>(), group(), maybe(shared()), prop::sample::select(LaunchType::ALL.to_vec()));
    let place = (maybe(shared()), maybe(id()), maybe(id()), resources, maybe(shared()), maybe(network()));
    let status = (any::<bool>(), prop::sample::select(TaskStatus::ALL.to_vec()), 0..3u64, any::<u64>(), any::<bool>());
    let times = (time(), maybe(time()), maybe(time()), maybe(time()), maybe(time()));
    let codes = prop::sample::select(vec![StopCode::UserInitiated, StopCode::TaskFailedToStart]);
    let end = (maybe(time()), maybe(time()), maybe(time()), maybe(codes), maybe(shared()));
    let tag = (maybe(text()), maybe(text())).prop_map(|(key, value)| Tag { key, value });
    let rest = (
        prop::collection::vec(container(), 0..3),
        maybe(overrides()),
        prop_oneof![Just(vec![]), prop::collection::vec(tag, 0..3)],
    );
    (who, place, status, times, end, rest).prop_map(move |(who, place, status, times, end, rest)| {
        let (cpu, memory, tcp_ports, udp_ports) = place.3;
        let mut id = [0xab; 16];
        id[..8].copy_from_slice(&sequence.to_be_bytes());
        TaskRecord {
            cluster: CLUSTER,
            id: EcsId(id),
            sequence,
            family: who.0,
            revision: who.1,
            group: who.2,
            started_by: who.3,
            launch_type: who.4,
            capacity_provider: place.0,
            node: place.1,
            container_instance: place.2,
            resources: Resources { cpu, memory, tcp_ports, udp_ports },
            desired_status: if status.0 { DesiredStatus::Running } else { DesiredStatus::Stopped },
            last_status: status.1,
            version: if status.2 == 0 { status.3 } else { status.2 },
            created_at: times.0,
            connectivity_at: times.1,
            pull_started_at: times.2,
            pull_stopped_at: times.3,
            started_at: times.4,
            stopping_at: end.0,
            execution_stopped_at: end.1,
            stopped_at: end.2,
            stop_code: end.3,
            stopped_reason: end.4,
            containers: rest.0,
            overrides: rest.1.map(Arc::new),
            network_configuration: place.5.map(Arc::new),
            platform_version: place.4,
            enable_execute_command: status.4,
            tags: rest.2,
        }
    })
}

/// Records in an order in which some come again, changed.
fn records() -> impl Strategy<Value = Vec<TaskRecord>> {
    prop::collection::vec((0..12u64).prop_flat_map(record), 1..20)
}

fn listed(records: &BTreeMap<u64, TaskRecord>, status: DesiredStatus, dimension: &Dimension) -> Vec<EcsId> {
    let is = |task: &&TaskRecord| match dimension {
        Dimension::All => true,
        Dimension::Family(family) => task.family == *family,
        Dimension::StartedBy(starter) => task.started_by.as_ref() == Some(starter),
        Dimension::Service(service) => *task.group == *format!("service:{service}"),
        Dimension::Daemon(daemon) => *task.group == *format!("daemon:{daemon}"),
        Dimension::ContainerInstance(instance) => task.container_instance == Some(*instance),
        Dimension::LaunchType(launch_type) => task.launch_type == *launch_type,
    };
    records.values().filter(|task| task.desired_status == status).filter(is).map(|task| task.id).collect()
}

/// Everything that a task is listed by, and what its group would be as a service and as a daemon.
pub(crate) fn dimensions(task: &TaskRecord) -> Vec<Dimension> {
    let name = |text: &str| text.split_once(':').map_or("", |(_, name)| name).into();
    let mut dimensions = vec![
        Dimension::All,
        Dimension::Family(Arc::clone(&task.family)),
        Dimension::LaunchType(task.launch_type),
        Dimension::Service(name(&task.group)),
        Dimension::Daemon(name(&task.group)),
    ];
    dimensions.extend(task.started_by.clone().map(Dimension::StartedBy));
    dimensions.extend(task.container_instance.map(Dimension::ContainerInstance));
    dimensions
}

fn assert_same(table: &TaskTable, records: &BTreeMap<u64, TaskRecord>) {
    assert_eq!(table.len(), records.len());
    assert!(table.iter().eq(records.values().cloned()));
    assert_eq!(table.unstopped(), records.values().filter(|task| task.last_status != TaskStatus::Stopped).count());
    for task in records.values() {
        assert_eq!(table.get(task.id).as_ref(), Some(task));
        assert_eq!(table.get_by_sequence(task.sequence).as_ref(), Some(task));
        let life = table.life(task.id).unwrap();
        assert_eq!((life.desired_status, life.last_status), (task.desired_status, task.last_status));
        assert_eq!((life.node, life.stopped_at), (task.node, task.stopped_at));
        for dimension in dimensions(task) {
            for desired_status in [DesiredStatus::Running, DesiredStatus::Stopped] {
                let wanted = listed(records, desired_status, &dimension);
                let filter = TaskFilter { desired_status, dimensions: vec![dimension.clone()] };
                assert_eq!(table.page(&filter, None, 100, &mut Work::new()).ids, wanted, "{dimension:?}");
                assert_eq!(table.count(desired_status, dimension.clone()), wanted.len());
                assert_eq!(table.lives_of(desired_status, dimension.clone()).count(), wanted.len());
            }
        }
    }
    for launch_type in LaunchType::ALL {
        let last = |status| move |task: &&TaskRecord| task.launch_type == launch_type && task.last_status == status;
        let count = |status| records.values().filter(last(status)).count();
        let pending = [TaskStatus::Provisioning, TaskStatus::Pending, TaskStatus::Activating].map(count).iter().sum();
        assert_eq!(table.counts(launch_type), TaskCounts { running: count(TaskStatus::Running), pending });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_comes_out_is_what_went_in(
        records in records(),
        removed in prop::collection::vec(0..12u64, 0..12),
        numbered_anew in prop::collection::btree_set(0..32usize, 0..4),
    ) {
        let (mut table, mut plain) = (TaskTable::default(), BTreeMap::new());
        for (at, task) in records.iter().enumerate() {
            if numbered_anew.contains(&at) {
                table.renumber(None);
            }
            table.insert(task);
            plain.insert(task.sequence, task.clone());
        }
        let (snapshot, then) = (table.clone(), plain.clone());
        assert_same(&table, &plain);
        for (at, sequence) in removed.into_iter().enumerate() {
            if numbered_anew.contains(&(at + 20)) {
                table.renumber(None);
            }
            let gone = plain.remove(&sequence);
            let removed = gone.as_ref().and_then(|task| table.remove(task.id));
            prop_assert_eq!(removed.map(|(at, task)| task.expand(CLUSTER, gone.as_ref().unwrap().id, at)), gone);
        }
        assert_same(&table, &plain);
        assert_same(&snapshot, &then);
    }
}

/// All ids of a listing, page by page; between two pages the table may change.
fn traverse(table: &mut TaskTable, limit: usize, work: u64, mut between: impl FnMut(&mut TaskTable)) -> Vec<EcsId> {
    let dimensions = vec![Dimension::Family("web".into()), Dimension::LaunchType(LaunchType::Ec2)];
    let filter = TaskFilter { desired_status: DesiredStatus::Running, dimensions };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = table.page(&filter, after, limit, &mut Work::limited(work));
        found.extend(page.ids);
        if !page.more {
            return found;
        }
        assert!(page.cursor > after);
        after = page.cursor;
        between(table);
    }
}

#[test]
fn a_table_with_gaps_is_numbered_anew_and_traversals_go_on() {
    const EVERY: u64 = 100;
    const TASKS: u64 = 6_000;
    let mut table = TaskTable::default();
    let sequences = || (1..=TASKS).map(|n| n * EVERY);
    let order = |n: u64| n * 7_001 % TASKS;
    for n in 0..TASKS {
        table.insert(&plain((order(n) + 1) * EVERY, "web"));
    }
    let wanted: Vec<_> = sequences().map(|sequence| plain(sequence, "web").id).collect();
    for (limit, work) in [(100, u64::MAX), (7, u64::MAX), (100, 1)] {
        let mut sparse = table.clone();
        let mut pages = 0;
        let found = traverse(&mut sparse, limit, work, |table| {
            pages += 1;
            match pages {
                2 => table.settle(),
                // Later numbers follow, and one that was a gap comes into its place, before or behind the cursor.
                3 => drop(table.insert(&plain(TASKS * EVERY + 777, "other"))),
                4 => drop(table.insert(&plain(17, "other"))),
                5 => drop(table.insert(&plain(TASKS * EVERY - 1, "other"))),
                6 => drop(table.remove(plain(17, "").id)),
                7 => drop(table.renumber(None)),
                _ => {}
            }
        });
        assert!(found == wanted, "{} of {}", found.len(), wanted.len());
        assert!(pages > 7 && sparse.end < 2 * TASKS && table.end > 90 * TASKS, "{pages} pages, {}", sparse.end);
        let listed: Vec<u64> = sparse.iter().map(|task| task.sequence).collect();
        assert!(listed.is_sorted() && listed.len() as u64 == TASKS + 2);
        assert!(listed.iter().all(|sequence| sparse.get_by_sequence(*sequence).unwrap().sequence == *sequence));
    }
}

#[test]
fn churn_numbers_a_table_anew_by_itself() {
    let mut table = TaskTable::default();
    for sequence in 1..=100_000u64 {
        table.insert(&plain(sequence, "web"));
        // One task in a hundred stays.
        if let Some(gone) = sequence.checked_sub(10).filter(|gone| *gone > 0 && !gone.is_multiple_of(100)) {
            assert_eq!(table.remove(plain(gone, "").id).map(|(sequence, _)| sequence), Some(gone));
        }
    }
    assert!(table.end < SPARSE * table.len() as u64 + FEW + 100, "{} positions", table.end);
    let mut sequences: Vec<u64> = (1..1_000).map(|n| n * 100).filter(|n| *n <= 99_990).collect();
    sequences.extend(99_991..=100_000);
    assert!(table.iter().map(|task| task.sequence).eq(sequences));
}

fn plain(sequence: u64, name: &str) -> TaskRecord {
    let mut id = [1; 16];
    id[..8].copy_from_slice(&sequence.to_be_bytes());
    TaskRecord {
        cluster: CLUSTER,
        id: EcsId(id),
        sequence,
        family: name.into(),
        revision: 1,
        group: name.into(),
        started_by: Some(name.into()),
        launch_type: LaunchType::Ec2,
        capacity_provider: None,
        node: Some(EcsId(id)),
        container_instance: Some(EcsId(id)),
        resources: Resources::default(),
        desired_status: DesiredStatus::Running,
        last_status: TaskStatus::Running,
        version: 1,
        created_at: Timestamp::from_millis(0),
        connectivity_at: None,
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: None,
        stopping_at: None,
        execution_stopped_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: Some(name.into()),
        containers: vec![],
        overrides: None,
        network_configuration: None,
        platform_version: None,
        enable_execute_command: false,
        tags: vec![Tag { key: Some(name.into()), value: None }],
    }
}

#[test]
fn values_of_one_task_alone_go_with_it() {
    let mut table = TaskTable::default();
    let mut most = 0;
    for sequence in 1..=20_000 {
        // A snapshot is held for a while, as readers do.
        let snapshot = table.clone();
        table.insert(&plain(sequence, &sequence.to_string()));
        if let Some(gone) = sequence.checked_sub(10).filter(|gone| *gone > 0) {
            table.remove(plain(gone, "").id);
        }
        drop(snapshot);
        most = most.max(table.shared_values());
    }
    assert_eq!(table.len(), 10);
    // Of each task a template, a place and three texts; of the tasks that have gone, those of the last sweep's interval.
    assert!(most <= 5 * (10 + 2 * 64), "{most}");
}

#[test]
fn tasks_of_a_kind_share_everything() {
    let mut table = TaskTable::default();
    for sequence in 1..=1_000 {
        let place = Some(EcsId([5; 16]));
        table.insert(&TaskRecord { node: place, container_instance: place, ..plain(sequence, "web") });
    }
    // A template, a place, and the texts of group, reason and tags; the group's and the reason's are one.
    assert_eq!(table.shared_values(), 4);
    let names: Vec<_> = (1..=2).map(|at| table.rows.get(at).unwrap().started_by.clone().unwrap()).collect();
    assert!(std::ptr::eq(names[0].as_str(), names[1].as_str()));
}
