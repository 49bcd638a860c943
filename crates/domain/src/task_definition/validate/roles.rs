//! Role ARNs. Whether a role exists and may be passed is not known here, only whether it can be a role.
//!
//! Also tells what is an ARN at all, for secrets and files.

use crate::Refusal;

/// A role is given by ARN or by name; an empty one is refused, as Amazon does.
pub(in crate::task_definition) fn check(role: Option<&str>) -> Result<(), Refusal> {
    let legal = match role {
        None => true,
        Some(role) if role.starts_with("arn:") => is_role_arn(role),
        Some(name) => is_name(name),
    };
    if legal { Ok(()) } else { Err(Refusal::client("Role is not valid")) }
}

fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts.as_slice() else {
        return false;
    };
    let role = resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next());
    partition.starts_with("aws")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && role.is_some_and(is_name)
}

/// Letters, digits and `+=,.@_-`, as IAM names roles.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte))
}

/// Whether a text is an ARN of any service: six parts, the resource not empty.
pub(super) fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, service, _, _, resource]
        if partition.starts_with("aws") && !service.is_empty() && !resource.is_empty())
}

pub(super) fn invalid_arn() -> Refusal {
    Refusal::client("Invalid arn syntax.")
}
