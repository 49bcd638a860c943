//! Whether references among containers go round in a circle.
//!
//! Used for links, `dependsOn` and `volumesFrom`: the runner starts containers in their order, so a circle would
//! hang.

/// Takes away every edge whose target leads nowhere, again and again; what then remains is a cycle.
pub(super) fn has_cycle(mut edges: Vec<(&str, &str)>) -> bool {
    loop {
        let before = edges.len();
        let leads_on: Vec<&str> = edges.iter().map(|(from, _)| *from).collect();
        edges.retain(|(_, to)| leads_on.contains(to));
        if edges.len() == before {
            return before > 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_circles_are_cycles() {
        for (edges, cyclic) in [
            (vec![], false),
            (vec![("a", "b")], false),
            (vec![("a", "a")], true),
            (vec![("a", "b"), ("b", "a")], true),
            (vec![("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")], false),
            (vec![("x", "a"), ("a", "b"), ("b", "c"), ("c", "a")], true),
            (vec![("a", "b"), ("a", "b")], false),
            (vec![("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")], false),
        ] {
            assert_eq!(has_cycle(edges.clone()), cyclic, "{edges:?}");
        }
    }
}
