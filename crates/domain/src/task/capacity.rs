//! Which capacity provider of a strategy each task of a request gets.
//!
//! Bases are filled first, in the strategy's order; the rest is spread by weight, each task to the provider that is
//! furthest behind its share. Source: "Capacity provider strategies" of the ECS developer guide.

use longshore_ecs_wire::shapes::CapacityProviderStrategyItem;

/// The provider of each of `count` tasks, in order; fewer than `count` if several items share a weight of 0 and the
/// bases do not suffice. An absent weight is 0; the only item of a strategy needs none.
pub fn spread(strategy: &[CapacityProviderStrategyItem], count: usize) -> Vec<&str> {
    if let [only] = strategy {
        return vec![name(only); count];
    }
    let weight = |item: &CapacityProviderStrategyItem| u64::try_from(item.weight.unwrap_or(0)).unwrap_or(0);
    let mut out = Vec::with_capacity(count);
    for item in strategy {
        let base = usize::try_from(item.base.unwrap_or(0)).unwrap_or(0);
        let left = count - out.len();
        out.extend(std::iter::repeat_n(name(item), base.min(left)));
    }
    let mut given = vec![0u64; strategy.len()];
    while out.len() < count {
        let candidates = strategy.iter().enumerate().filter(|(_, item)| weight(item) > 0);
        let behind = candidates.min_by_key(|(index, item)| {
            // Share used so far, as a fraction scaled to a whole number; ties go to the first.
            (u128::from(given[*index]) + 1) * 1_000_000_000 / u128::from(weight(item))
        });
        let Some((index, item)) = behind else { break };
        given[index] += 1;
        out.push(name(item));
    }
    out
}

fn name(item: &CapacityProviderStrategyItem) -> &str {
    item.capacity_provider.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str, base: i32, weight: i32) -> CapacityProviderStrategyItem {
        CapacityProviderStrategyItem { capacity_provider: Some(name.into()), base: Some(base), weight: Some(weight) }
    }

    #[test]
    fn bases_first_then_weights() {
        let strategy = [item("FARGATE", 2, 1), item("FARGATE_SPOT", 0, 3)];
        let names = spread(&strategy, 10);
        assert_eq!(names[..2], ["FARGATE", "FARGATE"]);
        assert_eq!(names.iter().filter(|name| **name == "FARGATE").count(), 4);
        assert_eq!(spread(&strategy, 1), ["FARGATE"]);
    }

    #[test]
    fn weights_divide_what_the_bases_leave() {
        let count = |names: &[&str], name: &str| names.iter().filter(|given| **given == name).count();
        for (first, second, tasks, wanted) in
            [(1, 1, 10, 5), (1, 3, 8, 2), (3, 1, 8, 6), (0, 5, 7, 0), (1000, 1, 10, 10)]
        {
            let strategy = [item("a", 0, first), item("b", 0, second)];
            let names = spread(&strategy, tasks);
            assert_eq!((names.len(), count(&names, "a")), (tasks, wanted), "{first}:{second}");
        }
    }

    #[test]
    fn without_a_weight_only_bases_count_unless_there_is_no_choice() {
        let unweighted = |name: &str, base| CapacityProviderStrategyItem { weight: None, ..item(name, base, 0) };
        assert_eq!(spread(&[unweighted("a", 0)], 3), ["a"; 3]);
        assert_eq!(spread(&[item("a", 0, 0)], 3), ["a"; 3]);
        assert_eq!(spread(&[unweighted("a", 0), unweighted("b", 2)], 3), ["b"; 2]);
        assert_eq!(spread(&[unweighted("a", 1), item("b", 0, 1)], 3), ["a", "b", "b"]);
        assert_eq!(spread(&[], 3), [""; 0]);
    }
}
