//! Prints what a page and a publish cost on a million tasks: `cargo run --release --example index_timing`.
//!
//! The fleet: positions 0 to 1,000,000 (and the same tasks with gaps between them), 200 families, 2,000 services, 5,000
//! instances, two launch types. Times are medians of many rounds over pages that start all over the fleet.

use longshore_store::index::{IdMap, PositionSet, Rows, Work, page};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const TASKS: u64 = 1_000_000;

/// A deterministic scatter of a number (splitmix64).
fn scatter(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn id(task: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&scatter(task).to_le_bytes());
    id[8..].copy_from_slice(&scatter(!task).to_le_bytes());
    id
}

fn median_micros(rounds: u64, mut run: impl FnMut(u64)) -> f64 {
    let mut times: Vec<f64> = (0..rounds)
        .map(|round| {
            let start = Instant::now();
            run(round);
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Resident bytes of this process, for differences.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

/// The sets and rows of one cluster, as the store keeps them.
#[derive(Clone)]
struct Fleet {
    all: PositionSet,
    families: Vec<PositionSet>,
    services: Vec<PositionSet>,
    instances: Vec<PositionSet>,
    launch_types: Vec<PositionSet>,
    rows: Rows<u64>,
    ids: IdMap,
}

impl Fleet {
    fn new(tasks: impl Iterator<Item = u64> + Clone) -> Self {
        let split = |by: u64, seed: u64| {
            let mut members = vec![Vec::new(); by as usize];
            tasks.clone().for_each(|t| members[(scatter(t ^ seed) % by) as usize].push(t));
            members.into_iter().map(PositionSet::from_iter).collect::<Vec<_>>()
        };
        let mut fleet = Self {
            all: tasks.clone().collect(),
            families: split(200, 1),
            services: split(2_000, 2),
            instances: split(5_000, 3),
            launch_types: split(2, 4),
            rows: Rows::new(),
            ids: IdMap::new(),
        };
        let start = Instant::now();
        for task in tasks.clone() {
            fleet.rows.insert(task, id(task), Arc::new(task));
        }
        let rows = start.elapsed().as_secs_f64();
        let before = resident();
        let start = Instant::now();
        for task in tasks {
            fleet.ids.insert(&id(task), task);
        }
        let bytes = (resident() - before) as f64 / TASKS as f64;
        println!("  fill: rows {rows:.2} s, ids {:.2} s ({bytes:.1} B/task)", start.elapsed().as_secs_f64());
        fleet
    }

    fn sets_of(&mut self, task: u64) -> [&mut PositionSet; 5] {
        let at = |sets: usize, seed: u64| (scatter(task ^ seed) % sets as u64) as usize;
        let (family, service) = (at(self.families.len(), 1), at(self.services.len(), 2));
        let (instance, launch) = (at(self.instances.len(), 3), at(self.launch_types.len(), 4));
        [
            &mut self.all,
            &mut self.families[family],
            &mut self.services[service],
            &mut self.instances[instance],
            &mut self.launch_types[launch],
        ]
    }
}

fn pages(fleet: &Fleet, spread: u64) {
    let combinations: [(&str, Vec<&PositionSet>); 6] = [
        ("none", vec![&fleet.all]),
        ("family", vec![&fleet.families[7]]),
        ("service", vec![&fleet.services[7]]),
        ("family + launch type", vec![&fleet.families[7], &fleet.launch_types[0]]),
        ("service + family", vec![&fleet.services[7], &fleet.families[7]]),
        ("instance + launch type", vec![&fleet.instances[7], &fleet.launch_types[1]]),
    ];
    for (name, sets) in combinations {
        let mut work = Work::new();
        let mut ids = 0;
        let rounds = 2_001;
        let after = |round| Some(scatter(round) % (TASKS * spread));
        let sets_only = median_micros(rounds, |round| {
            black_box(page(&sets, after(round), 100, &mut Work::new()));
        });
        let micros = median_micros(rounds, |round| {
            let page = page(&sets, after(round), 100, &mut work);
            ids += fleet.rows.ids(&page.positions).into_iter().map(|id| black_box(id[0]) as usize & 1).sum::<usize>();
        });
        black_box(ids);
        let (words, members) = (work.words / rounds, work.members / rounds);
        println!(
            "  page of 100, {name:<24} {sets_only:>6.2} µs, with ids {micros:>6.2} µs  ({words} words, {members} members)"
        );
    }
}

/// One batch: 25 tasks leave their sets and their row changes, 25 new ones come. Everything is shared with the snapshot
/// published before; what a batch costs is what it has to copy.
fn publishes(fleet: &mut Fleet, spread: u64) {
    let mut next = TASKS * spread;
    let all: Vec<u64> = fleet.all.iter_from(0).collect();
    let mut victims = (0..).map(|n| all[(scatter(n) % TASKS) as usize]);
    let mut times = Vec::new();
    for _ in 0..501 {
        let published = fleet.clone();
        let start = Instant::now();
        for _ in 0..25 {
            let gone = victims.next().unwrap_or(0);
            for set in fleet.sets_of(gone) {
                set.remove(gone);
            }
            fleet.rows.insert(gone, id(gone), Arc::new(gone));
            next += 1;
            for set in fleet.sets_of(next) {
                set.insert(next);
            }
            fleet.rows.insert(next, id(next), Arc::new(next));
            fleet.ids.insert(&id(next), next);
        }
        times.push(start.elapsed().as_secs_f64() * 1e6);
        drop(black_box(published));
    }
    times.sort_by(f64::total_cmp);
    println!("  publish of 50 changes, 5 sets each: {:.0} µs", times[times.len() / 2]);
}

fn intersections() {
    println!("500,000 ∩ 500,000, sharing 100 tasks and none");
    for gap in [1, 2, 4, 8, 16, 64, 1024] {
        for shared in [100, 0] {
            let half = |parity: u64| {
                (0..TASKS)
                    .filter(move |n| scatter(*n) & 1 == parity || (shared > 0 && n % (TASKS / shared) == 0))
                    .map(move |n| n * gap + scatter(n ^ 5) % gap)
                    .collect::<PositionSet>()
            };
            let (a, b) = (half(0), half(1));
            for limited in [false, true] {
                let mut work = Work::new();
                let micros = median_micros(51, |_| {
                    work = if limited { Work::limited(Work::PAGE_LIMIT) } else { Work::new() };
                    black_box(page(&[&a, &b], None, 100, &mut work));
                });
                let limit = if limited { "limited" } else { "whole" };
                println!(
                    "  1 position in {gap:<5} sharing {shared:<4} {limit:<8} {micros:>8.1} µs  ({} words, {} members, {} leaves)",
                    work.words, work.members, work.leaves
                );
            }
        }
    }
}

fn main() {
    for spread in [1, 10] {
        println!("{TASKS} tasks, one position in {spread}");
        let mut fleet = Fleet::new((0..TASKS).map(move |n| n * spread));
        pages(&fleet, spread);
        publishes(&mut fleet, spread);
    }
    intersections();
}
