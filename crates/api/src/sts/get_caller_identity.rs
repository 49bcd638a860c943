//! GetCallerIdentity: who the caller is, as authentication found out. It needs no permission and reads no state.

use crate::Caller;

/// The answer's facts; the server writes them as STS's XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// `Account`: twelve digits.
    pub account: String,
    /// `Arn` of the principal.
    pub arn: String,
    /// `UserId` of the principal.
    pub user_id: String,
}

/// Who the caller is.
pub fn get_caller_identity(caller: &Caller) -> CallerIdentity {
    CallerIdentity {
        account: caller.scope.account.to_string(),
        arn: caller.principal.to_string(),
        user_id: caller.user_id.to_string(),
    }
}
