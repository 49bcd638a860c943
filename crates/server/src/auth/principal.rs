//! Principals: the ARN a key stands for, and the id IAM would show for it.

use sha2::{Digest, Sha256};

/// Letters of the ids Amazon gives out (base 32).
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Checks that an ARN can be a caller's: `root` or `user/…` of IAM, `assumed-role/ROLE/SESSION` or
/// `federated-user/…` of STS, in this account.
///
/// # Errors
/// What is wrong with it, without a full stop.
pub fn check(arn: &str, account: &str) -> Result<(), String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, service, "", of, resource] = parts.as_slice() else {
        return Err(format!("'{arn}' is not an ARN of the form arn:aws:iam::ACCOUNT:user/NAME"));
    };
    if !matches!(*partition, "aws" | "aws-cn" | "aws-us-gov") {
        return Err(format!("'{partition}' is not a partition; use aws"));
    }
    if *of != account {
        return Err(format!("the principal's account '{of}' is not the key's account '{account}'"));
    }
    let named = |prefix: &str| resource.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
    let known = match *service {
        "iam" => *resource == "root" || named("user/"),
        "sts" => {
            let role = resource.strip_prefix("assumed-role/").and_then(|rest| rest.split_once('/'));
            named("federated-user/") || role.is_some_and(|(role, session)| !role.is_empty() && !session.is_empty())
        }
        _ => false,
    };
    if known {
        Ok(())
    } else {
        Err(format!(
            "'{resource}' of '{service}' cannot sign requests; use root, user/NAME or (sts) assumed-role/ROLE/SESSION"
        ))
    }
}

/// The id of a principal, as `sts:GetCallerIdentity` shows it: the account for root, else a stable
/// id made from the ARN in Amazon's form (`AIDA…` for users, `AROA…:SESSION` for assumed roles,
/// `ACCOUNT:NAME` for federated users).
pub fn user_id(arn: &str, account: &str) -> String {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    if let Some((role, session)) = resource.strip_prefix("assumed-role/").and_then(|rest| rest.split_once('/')) {
        return format!("{}:{session}", unique_id("AROA", &format!("{account}/{role}")));
    }
    match resource.strip_prefix("federated-user/") {
        Some(name) => format!("{account}:{name}"),
        None if resource == "root" => account.to_owned(),
        None => unique_id("AIDA", arn),
    }
}

fn unique_id(prefix: &str, of: &str) -> String {
    let digest = Sha256::digest(of.as_bytes());
    let letters = digest.iter().take(17).filter_map(|byte| ALPHABET.get(usize::from(byte & 31)));
    prefix.chars().chain(letters.map(|letter| char::from(*letter))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "123456789012";

    #[test]
    fn arns_of_callers_pass_and_others_do_not() {
        for good in [
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::123456789012:user/alice",
            "arn:aws:iam::123456789012:user/team/alice",
            "arn:aws-cn:sts::123456789012:assumed-role/role/session",
            "arn:aws:sts::123456789012:federated-user/bob",
        ] {
            assert_eq!(check(good, ACCOUNT), Ok(()), "{good}");
        }
        for bad in [
            "",
            "alice",
            "arn:aws:iam::123456789012",
            "arn:aws:iam::999999999999:root",
            "arn:aws:iam:us-east-1:123456789012:root",
            "arn:aws:iam::123456789012:user/",
            "arn:aws:iam::123456789012:role/r",
            "arn:aws:sts::123456789012:assumed-role/role",
            "arn:aws:ecs::123456789012:root",
            "arn:gcp:iam::123456789012:root",
        ] {
            assert!(check(bad, ACCOUNT).is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_have_amazons_form_and_are_stable() {
        assert_eq!(user_id("arn:aws:iam::123456789012:root", ACCOUNT), ACCOUNT);
        let alice = user_id("arn:aws:iam::123456789012:user/alice", ACCOUNT);
        assert!(alice.starts_with("AIDA") && alice.len() == 21, "{alice}");
        assert_eq!(alice, user_id("arn:aws:iam::123456789012:user/alice", ACCOUNT));
        assert_ne!(alice, user_id("arn:aws:iam::123456789012:user/bob", ACCOUNT));
        let session = |name: &str| user_id(&format!("arn:aws:sts::123456789012:assumed-role/r/{name}"), ACCOUNT);
        let (one, two) = (session("one"), session("two"));
        assert!(one.starts_with("AROA") && one.ends_with(":one"));
        assert_eq!(one.split(':').next(), two.split(':').next(), "sessions of one role share its id");
        assert_eq!(user_id("arn:aws:sts::123456789012:federated-user/bob", ACCOUNT), "123456789012:bob");
    }
}
