//! Requests to the API as boto3 sends them, signed with Signature Version 4.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The headers that are signed, in the order that the algorithm asks for.
const SIGNED: &str = "content-type;host;x-amz-date;x-amz-target";

/// Region of all requests.
pub const REGION: &str = "us-east-1";

/// One access key, and the host that its requests go to.
#[derive(Debug, Clone)]
pub struct Signer {
    /// Access key id.
    pub access_key_id: String,
    /// The secret behind it.
    pub secret_access_key: String,
    /// `Host`: address and port.
    pub host: String,
}

impl Signer {
    /// One whole request of ECS, head and body, signed at `unix_seconds`. `number` makes its
    /// invocation id, which is not signed.
    pub fn request(&self, operation: &str, body: &str, unix_seconds: u64, number: u64) -> Vec<u8> {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        let date = basic_date(unix_seconds);
        let authorization = self.authorization(&target, body, &date);
        format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: identity\r\nX-Amz-Target: {target}\r\n\
             Content-Type: application/x-amz-json-1.1\r\n\
             User-Agent: Boto3/1.43.0 md/Botocore#1.43.0 ua/2.1 os/linux lang/python#3.11.2\r\n\
             X-Amz-Date: {date}\r\nAuthorization: {authorization}\r\n\
             amz-sdk-invocation-id: 00000000-0000-4000-8000-{number:012x}\r\namz-sdk-request: attempt=1\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        )
        .into_bytes()
    }

    fn authorization(&self, target: &str, body: &str, date: &str) -> String {
        let canonical = format!(
            "POST\n/\n\ncontent-type:application/x-amz-json-1.1\nhost:{}\nx-amz-date:{date}\nx-amz-target:{target}\n\n\
             {SIGNED}\n{}",
            self.host,
            hex(&Sha256::digest(body))
        );
        let day = date.get(..8).unwrap_or(date);
        let scope = format!("{day}/{REGION}/ecs/aws4_request");
        let message = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let mut key = format!("AWS4{}", self.secret_access_key).into_bytes();
        for part in [day, REGION, "ecs", "aws4_request", &message] {
            key = hmac(&key, part);
        }
        let id = &self.access_key_id;
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={SIGNED}, Signature={}", hex(&key))
    }
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let keyed = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    keyed.chain_update(message).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    faster_hex::hex_string(bytes)
}

/// `YYYYMMDDTHHMMSSZ`, by counting the days of years and months from 1970 on.
fn basic_date(unix_seconds: u64) -> String {
    let (mut days, second) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let (mut year, mut month) = (1970, 1);
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let mut text = format!("{year:04}{month:02}{:02}T", days + 1);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    write!(text, "{hour:02}{minute:02}{:02}Z", second % 60).expect("a String takes everything");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_calendars() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_868_800, "20000301T000000Z"),
            (1_709_164_800, "20240229T000000Z"),
            (1_795_435_200, "20261123T120000Z"),
        ] {
            assert_eq!(basic_date(seconds), text);
        }
    }

    #[test]
    fn a_signature_is_botocores() {
        let signer = Signer {
            access_key_id: "AKIDGOLDEN".into(),
            secret_access_key: "golden/secret+key".into(),
            host: "127.0.0.1:8327".into(),
        };
        let request = String::from_utf8(signer.request("ListTasks", "{}", 1_795_435_200, 1)).unwrap();
        let signature = "Signature=5fa128a3baf1ccd4567ede32c343d8dd2b010fec085c025bcd97f6a811b1e7e2\r\n";
        assert!(request.contains(signature), "{request}");
    }
}
