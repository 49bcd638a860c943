//! The node's own bridge network.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bollard::errors::Error;
use bollard::models::{Network, NetworkCreateRequest};
use bollard::query_parameters::ListNetworksOptions;
use serde::de::IgnoredAny;

use super::connect::Connection;
use super::errors::{classify, is_ambiguous, is_not_found, is_there_already};
use crate::engine::EngineError;
use crate::reference::checked_name;

/// Makes the bridge network `name` unless it is there.
///
/// Docker up to 24 happily makes a second network of the same name, and then refuses to attach a container to either.
/// So who has made one looks again, and leaves only the one of the smallest id. Whoever looks last sees them all, and
/// who looked earlier never removes the smallest, so exactly one stays.
pub(super) async fn ensure(
    engine: &Connection,
    name: &str,
    labels: &BTreeMap<String, String>,
) -> Result<(), EngineError> {
    let name = checked_name("network", name)?;
    match engine.get::<IgnoredAny>(&format!("/networks/{name}")).await {
        Ok(_) => return Ok(()),
        Err(error) if is_ambiguous(&error) => return settle(engine, name).await,
        Err(error) if !is_not_found(&error) => return Err(classify(error)),
        Err(_) => {}
    }
    let request = NetworkCreateRequest {
        name: name.to_owned(),
        driver: Some("bridge".into()),
        labels: Some(labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect()),
        ..NetworkCreateRequest::default()
    };
    match engine.docker.create_network(request).await {
        Ok(_) => settle(engine, name).await,
        Err(error) if is_there_already(&error) => Ok(()),
        Err(error) => Err(classify(error)),
    }
}

async fn settle(engine: &Connection, name: &str) -> Result<(), EngineError> {
    let found = named(engine, name).await?;
    let mut ids = ids_of(name, &found).into_iter();
    let Some(mut keep) = ids.next() else { return Ok(()) };
    for other in ids {
        // Another process may have attached a container to it already: then that one stays.
        if remove_one(engine, other).await.is_err() {
            remove_one(engine, keep).await.map_err(classify)?;
            keep = other;
        }
    }
    Ok(())
}

/// The networks whose name has `name` in it.
async fn named(engine: &Connection, name: &str) -> Result<Vec<Network>, EngineError> {
    let filters = HashMap::from([("name".to_owned(), vec![name.to_owned()])]);
    engine.docker.list_networks(Some(ListNetworksOptions { filters: Some(filters) })).await.map_err(classify)
}

/// The ids of all networks of exactly this name, in order; the filter of Docker's list also finds parts of names.
fn ids_of<'a>(name: &str, found: &'a [Network]) -> BTreeSet<&'a str> {
    let of_that_name = found.iter().filter(|network| network.name.as_deref() == Some(name));
    of_that_name.filter_map(|network| network.id.as_deref()).collect()
}

/// Removes the network `name`, and every twin of it that a process which was killed between making and looking left.
pub(super) async fn remove(engine: &Connection, name: &str) -> Result<(), EngineError> {
    let Ok(name) = checked_name("network", name) else { return Ok(()) };
    match remove_one(engine, name).await {
        Err(error) if is_ambiguous(&error) => {
            for id in ids_of(name, &named(engine, name).await?) {
                remove_one(engine, id).await.map_err(classify)?;
            }
            Ok(())
        }
        removed => removed.map_err(classify),
    }
}

/// Removes the network of this id, or of this name if only one has it; none is success.
async fn remove_one(engine: &Connection, id: &str) -> Result<(), Error> {
    match engine.docker.remove_network(id).await {
        Err(error) if !is_not_found(&error) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_networks_of_exactly_that_name_count() {
        let network =
            |name: &str, id: &str| Network { name: Some(name.into()), id: Some(id.into()), ..Network::default() };
        let found = [network("n", "c"), network("nn", "a"), network("n", "b")];
        assert_eq!(ids_of("n", &found).into_iter().collect::<Vec<_>>(), ["b", "c"]);
        assert!(ids_of("x", &found).is_empty());
    }
}
