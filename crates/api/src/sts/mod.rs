//! What of AWS STS a user of ECS meets.

pub mod get_caller_identity;
