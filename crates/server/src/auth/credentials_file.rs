//! The credentials file: which keys may sign, and for whom.
//!
//! TOML, one `[[key]]` table for each access key:
//!
//! ```toml
//! [[key]]
//! access_key_id = "AKIAIOSFODNN7EXAMPLE"      # 1 to 128 letters, digits and _
//! secret_access_key = "wJalrXUtnFEMI/K7MDENG" # any text but the empty one
//! account = "123456789012"                    # twelve digits, in quotes
//! principal = "arn:aws:iam::123456789012:user/alice" # optional: user/ and the access key id
//! session_token = "…"                         # optional: must then come with every request
//! ```
//!
//! Unknown members are refused, and so are repeated access key ids. No error text contains a line
//! of the file.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;

use super::{Key, Secret, principal};

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Why a credentials file is not used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be opened or read.
    #[error("cannot read the credentials file {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file does not say what it should.
    #[error("the credentials file {path} is not valid: {reason}")]
    Invalid {
        /// The file.
        path: String,
        /// What is wrong, without any of the file's values that could be secret.
        reason: String,
    },
}

/// What was read.
#[derive(Debug)]
pub struct Credentials {
    /// The keys, at least one.
    pub keys: Vec<Key>,
    /// Things the operator should know, to be logged as warnings.
    pub warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    key: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    access_key_id: String,
    secret_access_key: String,
    account: String,
    principal: Option<String>,
    session_token: Option<String>,
}

/// Reads and checks a credentials file.
///
/// # Errors
/// When it cannot be read, is not TOML, has an unknown member, no key, or a key with a part that
/// cannot be.
pub fn read(path: &Path) -> Result<Credentials, CredentialsError> {
    let name = path.display().to_string();
    let unreadable = |source| CredentialsError::Unreadable { path: name.clone(), source };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    let invalid = |reason| CredentialsError::Invalid { path: name.clone(), reason };
    if metadata.len() > MAX_BYTES {
        return Err(invalid(format!("it is larger than {MAX_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let keys = parse(&text).map_err(invalid)?;
    let warnings = readable_by_all(&metadata)
        .then(|| format!("the credentials file {name} can be read by every user of this machine; chmod 600 it"));
    Ok(Credentials { keys, warnings: warnings.into_iter().collect() })
}

/// Checks the text of a credentials file; the error says what is wrong, without repeating lines.
fn parse(text: &str) -> Result<Vec<Key>, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line =
            error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.matches('\n').count() + 1);
        format!("line {line}: {}", without_values(error.message()))
    })?;
    if file.key.is_empty() {
        return Err("it has no [[key]] table".to_owned());
    }
    let mut seen = HashSet::new();
    let mut keys = Vec::with_capacity(file.key.len());
    for (index, entry) in file.key.into_iter().enumerate() {
        if !seen.insert(entry.access_key_id.clone()) {
            return Err(format!("key {}: access_key_id '{}' stands there twice", index + 1, entry.access_key_id));
        }
        keys.push(check(entry).map_err(|reason| format!("key {}: {reason}", index + 1))?);
    }
    Ok(keys)
}

/// An error text of the TOML reader without the value it complains of.
fn without_values(message: &str) -> String {
    match message.split_once(", expected ") {
        Some((start, expected)) if start.starts_with("invalid ") => {
            format!("a value of the wrong type, expected {expected}")
        }
        _ => message.to_owned(),
    }
}

fn check(entry: Entry) -> Result<Key, String> {
    let id = &entry.access_key_id;
    if id.is_empty() || id.len() > 128 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("access_key_id must be 1 to 128 letters, digits and underscores".to_owned());
    }
    if entry.secret_access_key.is_empty() {
        return Err("secret_access_key is empty".to_owned());
    }
    if entry.account.len() != 12 || !entry.account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("account must be twelve digits".to_owned());
    }
    if entry.session_token.as_deref() == Some("") {
        return Err("session_token is empty; leave it out for a long-lived key".to_owned());
    }
    let arn = entry.principal.unwrap_or_else(|| format!("arn:aws:iam::{}:user/{id}", entry.account));
    principal::check(&arn, &entry.account)?;
    Ok(Key {
        user_id: principal::user_id(&arn, &entry.account).into(),
        access_key_id: entry.access_key_id.into(),
        secret_access_key: Secret::new(entry.secret_access_key),
        account: entry.account.into(),
        principal: arn.into(),
        session_token: entry.session_token.map(Secret::new),
    })
}

#[cfg(unix)]
fn readable_by_all(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.is_file() && metadata.permissions().mode() & 0o004 != 0
}

#[cfg(not(unix))]
fn readable_by_all(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "[[key]]\naccess_key_id = 'AKID'\nsecret_access_key = 'hush'\naccount = '123456789012'\n";

    #[test]
    fn a_key_without_a_principal_is_a_user() {
        let keys = parse(KEY).unwrap();
        assert_eq!(&*keys[0].principal, "arn:aws:iam::123456789012:user/AKID");
        assert!(keys[0].user_id.starts_with("AIDA"));
        assert_eq!(keys[0].secret_access_key.expose(), "hush");
        assert!(keys[0].session_token.is_none());
    }

    #[test]
    fn all_members_are_taken_over() {
        let more = format!("{KEY}principal = 'arn:aws:iam::123456789012:root'\nsession_token = 'tok'\n");
        let keys = parse(&more).unwrap();
        assert_eq!((&*keys[0].principal, &*keys[0].user_id), ("arn:aws:iam::123456789012:root", "123456789012"));
        assert_eq!(keys[0].session_token.as_ref().unwrap().expose(), "tok");
    }

    #[test]
    fn mistakes_are_named_and_secrets_are_not() {
        let swap = |from: &str, to: &str| parse(&KEY.replace(from, to)).unwrap_err();
        assert_eq!(parse("").unwrap_err(), "it has no [[key]] table");
        assert!(swap("'AKID'", "'AK ID'").starts_with("key 1: access_key_id must be"));
        assert!(swap("'AKID'", "''").contains("access_key_id"));
        assert!(swap("'hush'", "''").contains("secret_access_key is empty"));
        assert!(swap("'123456789012'", "'12345'").contains("twelve digits"));
        assert!(swap("account", "acount").starts_with("line "));
        assert!(parse(&format!("{KEY}{KEY}")).unwrap_err().contains("key 2: access_key_id 'AKID' stands there twice"));
        assert!(parse(&format!("{KEY}principal = 'bob'\n")).unwrap_err().contains("not an ARN"));
        assert!(parse(&format!("{KEY}session_token = ''\n")).unwrap_err().contains("session_token is empty"));
        for broken in [KEY.replace("'hush'", "'hush"), KEY.replace("'hush'", "hush"), KEY.replace("= 'hush'", "'hush'")]
        {
            let text = parse(&broken).unwrap_err();
            assert!(text.starts_with("line 3") && !text.contains("hush"), "{text}");
        }
        let number = swap("'hush'", "4711");
        assert_eq!(number, "line 3: a value of the wrong type, expected a string");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_all_may_read_is_warned_of() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), KEY).unwrap();
        let warned = |mode| {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            !read(file.path()).unwrap().warnings.is_empty()
        };
        assert!(warned(0o644));
        assert!(!warned(0o600));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("/nonexistent/keys.toml")).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the credentials file /nonexistent/keys.toml"), "{error}");
    }
}
