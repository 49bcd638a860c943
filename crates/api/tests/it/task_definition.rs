//! Operations on task definitions.

use longshore_api::Caller;
use longshore_api::task_definition::{
    delete_task_definitions::delete_task_definitions, deregister_task_definition::deregister_task_definition,
    describe_task_definition::describe_task_definition, list_task_definition_families::list_task_definition_families,
    list_task_definitions::list_task_definitions, register_task_definition::register_task_definition,
};
use longshore_domain::Refusal;
use longshore_domain::task_definition::{FamilyRecord, TaskDefinitionRecord};
use longshore_ecs_wire::operations::{
    DeleteTaskDefinitionsRequest, DeleteTaskDefinitionsResponse, DeregisterTaskDefinitionRequest,
    DescribeTaskDefinitionRequest, DescribeTaskDefinitionResponse, ListTaskDefinitionFamiliesRequest,
    ListTaskDefinitionsRequest, RegisterTaskDefinitionRequest, RegisterTaskDefinitionResponse,
    TaskDefinitionFamilyStatus, TaskDefinitionField,
};
use longshore_ecs_wire::shapes::{
    Compatibility, ContainerDefinition, NetworkMode, PortMapping, SortOrder, Tag, TaskDefinition, TaskDefinitionStatus,
};

use crate::harness::{World, assert_golden, caller, refused, world};

fn definition(family: &str) -> RegisterTaskDefinitionRequest {
    let container = ContainerDefinition {
        name: Some("web".into()),
        image: Some("busybox".into()),
        memory: Some(16),
        ..ContainerDefinition::default()
    };
    RegisterTaskDefinitionRequest {
        family: Some(family.to_owned()),
        container_definitions: Some(vec![container]),
        ..RegisterTaskDefinitionRequest::default()
    }
}

fn fargate(family: &str) -> RegisterTaskDefinitionRequest {
    let mut request = definition(family);
    request.requires_compatibilities = Some(vec![Compatibility::Fargate]);
    request.network_mode = Some(NetworkMode::Awsvpc);
    request.cpu = Some("256".into());
    request.memory = Some("0.5 GB".into());
    request.tags = Some(vec![Tag { key: Some("team".into()), value: Some("a".into()) }]);
    let mapping = PortMapping { container_port: Some(8501), ..PortMapping::default() };
    request.container_definitions.as_mut().unwrap()[0].port_mappings = Some(vec![mapping]);
    request
}

impl World {
    async fn register(
        &self,
        request: RegisterTaskDefinitionRequest,
    ) -> Result<RegisterTaskDefinitionResponse, Refusal> {
        register_task_definition(&self.api, &self.caller, request).await
    }

    async fn register_many(&self, family: &str, count: u32) {
        for _ in 0..count {
            self.register(definition(family)).await.unwrap();
        }
    }

    async fn deregister(&self, reference: &str) -> Result<TaskDefinition, Refusal> {
        let request = DeregisterTaskDefinitionRequest { task_definition: Some(reference.to_owned()) };
        Ok(deregister_task_definition(&self.api, &self.caller, request).await?.task_definition.unwrap())
    }

    async fn delete_definitions(&self, references: &[&str]) -> Result<DeleteTaskDefinitionsResponse, Refusal> {
        let task_definitions = Some(references.iter().map(|reference| (*reference).to_owned()).collect());
        delete_task_definitions(&self.api, &self.caller, DeleteTaskDefinitionsRequest { task_definitions }).await
    }

    fn describe_definition(&self, reference: &str) -> Result<DescribeTaskDefinitionResponse, Refusal> {
        let request = DescribeTaskDefinitionRequest { task_definition: Some(reference.to_owned()), include: None };
        describe_task_definition(&self.api, &self.caller, &request)
    }

    /// `family:revision` of every definition listed, over all pages.
    fn definitions(&self, mut request: ListTaskDefinitionsRequest) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            let page = list_task_definitions(&self.api, &self.caller, &request).unwrap();
            let arns = page.task_definition_arns.unwrap();
            found.extend(arns.iter().map(|arn| arn.rsplit('/').next().unwrap().to_owned()));
            request.next_token = page.next_token;
            if request.next_token.is_none() {
                return found;
            }
        }
    }

    fn families(&self, prefix: Option<&str>, status: Option<&str>, max_results: Option<i32>) -> Vec<String> {
        let mut request = ListTaskDefinitionFamiliesRequest {
            family_prefix: prefix.map(str::to_owned),
            status: status.map(TaskDefinitionFamilyStatus::from),
            max_results,
            next_token: None,
        };
        let mut found = Vec::new();
        loop {
            let page = list_task_definition_families(&self.api, &self.caller, &request).unwrap();
            found.extend(page.families.unwrap());
            request.next_token = page.next_token;
            if request.next_token.is_none() {
                return found;
            }
        }
    }
}

fn status(definition: &TaskDefinition) -> &str {
    definition.status.as_ref().unwrap().as_str()
}

#[tokio::test]
async fn a_registered_definition_is_returned_with_its_defaults() {
    let world = world().await;
    assert_golden("RegisterTaskDefinition/ec2", &world.register(definition("web")).await.unwrap());
    assert_golden("RegisterTaskDefinition/fargate", &world.register(fargate("web")).await.unwrap());
}

#[tokio::test]
async fn a_broken_rule_is_refused() {
    let world = world().await;
    assert_eq!(
        refused(world.register(definition("a b")).await),
        "ClientException: Family contains invalid characters."
    );
    let mut request = definition("web");
    request.tags = Some(vec![Tag { key: Some("aws:x".into()), value: None }]);
    assert_eq!(refused(world.register(request).await), "InvalidParameterException: Tag key must not start with aws:");
    assert_eq!(world.families(None, None, None), Vec::<String>::new());
}

#[tokio::test]
async fn revisions_are_never_reused() {
    let world = world().await;
    world.register_many("web", 2).await;
    for reference in ["web:1", "web:2"] {
        world.deregister(reference).await.unwrap();
    }
    world.delete_definitions(&["web:1", "web:2"]).await.unwrap();
    let third = world.register(definition("web")).await.unwrap();
    assert_eq!(third.task_definition.unwrap().revision, Some(3));
    let other = world.register(definition("api")).await.unwrap();
    assert_eq!(other.task_definition.unwrap().revision, Some(1));
}

#[tokio::test]
async fn a_family_ends_after_a_million_revisions() {
    let world = world().await;
    let family = FamilyRecord { scope: world.caller.scope.clone(), family: "web".into(), last_revision: 999_999 };
    world.put(vec![family.into()]).await;
    let last = world.register(definition("web")).await.unwrap();
    assert_eq!(last.task_definition.unwrap().revision, Some(1_000_000));
    assert_eq!(
        refused(world.register(definition("web")).await),
        "LimitExceededException: The maximum number of revisions for the task definition family 'web' has been reached."
    );
}

#[tokio::test]
async fn a_family_means_its_latest_active_revision() {
    let world = world().await;
    world.register_many("web", 11).await;
    world.deregister("web:11").await.unwrap();
    let revision = |reference: &str| world.describe_definition(reference).unwrap().task_definition.unwrap().revision;
    assert_eq!(revision("web"), Some(10));
    assert_eq!(revision("web:11"), Some(11));
    assert_eq!(revision("arn:aws:ecs:us-east-1:000000000000:task-definition/web"), Some(10));
    assert_eq!(revision("arn:aws:ecs:us-east-1:000000000000:task-definition/web:9"), Some(9));
}

#[tokio::test]
async fn what_is_not_there_cannot_be_described() {
    let world = world().await;
    world.register_many("web", 1).await;
    for reference in ["nope", "web:2", "we b", "arn:aws:ecs:eu-west-1:000000000000:task-definition/web:1"] {
        assert_eq!(
            refused(world.describe_definition(reference)),
            "ClientException: Unable to describe task definition.",
            "{reference}"
        );
    }
    assert_eq!(
        refused(world.describe_definition("web:x")),
        "InvalidParameterException: Invalid revision number. Number: x"
    );
    world.deregister("web:1").await.unwrap();
    assert_eq!(refused(world.describe_definition("web")), "ClientException: Unable to describe task definition.");
    let none = describe_task_definition(&world.api, &world.caller, &DescribeTaskDefinitionRequest::default());
    assert_eq!(refused(none), "InvalidParameterException: TaskDefinition can not be blank.");
}

#[tokio::test]
async fn tags_are_described_when_they_are_included() {
    let world = world().await;
    world.register(fargate("web")).await.unwrap();
    let describe = |include: &[&str]| {
        let include = Some(include.iter().map(|field| TaskDefinitionField::from(*field)).collect());
        let request = DescribeTaskDefinitionRequest { task_definition: Some("web".into()), include };
        describe_task_definition(&world.api, &world.caller, &request)
    };
    assert_eq!(describe(&[]).unwrap().tags, Some(vec![]));
    assert_eq!(describe(&["TAGS", "TAGS"]).unwrap().tags, fargate("web").tags);
    assert_eq!(refused(describe(&["tags"])), "InvalidParameterException: include should be one of [TAGS]");
}

#[tokio::test]
async fn deregistering_is_for_good() {
    let world = world().await;
    world.register_many("web", 1).await;
    world.clock.advance(1000);
    let first = world.deregister("web:1").await.unwrap();
    assert_eq!(status(&first), "INACTIVE");
    assert_eq!(first.deregistered_at, Some(world.api.now()));
    world.clock.advance(1000);
    assert_eq!(world.deregister("web:1").await, Ok(first.clone()));
    assert_eq!(world.describe_definition("web:1").unwrap().task_definition, Some(first));
    for (reference, text) in [
        ("web", "ClientException: Revision is missing."),
        ("web:x", "InvalidParameterException: Invalid revision number. Number: x"),
        ("web:2", "ClientException: Unable to describe task definition."),
    ] {
        assert_eq!(refused(world.deregister(reference).await), text);
    }
}

#[tokio::test]
async fn only_inactive_definitions_are_deleted() {
    let world = world().await;
    world.register_many("web", 2).await;
    world.deregister("web:1").await.unwrap();
    let answer = world.delete_definitions(&["web:1", "web:2", "web:3", "web", "web:x"]).await.unwrap();
    let deleted = answer.task_definitions.unwrap();
    assert_eq!(deleted.len(), 1);
    assert_eq!(status(&deleted[0]), "DELETE_IN_PROGRESS");
    assert_eq!(deleted[0].delete_requested_at, Some(world.api.now()));
    let failures = answer.failures.unwrap();
    let failures = failures.iter().map(|one| (one.arn.as_deref().unwrap(), one.reason.as_deref().unwrap()));
    let active = "The specified task definition is still in ACTIVE status. Please deregister the target and try again.";
    let missing =
        "The specified task definition does not exist. Specify a valid account, family, revision and try again.";
    let malformed = "The specified task definition identifier is invalid. Specify a valid name or ARN and try again.";
    assert_eq!(
        failures.collect::<Vec<_>>(),
        [("web:2", active), ("web:3", missing), ("web", malformed), ("web:x", malformed)]
    );
    world.clock.advance(1000);
    let again = world.delete_definitions(&["web:1"]).await.unwrap();
    assert_eq!(again.task_definitions, Some(deleted));
    let view = world.api.view();
    let deletable: Vec<_> = view.deletable_definitions().map(|record| record.revision).collect();
    assert_eq!(deletable, [1]);

    assert_eq!(
        refused(world.delete_definitions(&["web:1"; 11]).await),
        "InvalidParameterException: Size of TaskDefinition references list cannot exceed 10"
    );
    assert_eq!(
        refused(world.delete_definitions(&[]).await),
        "InvalidParameterException: Task definitions cannot be empty."
    );
}

#[tokio::test]
async fn definitions_are_listed_in_either_order_in_pages_of_any_size() {
    let world = world().await;
    world.register_many("web", 11).await;
    world.register_many("api", 2).await;
    world.register_many("web-2", 1).await;
    world.deregister("web:2").await.unwrap();
    world.deregister("web:3").await.unwrap();
    world.delete_definitions(&["web:3"]).await.unwrap();
    let mut ascending: Vec<String> = ["api:1", "api:2", "web:1"].map(str::to_owned).to_vec();
    ascending.extend((4..=11).map(|revision| format!("web:{revision}")));
    ascending.push("web-2:1".to_owned());
    let descending: Vec<String> = ascending.iter().rev().cloned().collect();
    for max_results in [None, Some(1), Some(2), Some(5), Some(12)] {
        let list = |sort: Option<SortOrder>| {
            world.definitions(ListTaskDefinitionsRequest { sort, max_results, ..Default::default() })
        };
        assert_eq!(list(None), ascending, "{max_results:?}");
        assert_eq!(list(Some(SortOrder::Asc)), ascending, "{max_results:?}");
        assert_eq!(list(Some(SortOrder::Desc)), descending, "{max_results:?}");
    }
    let with = |family: &str, status: TaskDefinitionStatus| {
        let (family_prefix, status) = (Some(family.to_owned()), Some(status));
        world.definitions(ListTaskDefinitionsRequest { family_prefix, status, ..Default::default() })
    };
    assert_eq!(with("api", TaskDefinitionStatus::Active), ["api:1", "api:2"]);
    assert_eq!(with("we", TaskDefinitionStatus::Active), Vec::<String>::new());
    assert_eq!(with("web", TaskDefinitionStatus::Inactive), ["web:2"]);
    assert_eq!(with("web", TaskDefinitionStatus::DeleteInProgress), ["web:3"]);
}

#[tokio::test]
async fn another_scope_sees_nothing_of_them() {
    let world = world().await;
    world.register_many("web", 3).await;
    for (account, region) in [("000000000000", "us-east-0"), ("000000000000", "us-east-10"), ("111111111111", "a")] {
        let stranger = caller(account, region);
        let page = |caller: &Caller| list_task_definitions(&world.api, caller, &Default::default()).unwrap();
        assert_eq!(page(&stranger).task_definition_arns, Some(vec![]));
        register_task_definition(&world.api, &stranger, definition("theirs")).await.unwrap();
        assert_eq!(page(&stranger).task_definition_arns.unwrap().len(), 1);
    }
    for sort in [SortOrder::Asc, SortOrder::Desc] {
        let listed = world.definitions(ListTaskDefinitionsRequest { sort: Some(sort), ..Default::default() });
        assert_eq!(listed.len(), 3);
    }
    assert_eq!(world.families(None, None, None), ["web"]);
}

#[tokio::test]
async fn a_token_is_good_for_its_own_listing_only() {
    let world = world().await;
    world.register_many("web", 2).await;
    let first = ListTaskDefinitionsRequest { max_results: Some(1), ..Default::default() };
    let next_token = list_task_definitions(&world.api, &world.caller, &first).unwrap().next_token;
    assert!(next_token.is_some());
    let good = ListTaskDefinitionsRequest { next_token, ..first };
    for other in [
        ListTaskDefinitionsRequest { sort: Some(SortOrder::Desc), ..good.clone() },
        ListTaskDefinitionsRequest { status: Some(TaskDefinitionStatus::Inactive), ..good.clone() },
        ListTaskDefinitionsRequest { family_prefix: Some("web".into()), ..good.clone() },
        ListTaskDefinitionsRequest { next_token: Some("x".into()), ..good.clone() },
    ] {
        assert_eq!(
            refused(list_task_definitions(&world.api, &world.caller, &other)),
            "InvalidParameterException: Invalid token"
        );
    }
    assert!(list_task_definitions(&world.api, &world.caller, &good).is_ok());
    let sort = Some(SortOrder::from("asc"));
    let wrong = ListTaskDefinitionsRequest { sort, ..Default::default() };
    assert_eq!(
        refused(list_task_definitions(&world.api, &world.caller, &wrong)),
        "InvalidParameterException: sort should be one of [ASC,DESC]"
    );
}

#[tokio::test]
async fn families_are_listed_by_prefix_and_status() {
    let world = world().await;
    for family in ["web-2", "api", "web", "old"] {
        world.register_many(family, 2).await;
    }
    world.deregister("web:1").await.unwrap();
    for reference in ["old:1", "old:2"] {
        world.deregister(reference).await.unwrap();
    }
    let empty = FamilyRecord { scope: world.caller.scope.clone(), family: "empty".into(), last_revision: 3 };
    world.put(vec![empty.into()]).await;
    for max_results in [None, Some(1), Some(2), Some(3)] {
        let list = |prefix, status| world.families(prefix, status, max_results);
        assert_eq!(list(None, None), ["api", "old", "web", "web-2"], "{max_results:?}");
        assert_eq!(list(None, Some("ALL")), ["api", "old", "web", "web-2"]);
        assert_eq!(list(None, Some("ACTIVE")), ["api", "web", "web-2"]);
        assert_eq!(list(None, Some("INACTIVE")), ["old"]);
        assert_eq!(list(Some("we"), None), ["web", "web-2"]);
        assert_eq!(list(Some("eb"), None), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_page_ends_early_rather_than_examine_without_bound() {
    let world = world().await;
    world.register_many("web", 1).await;
    world.deregister("web:1").await.unwrap();
    let view = world.api.view();
    let inactive = view.task_definition(&world.caller.scope, "web", 1).unwrap();
    let revisions: Vec<u32> = (2..=10_050).collect();
    for some in revisions.chunks(100) {
        let record = |revision: &u32| TaskDefinitionRecord { revision: *revision, ..(**inactive).clone() };
        world.put(some.iter().map(|revision| record(revision).into()).collect()).await;
    }
    let family = FamilyRecord { scope: world.caller.scope.clone(), family: "web".into(), last_revision: 10_050 };
    world.put(vec![family.into()]).await;
    world.register_many("web", 1).await;
    world.register_many("xyz", 1).await;

    let first = ListTaskDefinitionsRequest::default();
    let page = list_task_definitions(&world.api, &world.caller, &first).unwrap();
    assert_eq!(page.task_definition_arns, Some(vec![]));
    assert!(page.next_token.is_some());
    for sort in [SortOrder::Asc, SortOrder::Desc] {
        let mut listed = world.definitions(ListTaskDefinitionsRequest { sort: Some(sort), ..first.clone() });
        listed.sort();
        assert_eq!(listed, ["web:10051", "xyz:1"]);
    }
    world.deregister("web:10051").await.unwrap();
    let request = ListTaskDefinitionFamiliesRequest::default();
    let page = list_task_definition_families(&world.api, &world.caller, &request).unwrap();
    assert_eq!(page.families, Some(vec!["web".to_owned()]));
    assert!(page.next_token.is_some());
    assert_eq!(world.families(None, None, None), ["web", "xyz"]);
    assert_eq!(world.families(None, Some("ACTIVE"), None), ["xyz"]);
}
