//! The tags a new task gets: its request's, its definition's if they are propagated, and those that ECS manages.

use longshore_ecs_wire::shapes::Tag;

/// Tag that ECS puts on a task with `enableECSManagedTags`.
pub const CLUSTER_NAME: &str = "aws:ecs:clusterName";

/// The tags of a new task; a request's own tag wins over the definition's of the same key.
pub fn of_new_task(requested: &[Tag], propagated: &[Tag], managed_cluster: Option<&str>) -> Vec<Tag> {
    let mut tags = requested.to_vec();
    let fresh = propagated.iter().filter(|tag| requested.iter().all(|requested| requested.key != tag.key));
    tags.extend(fresh.cloned());
    tags.extend(managed_cluster.map(|cluster| Tag { key: Some(CLUSTER_NAME.into()), value: Some(cluster.into()) }));
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requested_tags_win() {
        let tag = |key: &str, value: &str| Tag { key: Some(key.into()), value: Some(value.into()) };
        assert_eq!(
            of_new_task(&[tag("a", "request")], &[tag("a", "definition"), tag("b", "definition")], Some("c")),
            [tag("a", "request"), tag("b", "definition"), tag(CLUSTER_NAME, "c")]
        );
        assert!(of_new_task(&[], &[], None).is_empty());
    }
}
