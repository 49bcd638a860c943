//! GetCallerIdentity.

use longshore_api::sts::get_caller_identity::get_caller_identity;

use crate::harness::caller;

#[test]
fn a_caller_is_who_authentication_found() {
    let identity = get_caller_identity(&caller("123456789012", "eu-west-1"));
    assert_eq!(identity.account, "123456789012");
    assert_eq!(identity.arn, "arn:aws:iam::123456789012:user/tester");
    assert_eq!(identity.user_id, "AIDATESTER");
}
