//! `longshore orphans`: running containers whose task the server does not know, and when they will be stopped.

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use clap::Args;
use longshore_domain::Timestamp;
use longshore_node::orphans::OrphanList;

use super::data_dir::DataDirFlags;
use crate::failure::Failure;

/// Flags of `longshore orphans`.
#[derive(Debug, Clone, Args)]
pub struct OrphansFlags {
    #[command(flatten)]
    data_dir: DataDirFlags,
}

/// Runs the command to its end.
///
/// # Errors
/// The list in the data directory cannot be read.
pub fn run(flags: &OrphansFlags) -> Result<(), Failure> {
    let directory = flags.data_dir.resolve()?;
    let list = OrphanList::read(&directory).map_err(|error| Failure::Trouble(error.to_string()))?;
    if list.orphans.is_empty() {
        eprintln!("no orphans in {}", directory.display());
        return Ok(());
    }
    let printed = std::io::stdout().lock().write_all(table(&list).as_bytes());
    printed.map_err(|error| Failure::Trouble(format!("cannot print the list: {error}")))
}

/// One line a container, in columns.
fn table(list: &OrphanList) -> String {
    let head = ["CONTAINER", "TASK", "IMAGE", "FIRST SEEN", "STOPS AT"].map(str::to_owned);
    let rows = list.orphans.iter().flat_map(|orphan| {
        let times = [date(orphan.first_seen_at), date(list.removal_at(orphan))];
        orphan.containers.iter().map(move |container| {
            let [first_seen, removal] = times.clone();
            [container.name.clone(), orphan.task_arn.clone(), container.image.clone(), first_seen, removal]
        })
    });
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    let widths: [usize; 5] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn date(at: Timestamp) -> String {
    let since = Duration::from_millis(u64::try_from(at.millis().min(Timestamp::LIMIT)).unwrap_or(0));
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}

#[cfg(test)]
mod tests {
    use longshore_node::orphans::{Orphan, OrphanContainer};

    use super::*;

    #[test]
    fn every_container_has_a_line_with_its_times() {
        let container = |name: &str| OrphanContainer { name: name.into(), image: "web:1".into() };
        let orphan = |arn: &str, names: &[&str]| Orphan {
            task_arn: arn.into(),
            first_seen_at: Timestamp::from_millis(1_440_938_160_999),
            containers: names.iter().map(|name| container(name)).collect(),
        };
        let grace = Duration::from_secs(3600);
        let list = OrphanList { grace, orphans: vec![orphan("arn:1", &["one", "other"]), orphan("arn:22", &["x"])] };
        assert_eq!(
            table(&list),
            "CONTAINER  TASK    IMAGE  FIRST SEEN                     STOPS AT\n\
             one        arn:1   web:1  Sun, 30 Aug 2015 12:36:00 GMT  Sun, 30 Aug 2015 13:36:00 GMT\n\
             other      arn:1   web:1  Sun, 30 Aug 2015 12:36:00 GMT  Sun, 30 Aug 2015 13:36:00 GMT\n\
             x          arn:22  web:1  Sun, 30 Aug 2015 12:36:00 GMT  Sun, 30 Aug 2015 13:36:00 GMT\n"
        );
    }

    #[test]
    fn a_grace_without_end_is_a_date_all_the_same() {
        assert!(date(Timestamp::from_millis(i64::MAX)).contains("9999"));
    }
}
