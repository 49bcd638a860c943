//! Which capacity provider of a strategy each task of a request gets.
//!
//! Bases are filled first, in the strategy's order; the rest is spread by weight, each task to the provider that is
//! furthest behind its share. Source: "Capacity provider strategies" of the ECS developer guide.

use longshore_ecs_wire::shapes::CapacityProviderStrategyItem;

/// The provider of each of `count` tasks, in order; empty if no item has a base or weight.
pub fn spread(strategy: &[CapacityProviderStrategyItem], count: usize) -> Vec<&str> {
    let weight = |item: &CapacityProviderStrategyItem| u64::try_from(item.weight.unwrap_or(1)).unwrap_or(0);
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
        assert_eq!(spread(&[item("FARGATE", 0, 0)], 3), [""; 0]);
    }
}
