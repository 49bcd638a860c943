//! What RunTask asks of its own parameters, before it looks at cluster or definition.

use longshore_ecs_wire::operations::RunTaskRequest;
use longshore_ecs_wire::shapes::{self, PropagateTags};

use super::LaunchType;
use crate::{ErrorClass, Refusal, tags};

/// Longest `startedBy`, in characters.
pub const STARTED_BY_CHARS: usize = 128;
/// Longest `group`, in characters.
pub const GROUP_CHARS: usize = 255;
/// Longest `clientToken` of RunTask, in characters.
pub const CLIENT_TOKEN_CHARS: usize = 64;

/// How many tasks are wanted.
///
/// # Errors
/// Not 1–10.
pub fn count(request: &RunTaskRequest) -> Result<usize, Refusal> {
    let count = request.count.unwrap_or(1);
    usize::try_from(count)
        .ok()
        .filter(|count| (1..=10).contains(count))
        .ok_or_else(|| Refusal::invalid_parameter("count should be between 1 and 10"))
}

/// The launch type that is asked for, if any.
///
/// # Errors
/// A value that is none, or one that RunTask cannot ask for.
pub fn launch_type(request: &RunTaskRequest) -> Result<Option<LaunchType>, Refusal> {
    let strategy = request.capacity_provider_strategy.as_ref().is_some_and(|strategy| !strategy.is_empty());
    if strategy && request.launch_type.is_some() {
        return Err(Refusal::invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. \
             Remove one and try again.",
        ));
    }
    match &request.launch_type {
        None => Ok(None),
        Some(shapes::LaunchType::Ec2) => Ok(Some(LaunchType::Ec2)),
        Some(shapes::LaunchType::Fargate) => Ok(Some(LaunchType::Fargate)),
        Some(shapes::LaunchType::External) => Ok(Some(LaunchType::External)),
        Some(shapes::LaunchType::ManagedInstances | shapes::LaunchType::Unknown(_)) => {
            Err(Refusal::invalid_parameter("launch type should be one of [EC2,FARGATE,EXTERNAL]"))
        }
    }
}

/// Lengths, characters and tags.
///
/// # Errors
/// The first breach.
pub fn check(request: &RunTaskRequest) -> Result<(), Refusal> {
    let longer = |text: &Option<String>, bound: usize| text.as_deref().is_some_and(|text| text.chars().count() > bound);
    if request.task_definition.as_deref().unwrap_or_default().is_empty() {
        return Err(Refusal::invalid_parameter("TaskDefinition can not be blank."));
    }
    if longer(&request.started_by, STARTED_BY_CHARS) {
        return Err(Refusal::invalid_parameter("startedBy longer than 128."));
    }
    check_started_by(request.started_by.as_deref())?;
    if longer(&request.group, GROUP_CHARS) {
        return Err(Refusal::invalid_parameter("group longer than 255."));
    }
    if request.group.as_deref().is_some_and(|group| group.starts_with("service:") || group.starts_with("daemon:")) {
        return Err(Refusal::invalid_parameter("The group name is reserved for tasks of a service or daemon."));
    }
    if request.client_token.as_deref().is_some_and(|token| !is_client_token(token)) {
        return Err(Refusal::invalid_parameter("clientToken must be 1-64 characters of ASCII 33-126."));
    }
    if matches!(request.propagate_tags, Some(PropagateTags::Service | PropagateTags::Unknown(_))) {
        return Err(Refusal::invalid_parameter("Invalid value for propagateTags"));
    }
    tags::validate_tags(request.tags.as_deref().unwrap_or_default())
}

/// Letters, digits, `-`, `/`, `_`, and what Amazon tolerates beside them: `:` and `.`.
fn check_started_by(started_by: Option<&str>) -> Result<(), Refusal> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-/_:.".contains(c);
    match started_by {
        Some(text) if !text.chars().all(legal) => {
            Err(Refusal::invalid_parameter("startedBy contains invalid characters."))
        }
        _ => Ok(()),
    }
}

fn is_client_token(token: &str) -> bool {
    (1..=CLIENT_TOKEN_CHARS).contains(&token.len()) && token.bytes().all(|c| (33..=126).contains(&c))
}

/// The platform version that a FARGATE task gets.
///
/// # Errors
/// A version that does not exist.
pub fn platform_version(request: &RunTaskRequest, launch_type: LaunchType) -> Result<Option<&'static str>, Refusal> {
    let fargate = launch_type == LaunchType::Fargate;
    match request.platform_version.as_deref() {
        None | Some("" | "LATEST") => Ok(fargate.then_some("1.4.0")),
        Some(_) if !fargate => {
            Err(Refusal::invalid_parameter("The platform version must be null when specifying an EC2 launch type."))
        }
        Some("1.4.0") => Ok(Some("1.4.0")),
        Some("1.3.0") => Ok(Some("1.3.0")),
        Some(_) => Err(Refusal::new(ErrorClass::PlatformUnknown, "The specified platform does not exist.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> RunTaskRequest {
        RunTaskRequest { task_definition: Some("f".into()), ..RunTaskRequest::default() }
    }

    #[test]
    fn counts_are_one_to_ten() {
        for (given, wanted) in [
            (None, Some(1)),
            (Some(1), Some(1)),
            (Some(10), Some(10)),
            (Some(0), None),
            (Some(11), None),
            (Some(-1), None),
        ] {
            assert_eq!(count(&RunTaskRequest { count: given, ..request() }).ok(), wanted);
        }
    }

    #[test]
    fn parameters_and_their_texts() {
        let text = |change: fn(&mut RunTaskRequest)| {
            let mut request = request();
            change(&mut request);
            check(&request).err().map(|refusal| refusal.message)
        };
        assert_eq!(text(|_| ()), None);
        assert_eq!(text(|r| r.started_by = Some("a".repeat(128))), None);
        assert_eq!(text(|r| r.started_by = Some("abc:def.g/h_i-j".into())), None);
        assert_eq!(text(|r| r.started_by = Some("a".repeat(129))).as_deref(), Some("startedBy longer than 128."));
        assert_eq!(
            text(|r| r.started_by = Some("a b".into())).as_deref(),
            Some("startedBy contains invalid characters.")
        );
        assert_eq!(text(|r| r.task_definition = None).as_deref(), Some("TaskDefinition can not be blank."));
        assert!(text(|r| r.group = Some("service:x".into())).is_some());
        assert!(text(|r| r.group = Some("g".repeat(256))).is_some());
        assert!(text(|r| r.client_token = Some(String::new())).is_some());
        assert!(text(|r| r.client_token = Some("t".repeat(65))).is_some());
        assert_eq!(
            text(|r| r.propagate_tags = Some(PropagateTags::Service)).as_deref(),
            Some("Invalid value for propagateTags")
        );
    }

    #[test]
    fn launch_types_and_strategies_exclude_each_other() {
        let mut both = request();
        both.launch_type = Some(shapes::LaunchType::Ec2);
        assert_eq!(launch_type(&both), Ok(Some(LaunchType::Ec2)));
        both.capacity_provider_strategy = Some(vec![shapes::CapacityProviderStrategyItem::default()]);
        assert!(launch_type(&both).unwrap_err().message.starts_with("Specifying both a launch type"));
    }

    #[test]
    fn platform_versions() {
        let of = |version: Option<&str>, launch_type| {
            let request = RunTaskRequest { platform_version: version.map(Into::into), ..request() };
            platform_version(&request, launch_type).map_err(|refusal| refusal.class)
        };
        assert_eq!(of(None, LaunchType::Fargate), Ok(Some("1.4.0")));
        assert_eq!(of(Some("LATEST"), LaunchType::Fargate), Ok(Some("1.4.0")));
        assert_eq!(of(None, LaunchType::Ec2), Ok(None));
        assert_eq!(of(Some("9"), LaunchType::Fargate), Err(ErrorClass::PlatformUnknown));
        assert_eq!(of(Some("1.4.0"), LaunchType::Ec2), Err(ErrorClass::InvalidParameter));
    }
}
