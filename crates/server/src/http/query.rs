//! The AWS query protocol, of which one operation is served: `sts:GetCallerIdentity`.
//!
//! Requests are form-encoded, answers are XML in the namespace of the STS model of 2011-06-15.
//! Scripts and Terraform ask it before anything else, so it answers on the same endpoint as ECS.

use hyper::StatusCode;

use super::request_id::RequestId;
use super::respond::{Format, Reply};
use super::service::Caller;
use crate::auth::canonical::percent_decode;

/// The one operation's name.
pub(crate) const GET_CALLER_IDENTITY: &str = "GetCallerIdentity";

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const VERSION: &str = "2011-06-15";

/// Answers a query request of an authenticated caller.
pub(crate) fn answer(caller: &Caller, form: &[u8], id: RequestId) -> Reply {
    let form = String::from_utf8_lossy(form);
    let Some(action) = parameter(&form, "Action") else {
        return error(400, "MissingAction", "The request has no parameter Action.", id);
    };
    let version = parameter(&form, "Version").unwrap_or_else(|| "NO_VERSION_SPECIFIED".to_owned());
    if action != GET_CALLER_IDENTITY || version != VERSION {
        let text = format!("Could not find operation {action} for version {version}");
        return error(400, "InvalidAction", &text, id);
    }
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\"><GetCallerIdentityResult><Arn>{}</Arn><UserId>{}</UserId>\
         <Account>{}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>\
         </GetCallerIdentityResponse>\n",
        escape(&caller.principal),
        escape(&caller.user_id),
        escape(&caller.scope.account),
    );
    Reply::new(StatusCode::OK, Format::Xml, body)
}

/// An error of the query protocol.
pub(crate) fn error(status: u16, code: &str, message: &str, id: RequestId) -> Reply {
    let kind = if status < 500 { "Sender" } else { "Receiver" };
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{id}</RequestId></ErrorResponse>\n",
        escape(code),
        escape(message),
    );
    Reply::new(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Format::Xml, body)
}

fn parameter(form: &str, name: &str) -> Option<String> {
    form.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (percent_decode(key) == name.as_bytes()).then(|| String::from_utf8_lossy(&percent_decode(value)).into_owned())
    })
}

/// A text inside an XML element; characters that XML 1.0 cannot hold become `?`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push('?'),
            character if character.is_control() && !matches!(character, '\t' | '\n' | '\r') => out.push('?'),
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> Caller {
        Caller {
            scope: longshore_domain::Scope::new("123456789012", "us-east-1"),
            principal: "arn:aws:iam::123456789012:user/a&b".into(),
            user_id: "AIDAX".into(),
        }
    }

    fn body(form: &str) -> (u16, String) {
        let reply = answer(&caller(), form.as_bytes(), RequestId::next());
        (reply.status.as_u16(), String::from_utf8(reply.body.to_vec()).unwrap())
    }

    #[test]
    fn the_identity_has_the_models_shape() {
        let (status, text) = body("Version=2011-06-15&Action=Get%43allerIdentity");
        assert_eq!(status, 200);
        assert!(text.starts_with(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::123456789012:user/a&amp;b</Arn><UserId>AIDAX</UserId><Account>123456789012</Account>\
             </GetCallerIdentityResult><ResponseMetadata><RequestId>"
        ));
        assert!(text.ends_with("</RequestId></ResponseMetadata></GetCallerIdentityResponse>\n"));
    }

    #[test]
    fn other_actions_are_refused_in_xml() {
        for (form, code, message) in [
            ("", "MissingAction", "The request has no parameter Action."),
            ("Action=GetCallerIdentity", "InvalidAction", "GetCallerIdentity for version NO_VERSION_SPECIFIED"),
            ("Action=<Evil>&Version=2011-06-15", "InvalidAction", "operation &lt;Evil&gt; for version 2011-06-15"),
            ("Action=%00&Version=2011-06-15", "InvalidAction", "operation ? for"),
            ("Action=%FF%zz%&Version=2011-06-15", "InvalidAction", "%zz% for"),
        ] {
            let (status, text) = body(form);
            assert_eq!(status, 400, "{form}");
            assert!(text.contains(&format!("<Code>{code}</Code>")) && text.contains(message), "{text}");
            assert!(text.contains("<Type>Sender</Type>"));
        }
    }
}
