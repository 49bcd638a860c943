//! Tags: what every operation that takes a list of tags refuses.
//!
//! Texts are Amazon's where a real answer is known (`Multiple tags contain the same key.`,
//! `Tag key must not start with aws:`, `Some tags contain invalid characters`), else by the house style.

use std::collections::BTreeSet;

use longshore_ecs_wire::shapes::Tag;

use crate::Refusal;

/// Most tags a resource may have, system tags (`aws:ecs:…`) aside.
pub const MAX_TAGS: usize = 50;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// Checks the tags a caller gives: at most 50, keys 1–128 and values 0–256 characters of the legal set, keys
/// unique (case counts) and none of them beginning with `aws:` in any case.
///
/// # Errors
/// InvalidParameterException for the first rule broken.
pub fn validate_tags(tags: &[Tag]) -> Result<(), Refusal> {
    check_count(tags.len())?;
    let mut keys = BTreeSet::new();
    for tag in tags {
        let key = tag.key.as_deref().unwrap_or_default();
        validate_tag_key(key)?;
        let value = tag.value.as_deref().unwrap_or_default();
        if value.chars().count() > MAX_VALUE {
            return Err(Refusal::invalid_parameter("Tag value longer than 256."));
        }
        check_characters(value)?;
        if !keys.insert(key) {
            return Err(Refusal::invalid_parameter("Multiple tags contain the same key."));
        }
    }
    Ok(())
}

/// Checks how many tags a resource would have, system tags not counted.
///
/// # Errors
/// InvalidParameterException above [`MAX_TAGS`].
pub fn check_count(count: usize) -> Result<(), Refusal> {
    if count > MAX_TAGS {
        return Err(Refusal::invalid_parameter("tags can have at most 50 items."));
    }
    Ok(())
}

/// Checks one key, as TagResource and UntagResource take it.
///
/// # Errors
/// InvalidParameterException for an empty, too long, reserved or ill-spelt key.
pub fn validate_tag_key(key: &str) -> Result<(), Refusal> {
    if key.is_empty() {
        return Err(Refusal::invalid_parameter("Tag key should not be null or empty."));
    }
    if key.chars().count() > MAX_KEY {
        return Err(Refusal::invalid_parameter("Tag key longer than 128."));
    }
    if is_reserved(key) {
        return Err(Refusal::invalid_parameter("Tag key must not start with aws:"));
    }
    check_characters(key)
}

/// Whether only Amazon (here: Longshore itself) may set a tag of this key.
pub fn is_reserved(key: &str) -> bool {
    key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}

/// The tags of a resource after TagResource: `given` over `existing`, by key, in the order in which keys first came.
pub fn merge(existing: &[Tag], given: &[Tag]) -> Vec<Tag> {
    let mut merged = existing.to_vec();
    for tag in given {
        match merged.iter_mut().find(|one| one.key == tag.key) {
            Some(one) => one.value.clone_from(&tag.value),
            None => merged.push(tag.clone()),
        }
    }
    merged
}

/// The tags of a resource after UntagResource. Keys that it does not have are ignored.
pub fn without(existing: &[Tag], keys: &[String]) -> Vec<Tag> {
    let goes = |tag: &Tag| tag.key.as_ref().is_some_and(|key| keys.contains(key));
    existing.iter().filter(|tag| !goes(tag)).cloned().collect()
}

/// How many tags count towards [`MAX_TAGS`]: those that are not the system's.
pub fn counted(tags: &[Tag]) -> usize {
    tags.iter().filter(|tag| !tag.key.as_deref().is_some_and(is_reserved)).count()
}

/// Letters, separators and numbers of any script and `_.:/=+-@`; `char`'s notions stand for `\p{L}\p{Z}\p{N}`.
fn check_characters(text: &str) -> Result<(), Refusal> {
    let legal = |letter: char| {
        letter.is_alphanumeric() || (letter.is_whitespace() && !letter.is_control()) || "_.:/=+-@".contains(letter)
    };
    if text.chars().all(legal) {
        return Ok(());
    }
    Err(Refusal::invalid_parameter("Some tags contain invalid characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: Some(key.to_owned()), value: Some(value.to_owned()) }
    }

    #[test]
    fn legal_tags_pass() {
        let fifty: Vec<Tag> = (0..50).map(|number| tag(&format!("key{number}"), "")).collect();
        assert_eq!(validate_tags(&fifty), Ok(()));
        for legal in [
            tag("k", "v"),
            tag(&"k".repeat(128), &"v".repeat(256)),
            tag("Größe 大小", "a_b.c:d/e=f+g-h@i"),
            tag("awsome", "aws:value"),
            tag("a ws:", ""),
            Tag { key: Some("no value".to_owned()), value: None },
        ] {
            assert_eq!(validate_tags(std::slice::from_ref(&legal)), Ok(()), "{legal:?}");
        }
        assert_eq!(validate_tags(&[tag("k", ""), tag("K", "")]), Ok(()), "case counts");
    }

    #[test]
    fn tags_merge_and_go_by_key() {
        let existing = [tag("a", "1"), tag("b", "2")];
        let merged = merge(&existing, &[tag("c", "3"), tag("a", "4"), tag("A", "5")]);
        assert_eq!(merged, [tag("a", "4"), tag("b", "2"), tag("c", "3"), tag("A", "5")]);
        assert_eq!(without(&merged, &["a".into(), "x".into()]), [tag("b", "2"), tag("c", "3"), tag("A", "5")]);
        assert_eq!(counted(&[tag("a", ""), tag("aws:ecs:clusterName", "c")]), 1);
    }

    #[test]
    fn each_rule_has_its_text() {
        let seen = true;
        let inferred = false;
        for (tags, text, _mark) in [
            ((0..51).map(|number| tag(&number.to_string(), "")).collect(), "tags can have at most 50 items.", inferred),
            (vec![tag("", "v")], "Tag key should not be null or empty.", inferred),
            (vec![Tag { key: None, value: None }], "Tag key should not be null or empty.", inferred),
            (vec![tag(&"k".repeat(129), "")], "Tag key longer than 128.", inferred),
            (vec![tag("k", &"v".repeat(257))], "Tag value longer than 256.", inferred),
            (vec![tag("aws:cloudformation:stack-id", "")], "Tag key must not start with aws:", seen),
            (vec![tag("AwS:x", "")], "Tag key must not start with aws:", seen),
            (vec![tag("k!", "")], "Some tags contain invalid characters", seen),
            (vec![tag("k\n", "")], "Some tags contain invalid characters", seen),
            (vec![tag("k", "dependabot[bot]")], "Some tags contain invalid characters", seen),
            (vec![tag("k", "1"), tag("k", "2")], "Multiple tags contain the same key.", seen),
        ] {
            assert_eq!(validate_tags(&tags), Err(Refusal::invalid_parameter(text)), "{tags:?}");
        }
    }
}
