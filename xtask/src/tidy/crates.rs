//! Which crate may depend on which: the arrows of the layout.
//!
//! `server -> {api, controllers, gateway} -> store -> domain -> ecs-wire` and
//! `node -> {domain, ecs-wire}`. Dependencies of tests are free.

use super::files::Tree;

/// What one crate may and may not know.
struct Rule {
    folder: &'static str,
    /// Crates of the workspace it may depend on.
    may: &'static [&'static str],
    /// Crates from elsewhere that would break what its page says it does not know.
    may_not: &'static [&'static str],
}

const HTTP: &str = "hyper";
const ENGINE: &str = "bollard";
const DISK: &str = "rusqlite";

const RULES: &[Rule] = &[
    Rule { folder: "ecs-wire", may: &[], may_not: &[] },
    Rule { folder: "domain", may: &["ecs-wire"], may_not: &["tokio", "getrandom", HTTP, ENGINE, DISK] },
    Rule { folder: "store", may: &["domain", "ecs-wire"], may_not: &[HTTP, ENGINE] },
    Rule { folder: "api", may: SIBLING, may_not: &[HTTP, ENGINE, DISK] },
    Rule { folder: "controllers", may: SIBLING, may_not: &[HTTP, ENGINE, DISK] },
    Rule { folder: "gateway", may: SIBLING, may_not: &[ENGINE, DISK] },
    Rule { folder: "node", may: &["domain", "ecs-wire"], may_not: &[DISK] },
    Rule { folder: "server", may: SERVER, may_not: &[] },
    Rule { folder: "sim", may: SIM, may_not: &[] },
];

const SIBLING: &[&str] = &["store", "domain", "ecs-wire"];
const SERVER: &[&str] = &["api", "controllers", "gateway", "node", "store", "domain", "ecs-wire"];
const SIM: &[&str] = SERVER;

/// The one crate that knows nothing but serde.
const SERDE_ONLY: &str = "ecs-wire";

/// The problems of all manifests below `crates/`.
pub fn problems(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, manifest) in tree {
        let folder = path.strip_prefix("crates/").and_then(|rest| rest.strip_suffix("/Cargo.toml"));
        let Some(folder) = folder.filter(|folder| !folder.contains('/')) else {
            continue;
        };
        match RULES.iter().find(|rule| rule.folder == folder) {
            Some(rule) => found.extend(
                dependencies(manifest)
                    .filter(|dependency| !allowed(rule, dependency))
                    .map(|dependency| format!("{path}: {folder} may not depend on {dependency}")),
            ),
            None => found.push(format!("{path}: the layout has no crate {folder}")),
        }
    }
    found
}

fn allowed(rule: &Rule, dependency: &str) -> bool {
    match dependency.strip_prefix("longshore-") {
        Some(own) => rule.may.contains(&own),
        None if rule.folder == SERDE_ONLY => dependency == "serde",
        None => !rule.may_not.contains(&dependency),
    }
}

/// The names in the manifest's tables of dependencies, those of tests left out.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut in_table = false;
    manifest.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            in_table = is_table(header);
            return one_table(header);
        }
        let name = line.split(['=', '.', ' ']).next()?;
        (in_table && !name.is_empty() && !name.starts_with('#')).then_some(name)
    })
}

/// `dependencies`, `build-dependencies`, and both below a target.
fn is_table(header: &str) -> bool {
    let last = header.rsplit('.').next();
    matches!(last, Some("dependencies" | "build-dependencies"))
}

/// The name in a header like `dependencies.serde`.
fn one_table(header: &str) -> Option<&str> {
    let (table, name) = header.rsplit_once('.')?;
    is_table(table).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(folder: &str, manifest: &str) -> Vec<String> {
        problems(&Tree::from([(format!("crates/{folder}/Cargo.toml"), manifest.to_owned())]))
    }

    #[test]
    fn arrows_that_point_right_are_fine() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\nlongshore-store.workspace = true\n\
            longshore-domain = { workspace = true }\n# longshore-node\nserde = \"1\"\n\
            [dev-dependencies]\nlongshore-node = \"1\"\n";
        assert!(of("api", manifest).is_empty());
        assert!(of("server", &manifest.replace("store", "api")).is_empty());
    }

    #[test]
    fn other_arrows_are_reported() {
        assert_eq!(
            of("node", "[dependencies]\nlongshore-store = { workspace = true }\n"),
            ["crates/node/Cargo.toml: node may not depend on longshore-store"]
        );
        assert_eq!(of("api", "[dependencies.longshore-gateway]\nworkspace = true\n").len(), 1);
        assert_eq!(of("api", "[target.'cfg(unix)'.dependencies]\nhyper = \"1\"\n").len(), 1);
        assert_eq!(of("domain", "[build-dependencies]\ntokio = \"1\"\n").len(), 1);
        assert_eq!(of("ecs-wire", "[dependencies]\nserde = \"1\"\nserde_json = \"1\"\n").len(), 1);
        assert_eq!(of("helpers", ""), ["crates/helpers/Cargo.toml: the layout has no crate helpers"]);
    }
}
