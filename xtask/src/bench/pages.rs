//! The pages that are asked for, and the pool of signed requests for them.
//!
//! Whole traversals are walked first, through the API, for every filter; so each page is known with
//! its token and the length of its answer. The pool takes the kinds of filters in turn, and from
//! each kind page after page. The same page is asked for in several spellings and at other seconds,
//! so that no two requests of a pool are alike.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::fleet::{CLUSTER, Filter, Fleet};
use super::http_client::Connection;
use super::server::{ServerProcess, cluster_arn};
use super::signer::Signer;

/// Requests in a pool.
pub const POOL: usize = 12_000;

/// Requests are dated up to that many seconds back; the server allows 300 either way.
const SECONDS_BACK: u64 = 200;

/// Spellings of one request: cluster by name or ARN, two defaults left out or not.
const SPELLINGS: usize = 8;

/// One page of a traversal.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Members of the request beside cluster and defaults: filters and token.
    members: Map<String, Value>,
    /// The answer when the page was first asked for.
    body: Vec<u8>,
}

/// A request ready to send, and how long its answer's body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Head and body.
    pub bytes: Vec<u8>,
    /// Bytes of the answer's body.
    pub answer_length: usize,
}

/// The pages of a fleet by kind of filter.
#[derive(Debug, Clone)]
pub struct Pages(Vec<Vec<Page>>);

impl Pages {
    /// Walks the whole traversal of every filter.
    ///
    /// # Errors
    /// A page is refused, or a filter matches nothing.
    pub fn walk(server: &ServerProcess, fleet: &Fleet) -> Result<Self, String> {
        let signer = server.signer();
        let mut connection = Connection::tcp(&server.address)?;
        let mut ask = |members: &Map<String, Value>| {
            let request = signer.request("ListTasks", &spelled(members, 0), unix_seconds(), 0);
            let answer = connection.send(&request)?;
            Ok::<_, String>((answer.json()?, answer.body))
        };
        let kinds = fleet.filters().into_iter().map(|filters| {
            let traversals = filters.iter().map(|filter| traverse(filter, &mut ask));
            traversals.collect::<Result<Vec<_>, String>>().map(|pages| pages.concat())
        });
        kinds.collect::<Result<_, _>>().map(Self)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// The body of middle length: what the bare server answers with.
    pub fn typical_body(&self) -> &[u8] {
        let mut pages: Vec<&Page> = self.0.iter().flatten().collect();
        pages.sort_by_key(|page| page.body.len());
        pages.get(pages.len() / 2).map(|page| page.body.as_slice()).unwrap_or_default()
    }

    /// A pool signed around `now`.
    pub fn pool(&self, signer: &Signer, now: u64) -> Vec<Request> {
        (0..POOL).map(|number| self.request(signer, now, number)).collect()
    }

    fn request(&self, signer: &Signer, now: u64, number: usize) -> Request {
        let kind = &self.0[number % self.0.len()];
        let turn = number / self.0.len();
        let page = &kind[turn % kind.len()];
        let repeat = turn / kind.len();
        let body = spelled(&page.members, repeat % SPELLINGS);
        let seconds = now - (repeat / SPELLINGS) as u64 % SECONDS_BACK;
        Request { bytes: signer.request("ListTasks", &body, seconds, number as u64), answer_length: page.body.len() }
    }
}

/// All pages of one filter, the first without a token.
fn traverse(
    filter: &Filter,
    ask: &mut impl FnMut(&Map<String, Value>) -> Result<(Value, Vec<u8>), String>,
) -> Result<Vec<Page>, String> {
    let mut members: Map<_, _> = filter.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let mut pages = Vec::new();
    loop {
        let (answer, body) = ask(&members)?;
        if answer["taskArns"].as_array().is_none_or(Vec::is_empty) {
            return Err(format!("no task matches {filter:?}"));
        }
        pages.push(Page { members: members.clone(), body });
        match answer.get("nextToken") {
            Some(token) => drop(members.insert("nextToken".to_owned(), token.clone())),
            None => return Ok(pages),
        }
    }
}

/// The body of a request in one of its spellings, all of which mean the same.
fn spelled(members: &Map<String, Value>, spelling: usize) -> String {
    let cluster = if spelling & 1 == 0 { CLUSTER.to_owned() } else { cluster_arn(CLUSTER) };
    let mut all = members.clone();
    all.insert("cluster".to_owned(), json!(cluster));
    if spelling & 2 != 0 {
        all.insert("maxResults".to_owned(), json!(100));
    }
    if spelling & 4 != 0 {
        all.insert("desiredStatus".to_owned(), json!("RUNNING"));
    }
    Value::Object(all).to_string()
}

/// Seconds since 1970.
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_requests_of_a_pool_are_signed_alike() {
        let page =
            |filter: &str| Page { members: [(filter.to_owned(), json!("x"))].into_iter().collect(), body: vec![] };
        let pages = Pages((0..7).map(|kind| vec![page(&format!("filter-{kind}"))]).collect());
        let signer = Signer { access_key_id: "A".into(), secret_access_key: "S".into(), host: "h".into() };
        let pool = pages.pool(&signer, 1_795_435_200);
        let signed = |request: &Request| {
            let text = String::from_utf8(request.bytes.clone()).unwrap();
            text.lines().find(|line| line.starts_with("Authorization")).unwrap().to_owned()
        };
        let distinct: HashSet<String> = pool.iter().map(signed).collect();
        assert_eq!(distinct.len(), 7 * SPELLINGS * SECONDS_BACK as usize);
        assert!(distinct.len() >= 10_000);
    }

    #[test]
    fn a_traversal_follows_its_tokens() {
        let mut asked = Vec::new();
        let filter = vec![("family", "web".to_owned())];
        let pages = traverse(&filter, &mut |members| {
            asked.push(members.get("nextToken").cloned());
            let answer = if asked.len() < 3 {
                json!({ "taskArns": ["a"], "nextToken": asked.len().to_string() })
            } else {
                json!({ "taskArns": ["a"] })
            };
            Ok((answer, vec![]))
        });
        assert_eq!(pages.unwrap().len(), 3);
        assert_eq!(asked, [None, Some(json!("1")), Some(json!("2"))]);
        assert!(traverse(&filter, &mut |_| Ok((json!({ "taskArns": [] }), vec![]))).is_err());
    }
}
