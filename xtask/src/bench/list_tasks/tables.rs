//! The figures of `bench list-tasks` and the tables behind them.

use serde_json::{Value, json};

use super::super::choice::Choices;
use super::super::pages::POOL;
use super::super::report::{Aim, Figure, Report, rounded, shown};
use super::super::statistics::median;
use super::stage::{Case, Figures, Rounds, Stage, WritingRound};

/// Two fleets' pages are compared if their mean numbers of tasks differ by at most this factor.
const ALIKE: f64 = 1.25;

fn cpu(figures: &Figures) -> f64 {
    figures.cpu_micros
}

/// The report of all rounds.
///
/// # Errors
/// A server is gone.
pub fn report(stages: &[Stage], choices: &Choices) -> Result<Report, String> {
    let about = format!(
        "{} rounds of {} ms each (the mixture three times as long), {} connections, {POOL} signed requests a pool. µs \
         are the server's CPU time for a page; ratios are Longshore ÷ bare hyper with the same bytes, medians of the \
         rounds' ratios. The growth compares two fleets round by round.",
        choices.get("rounds"),
        choices.get("millis"),
        choices.get("connections"),
    );
    let details = [about, mixture(stages), kinds(stages), writing(stages, choices)].join("\n\n");
    Ok(Report { name: "list-tasks", figures: figures(stages), details, numbers: numbers(stages) })
}

fn figures(stages: &[Stage]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for stage in stages {
        let tasks = stage.fleet.tasks;
        let all = stage.cases.iter().find(|rounds| rounds.case == Case::All);
        let ratio = all.map_or(0.0, |rounds| rounds.ratio(cpu));
        figures.push(Figure::new(
            format!("ListTasks: CPU of a page ÷ bare hyper, {tasks} tasks"),
            ratio,
            Aim::AtMost(1.1),
        ));
    }
    if let Some((small, large)) = compared(stages) {
        let sizes = format!("{} ÷ {} tasks", large.fleet.tasks, small.fleet.tasks);
        let pairs = pairs(small, large);
        let alike: Vec<f64> = pairs.iter().filter(|pair| pair.alike()).map(Pair::growth).collect();
        let name = format!("ListTasks: growth of a page's CPU, {sizes}");
        if alike.is_empty() {
            let all: Vec<f64> = pairs.iter().map(Pair::growth).collect();
            figures.push(Figure::new(format!("{name}, the mixture"), median(all), Aim::AtMost(1.1)));
        } else {
            figures.push(Figure::new(
                format!("{name}, median of kinds with pages as long"),
                median(alike.clone()),
                Aim::AtMost(1.1),
            ));
            let worst = alike.into_iter().fold(0.0, f64::max);
            figures.push(Figure::new(format!("{name}, worst of those kinds"), worst, Aim::AtMost(1.1)));
        }
    }
    for stage in stages.iter().filter(|stage| !stage.writing.is_empty()) {
        let name = format!("ListTasks: CPU of a page, with a writer ÷ without, {} tasks", stage.fleet.tasks);
        let ratio = median(stage.writing.iter().map(|round| round.writing.cpu_micros / round.quiet.cpu_micros));
        figures.push(Figure::new(name, ratio, Aim::AtMost(1.1)));
    }
    figures
}

/// The fleets whose pages should cost the same: 1,000 tasks and the most.
fn compared(stages: &[Stage]) -> Option<(&Stage, &Stage)> {
    let small = stages.iter().find(|stage| stage.fleet.tasks == 1_000)?;
    let large = stages.iter().max_by_key(|stage| stage.fleet.tasks)?;
    (large.fleet.tasks > small.fleet.tasks).then_some((small, large))
}

/// One case in a small and a large fleet.
struct Pair<'a> {
    small: &'a Rounds,
    large: &'a Rounds,
}

impl Pair<'_> {
    fn growth(&self) -> f64 {
        let rounds = self.small.rounds.iter().zip(&self.large.rounds);
        median(rounds.map(|([small, _], [large, _])| cpu(large) / cpu(small)))
    }

    /// Whether it is a kind by itself, with pages as long in both fleets.
    fn alike(&self) -> bool {
        let lengths = self.large.mean_tasks / self.small.mean_tasks;
        matches!(self.small.case, Case::Kind(_)) && (1.0 / ALIKE..=ALIKE).contains(&lengths)
    }
}

fn pairs<'a>(small: &'a Stage, large: &'a Stage) -> Vec<Pair<'a>> {
    let in_large = |case: Case| large.cases.iter().find(move |rounds| rounds.case == case);
    let pairs = small.cases.iter().filter_map(|small| Some(Pair { small, large: in_large(small.case)? }));
    pairs.collect()
}

fn mixture(stages: &[Stage]) -> String {
    let mut text = String::from(
        "All kinds in turn, and first, middle and last pages of all kinds:\n\n\
         | fleet | pages | CPU ÷ bare | rate ÷ bare | p50 ÷ bare | p99 ÷ bare | µs | bare µs | pages/s | p50 µs | p99 µs \
         | tasks a page |\n|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for stage in stages {
        for rounds in &stage.cases {
            let name = match rounds.case {
                Case::All => "all",
                Case::Position(position) => position.name(),
                Case::Kind(_) => continue,
            };
            text += &format!(
                "| {} | {name} | **{}** | {} | {} | {} | {} | {} | {:.0} | {:.0} | {:.0} | {:.0} |\n",
                stage.fleet.tasks,
                shown(rounds.ratio(cpu)),
                shown(rounds.ratio(|figures| figures.per_second)),
                shown(rounds.ratio(|figures| figures.p50_micros)),
                shown(rounds.ratio(|figures| figures.p99_micros)),
                shown(rounds.middle(0, cpu)),
                shown(rounds.middle(1, cpu)),
                rounds.middle(0, |figures| figures.per_second),
                rounds.middle(0, |figures| figures.p50_micros),
                rounds.middle(0, |figures| figures.p99_micros),
                rounds.mean_tasks,
            );
        }
    }
    let sizes: Vec<String> = stages
        .iter()
        .map(|stage| {
            let megabytes = stage.memory.resident as f64 / 1e6;
            format!("{} tasks: {} different pages, {megabytes:.0} MB resident", stage.fleet.tasks, stage.pages_kept)
        })
        .collect();
    format!("{text}\n{}.", sizes.join("; "))
}

fn kinds(stages: &[Stage]) -> String {
    let Some((small, large)) = compared(stages) else { return String::new() };
    let (few, many) = (small.fleet.tasks, large.fleet.tasks);
    let mut text = format!(
        "Each kind by itself, {many} and {few} tasks:\n\n\
         | kind | CPU ÷ bare, {many} | growth from {few} | CPU ÷ bare, {few} | µs, {many} | µs, {few} | p99 µs, {many} | \
         tasks a page, {many} | {few} |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let mut any = false;
    for pair in pairs(small, large) {
        let Case::Kind(kind) = pair.small.case else { continue };
        any = true;
        text += &format!(
            "| {} | **{}** | **{}** | {} | {} | {} | {:.0} | {:.0} | {:.0} |\n",
            kind.name(),
            shown(pair.large.ratio(cpu)),
            shown(pair.growth()),
            shown(pair.small.ratio(cpu)),
            shown(pair.large.middle(0, cpu)),
            shown(pair.small.middle(0, cpu)),
            pair.large.middle(0, |figures| figures.p99_micros),
            pair.large.mean_tasks,
            pair.small.mean_tasks,
        );
    }
    if any { text } else { "Kinds by themselves are not measured in the short form.".to_owned() }
}

fn writing(stages: &[Stage], choices: &Choices) -> String {
    let mut text = format!(
        "While somebody commits {} task changes in a second (RunTask, StopTask and a report of the end, by {} ms rounds; \
         from 20,000 tasks on every second one is a StopTask somewhere in the fleet); the writer's own CPU time, measured \
         without readers, is taken off:\n\n\
         | fleet | CPU ÷ without writer | µs | µs without | p50 µs | without | p99 µs | without | changes/s | µs a change \
         |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
        choices.get("changes"),
        choices.get("writing-millis"),
    );
    for stage in stages.iter().filter(|stage| !stage.writing.is_empty()) {
        let middle = |of: &dyn Fn(&WritingRound) -> f64| median(stage.writing.iter().map(of));
        text += &format!(
            "| {} | **{}** | {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |\n",
            stage.fleet.tasks,
            shown(middle(&|round| round.writing.cpu_micros / round.quiet.cpu_micros)),
            shown(middle(&|round| round.writing.cpu_micros)),
            shown(middle(&|round| round.quiet.cpu_micros)),
            middle(&|round| round.writing.p50_micros),
            middle(&|round| round.quiet.p50_micros),
            middle(&|round| round.writing.p99_micros),
            middle(&|round| round.quiet.p99_micros),
            middle(&|round| round.changes_per_second),
            middle(&|round| round.cpu_micros_per_change),
        );
    }
    text
}

fn numbers(stages: &[Stage]) -> Value {
    let fleet = |stage: &Stage| {
        let cases: Vec<Value> = stage.cases.iter().map(case_numbers).collect();
        let writing: Vec<Value> = stage.writing.iter().map(writing_numbers).collect();
        json!({
            "tasks": stage.fleet.tasks, "residentBytes": stage.memory.resident, "cases": cases, "withWriter": writing,
        })
    };
    Value::Array(stages.iter().map(fleet).collect())
}

fn case_numbers(rounds: &Rounds) -> Value {
    let name = match rounds.case {
        Case::All => "all".to_owned(),
        Case::Position(position) => format!("{} pages", position.name()),
        Case::Kind(kind) => kind.name(),
    };
    let list = |side: usize, of: fn(&Figures) -> f64| -> Vec<f64> {
        rounds.rounds.iter().map(|round| rounded(of(&round[side]))).collect()
    };
    json!({
        "case": name,
        "tasksAPage": rounded(rounds.mean_tasks),
        "cpuMicros": list(0, cpu),
        "bareCpuMicros": list(1, cpu),
        "perSecond": list(0, |figures| figures.per_second.round()),
        "barePerSecond": list(1, |figures| figures.per_second.round()),
        "p50Micros": list(0, |figures| figures.p50_micros),
        "p99Micros": list(0, |figures| figures.p99_micros),
    })
}

fn writing_numbers(round: &WritingRound) -> Value {
    let side = |figures: &Figures| {
        json!({
            "cpuMicros": rounded(figures.cpu_micros),
            "p50Micros": rounded(figures.p50_micros),
            "p99Micros": rounded(figures.p99_micros),
        })
    };
    json!({
        "changesPerSecond": round.changes_per_second.round(),
        "cpuMicrosPerChange": rounded(round.cpu_micros_per_change),
        "quiet": side(&round.quiet),
        "writing": side(&round.writing),
    })
}
