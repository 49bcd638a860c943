//! No request makes validation, and what follows it, panic; normalising twice is normalising once.

use longshore_ecs_wire::{Kind, Member, Shape};
use proptest::prelude::*;

use super::*;
use crate::task_definition::run_rules::required_resources;
use crate::task_definition::{compatibilities, normalise, requires_attributes};

/// Any JSON the wire takes for a value of this kind; texts lean to those that mean something.
fn value(kind: Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::String => text().prop_map(Value::from).boxed(),
        Kind::Enum(values) => {
            prop_oneof![9 => prop::sample::select(values).prop_map(Value::from), 1 => text().prop_map(Value::from)]
                .boxed()
        }
        Kind::Integer => prop_oneof![Just(0), Just(1), Just(80), Just(512), any::<i32>()].prop_map(Value::from).boxed(),
        Kind::Long => any::<i64>().prop_map(Value::from).boxed(),
        Kind::Double | Kind::Timestamp => (0..1_000_000_u32).prop_map(Value::from).boxed(),
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Document => Just(json!({})).boxed(),
        Kind::Structure(members) => structure(members),
        Kind::List(element) => prop::collection::vec(value(*element), 0..3).prop_map(Value::from).boxed(),
        Kind::Map(element) => prop::collection::btree_map(text(), value(*element), 0..3)
            .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>()))
            .boxed(),
    }
}

fn structure(members: &'static [Member]) -> BoxedStrategy<Value> {
    let mut whole: BoxedStrategy<Map<String, Value>> = Just(Map::new()).boxed();
    for member in members {
        let given = prop_oneof![3 => Just(None), 1 => value(member.kind).prop_map(Some)];
        whole = (whole, given)
            .prop_map(|(mut object, given)| {
                if let Some(given) = given {
                    object.insert(member.name.to_owned(), given);
                }
                object
            })
            .boxed();
    }
    whole.prop_map(Value::from).boxed()
}

fn text() -> BoxedStrategy<String> {
    const KNOWN: &[&str] =
        &["", "a", "b", "a:b", "256", "0.5 vCPU", "512", "80-90", "arn:aws:s3:::b/f.env", "awslogs-group", "/"];
    prop_oneof![4 => prop::sample::select(KNOWN).prop_map(str::to_owned), 1 => "\\PC{0,12}"].boxed()
}

/// A legal definition with one member of the definition and one of its container replaced by anything.
fn nearly_legal() -> impl Strategy<Value = Value> {
    let base = prop_oneof![Just(minimal()), Just(fargate())];
    let members = RegisterTaskDefinitionRequest::MEMBERS;
    let container_members = members.iter().find(|member| member.name == "containerDefinitions").unwrap().members();
    let any_of = |members: &'static [Member]| {
        prop::sample::select(members).prop_flat_map(|member| (Just(member.name), value(member.kind)))
    };
    (base, any_of(members), any_of(container_members)).prop_map(|(mut base, (name, given), (app_name, app_given))| {
        base["containerDefinitions"][0][app_name] = app_given;
        base[name] = given;
        base
    })
}

fn goes_through(request: Value) {
    let request: RegisterTaskDefinitionRequest = serde_json::from_value(request).unwrap();
    let verdict = validate(&request);
    if let Err(refusal) = &verdict {
        assert!(!refusal.message.is_empty());
    }
    let definition = normalise(request);
    let again = serde_json::from_value(serde_json::to_value(&definition).unwrap()).unwrap();
    assert_eq!(normalise(again), definition, "normalising is idempotent");
    requires_attributes(&definition);
    let resources = required_resources(&definition, None);
    if verdict.is_ok() {
        assert!(!compatibilities(&definition).is_empty());
        assert!(resources.memory > 0, "{definition:?}");
    }
}

proptest! {
    #[test]
    fn any_request_is_judged(request in structure(RegisterTaskDefinitionRequest::MEMBERS)) {
        goes_through(request);
    }

    #[test]
    fn nearly_legal_requests_are_judged(request in nearly_legal()) {
        goes_through(request);
    }
}
