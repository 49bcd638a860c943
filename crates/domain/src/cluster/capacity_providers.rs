//! Which capacity providers a cluster may list, and what its default strategy may say of them.
//!
//! `FARGATE` and `FARGATE_SPOT` exist in every account; there are no others yet.

use longshore_ecs_wire::shapes::CapacityProviderStrategyItem;

use crate::Refusal;

/// The providers that exist without being created.
pub const BUILTIN: &[&str] = &["FARGATE", "FARGATE_SPOT"];
/// Most providers of one cluster, and of one strategy.
const MAX: usize = 20;

/// Checks the providers a cluster is to list.
///
/// # Errors
/// InvalidParameterException: more than 20, or one that does not exist.
pub fn validate_providers(providers: &[String]) -> Result<(), Refusal> {
    if providers.len() > MAX {
        return Err(Refusal::invalid_parameter(
            "The maximum number of capacity providers per cluster has been exceeded.",
        ));
    }
    if providers.iter().all(|name| BUILTIN.contains(&name.as_str())) {
        Ok(())
    } else {
        Err(Refusal::invalid_parameter(
            "The specified capacity provider was not found. Specify a valid capacity provider and try again.",
        ))
    }
}

/// Checks a strategy of a cluster that lists `providers`.
///
/// # Errors
/// InvalidParameterException: more than 20 providers, one that the cluster does not list, or more than one base.
pub fn validate_strategy(strategy: &[CapacityProviderStrategyItem], providers: &[String]) -> Result<(), Refusal> {
    if strategy.len() > MAX {
        return Err(Refusal::invalid_parameter(
            "The specified capacity provider strategy can have at most 20 capacity providers.",
        ));
    }
    let listed = |name: Option<&str>| name.is_some_and(|name| providers.iter().any(|listed| listed == name));
    if !strategy.iter().all(|item| listed(item.capacity_provider.as_deref())) {
        return Err(Refusal::invalid_parameter(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with \
             the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and \
             try again.",
        ));
    }
    if strategy.iter().filter(|item| item.base.unwrap_or(0) > 0).count() > 1 {
        return Err(Refusal::invalid_parameter(
            "The specified capacity provider strategy can have a base for only one capacity provider.",
        ));
    }
    Ok(())
}

/// The strategy with the defaults filled in: weight 0, base 0.
pub fn normal_strategy(strategy: Vec<CapacityProviderStrategyItem>) -> Vec<CapacityProviderStrategyItem> {
    let normal = |item: CapacityProviderStrategyItem| CapacityProviderStrategyItem {
        weight: Some(item.weight.unwrap_or(0)),
        base: Some(item.base.unwrap_or(0)),
        ..item
    };
    strategy.into_iter().map(normal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn item(name: &str, base: Option<i32>) -> CapacityProviderStrategyItem {
        CapacityProviderStrategyItem { capacity_provider: Some(name.to_owned()), weight: Some(1), base }
    }

    #[test]
    fn providers() {
        assert_eq!(validate_providers(&[]), Ok(()));
        assert_eq!(validate_providers(&names(&["FARGATE", "FARGATE_SPOT"])), Ok(()));
        let refused = |providers: &[&str]| validate_providers(&names(providers)).unwrap_err().message;
        for unknown in ["fargate", "mine", ""] {
            assert_eq!(
                refused(&["FARGATE", unknown]),
                "The specified capacity provider was not found. Specify a valid capacity provider and try again."
            );
        }
        assert_eq!(
            refused(&["FARGATE"; 21]),
            "The maximum number of capacity providers per cluster has been exceeded."
        );
    }

    #[test]
    fn strategies() {
        let both = names(&["FARGATE", "FARGATE_SPOT"]);
        assert_eq!(validate_strategy(&[], &[]), Ok(()));
        assert_eq!(validate_strategy(&[item("FARGATE", Some(1)), item("FARGATE_SPOT", Some(0))], &both), Ok(()));
        let refused = |strategy: &[CapacityProviderStrategyItem], providers: &[String]| {
            validate_strategy(strategy, providers).unwrap_err().message
        };
        let unlisted = "The specified capacity provider strategy cannot contain a capacity provider that is not \
                        associated with the cluster. Associate the capacity provider with the cluster or specify a \
                        valid capacity provider and try again.";
        assert_eq!(refused(&[item("FARGATE_SPOT", None)], &names(&["FARGATE"])), unlisted);
        assert_eq!(refused(&[CapacityProviderStrategyItem::default()], &both), unlisted);
        assert_eq!(
            refused(&[item("FARGATE", Some(1)), item("FARGATE_SPOT", Some(1))], &both),
            "The specified capacity provider strategy can have a base for only one capacity provider."
        );
        assert_eq!(
            refused(&vec![item("FARGATE", None); 21], &both),
            "The specified capacity provider strategy can have at most 20 capacity providers."
        );
    }

    #[test]
    fn defaults_are_filled_in() {
        let bare = CapacityProviderStrategyItem { weight: None, ..item("FARGATE", None) };
        let normal = CapacityProviderStrategyItem { weight: Some(0), ..item("FARGATE", Some(0)) };
        assert_eq!(normal_strategy(vec![bare]), [normal]);
    }
}
