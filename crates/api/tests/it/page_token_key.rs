//! The key of page tokens is the one that the store holds now: a restore may bring another one.

use longshore_api::cluster::{create_cluster::create_cluster, list_clusters::list_clusters};
use longshore_domain::Refusal;
use longshore_domain::secret::SecretRecord;
use longshore_ecs_wire::operations::{CreateClusterRequest, ListClustersRequest};

use crate::harness::{World, id, refused, world};

impl World {
    /// A page of one cluster: its ARN and the token.
    fn one_cluster(&self, token: Option<&str>) -> Result<(String, Option<String>), Refusal> {
        let request = ListClustersRequest { max_results: Some(1), next_token: token.map(Into::into) };
        let page = list_clusters(&self.api, &self.caller, &request)?;
        Ok((page.cluster_arns.unwrap().remove(0), page.next_token))
    }
}

#[tokio::test]
async fn tokens_are_those_of_the_key_in_the_store() {
    let world = world().await;
    for name in ["a", "b", "c"] {
        let request = CreateClusterRequest { cluster_name: Some(name.into()), ..CreateClusterRequest::default() };
        create_cluster(&world.api, &world.caller, request).await.unwrap();
    }
    let first = world.one_cluster(None).unwrap().1.unwrap();
    let key = |number| SecretRecord { name: "page-token".into(), key: [id(number), id(number)] };
    let before = SecretRecord::clone(world.api.view().secret("page-token").unwrap());
    world.put(vec![key(77).into()]).await;
    assert_eq!(refused(world.one_cluster(Some(&first))), "InvalidParameterException: Invalid token");
    let (_, token) = world.one_cluster(None).unwrap();
    let token = token.unwrap();
    assert_ne!(token, first);
    assert!(world.one_cluster(Some(&token)).unwrap().0.ends_with("/b"));
    // Back to the first key: its tokens go on, the other's do not.
    world.put(vec![before.into()]).await;
    assert!(world.one_cluster(Some(&first)).unwrap().0.ends_with("/b"));
    assert_eq!(refused(world.one_cluster(Some(&token))), "InvalidParameterException: Invalid token");
}
