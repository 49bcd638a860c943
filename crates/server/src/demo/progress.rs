//! The tasks on their way to RUNNING: a line each on a terminal, a line each change elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use longshore_node::engine::PullProgress;
use serde_json::Value;

/// A display of some tasks.
pub struct Progress {
    lines: BTreeMap<String, Line>,
}

struct Line {
    bar: ProgressBar,
    shown: String,
}

impl Progress {
    /// A display of these tasks.
    pub fn new(arns: &[String]) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let style =
            ProgressStyle::with_template("  {spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let line = |arn: &String| {
            let bar = all.add(ProgressBar::new_spinner().with_style(style.clone()));
            (arn.clone(), Line { bar, shown: String::new() })
        };
        Self { lines: arns.iter().map(line).collect() }
    }

    /// Shows where the tasks are; `pull` is how far the pulls of a task are.
    pub fn show(&mut self, tasks: &[Value], pull: impl Fn(&str) -> Option<BTreeMap<String, PullProgress>>) {
        for task in tasks {
            let arn = task["taskArn"].as_str().unwrap_or_default();
            let Some(line) = self.lines.get_mut(arn) else { continue };
            let status = task["lastStatus"].as_str().unwrap_or_default();
            let id = arn.rsplit('/').next().unwrap_or_default();
            let pulls = pull(arn).into_iter().flatten().filter(|(_, progress)| progress.total > 0);
            let pulls: String = pulls.map(|(name, p)| format!("  {name}: {}%", p.current * 100 / p.total)).collect();
            let text = format!("{id}  {status}{pulls}");
            line.bar.tick();
            if line.shown != text {
                if !std::io::stdout().is_terminal() {
                    println!("  {text}");
                }
                line.bar.set_message(text.clone());
                line.shown = text;
            }
        }
    }

    /// Leaves the last state on the screen.
    pub fn finish(&self) {
        for line in self.lines.values() {
            line.bar.finish_with_message(line.shown.clone());
        }
    }
}
