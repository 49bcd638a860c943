//! Tags of a registration.

use super::*;

#[test]
fn rules_of_tags_apply_and_an_empty_list_is_refused() {
    assert_refused(minimal, &[(Seen, json!({"tags": []}), "Tags can not be empty.")]);
    assert_accepted(minimal, &[json!({"tags": [{"key": "k", "value": "v"}]})]);
    let reserved = patched(minimal(), &json!({"tags": [{"key": "aws:k", "value": "v"}]}));
    assert_eq!(validate(&reserved), Err(Refusal::invalid_parameter("Tag key must not start with aws:")));
}
