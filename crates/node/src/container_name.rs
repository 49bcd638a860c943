//! The engine-wide name of a container.
//!
//! Amazon's form, `ecs-<family>-<revision>-<container>-<20 hex>`, with a hex part that follows from task and container
//! instead of chance: a create that was in flight when the node died meets a conflict, and the container is adopted.

use sha2::{Digest, Sha256};

/// Hex digits at the end of a name.
const HEX_DIGITS: usize = 20;

/// The name of container `container` of task `task_arn`. All but letters, digits and `-` is left out of the container's
/// name, so only the hex part tells `a_b` and `ab` apart.
pub fn container_name(family: &str, revision: &str, container: &str, task_arn: &str) -> String {
    let stripped: String = container.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let mut digest = Sha256::new();
    digest.update(task_arn.as_bytes());
    digest.update([0]);
    digest.update(container.as_bytes());
    let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).take(HEX_DIGITS / 2).collect();
    format!("ecs-{family}-{revision}-{stripped}-{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "arn:aws:ecs:us-east-1:000000000000:task/default/0123456789abcdef0123456789abcdef";

    #[test]
    fn amazons_form_and_always_the_same() {
        let name = container_name("web", "3", "ng_inx-1", TASK);
        let (head, hex) = name.rsplit_once('-').expect("has a hex part");
        assert_eq!(head, "ecs-web-3-nginx-1");
        assert_eq!(hex.len(), 20);
        assert!(hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(name, container_name("web", "3", "ng_inx-1", TASK));
    }

    #[test]
    fn names_that_strip_to_the_same_differ() {
        assert_ne!(container_name("web", "3", "a_b", TASK), container_name("web", "3", "ab", TASK));
        let other = TASK.replace("0123", "9999");
        assert_ne!(container_name("web", "3", "ab", &other), container_name("web", "3", "ab", TASK));
        // The boundary between ARN and name is part of the digest.
        assert_ne!(container_name("w", "3", "b", "ta"), container_name("w", "3", "ab", "t"));
    }
}
