//! The pages that are asked for, and the pools of signed requests for them.
//!
//! Traversals are walked first, through the API, for every kind of listing and many of its values; so each page is
//! known with its token and the length of its answer. A pool takes first, middle and last pages in turn. The same page
//! is asked for in several spellings and at other seconds, so that no two requests of a pool are alike.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::fleet::Fleet;
use super::fleet_store::CLUSTER;
use super::http_client::Connection;
use super::kinds::{Filter, Kind, Position};
use super::server::{ServerProcess, cluster_arn};
use super::signer::Signer;

/// Requests in a pool.
pub const POOL: usize = 10_000;

/// Values of a kind whose traversals are walked.
const VALUES: usize = 200;

/// Pages of a kind that are kept, those of long traversals evenly thinned out.
const KEPT: usize = 2_000;

/// Requests are dated up to that many seconds back; the server allows 300 either way.
const SECONDS_BACK: u64 = 200;

/// Spellings of one request: cluster by name or ARN, two defaults left out or not.
const SPELLINGS: usize = 8;

/// One page of a traversal.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Members of the request beside cluster and defaults: filters and token.
    members: Map<String, Value>,
    /// Whether it lists what is STOPPED.
    stopped: bool,
    /// Bytes of the answer's body.
    answer_length: usize,
    /// Tasks in the answer.
    tasks: usize,
}

/// A request ready to send, and how long its answer's body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Head and body.
    pub bytes: Vec<u8>,
    /// Bytes of the answer's body.
    pub answer_length: usize,
}

/// The pages of a fleet.
#[derive(Debug, Clone, Default)]
pub struct Pages(BTreeMap<(Kind, Position), Vec<Page>>);

/// What one measurement asks for: lists of pages that take turns.
#[derive(Debug, Clone)]
pub struct Selection<'a>(Vec<&'a Vec<Page>>);

impl Pages {
    /// Walks the traversals of every kind.
    ///
    /// # Errors
    /// A page is refused, or a filter matches nothing though it should.
    pub fn walk(server: &ServerProcess, fleet: &Fleet) -> Result<Self, String> {
        let signer = server.signer();
        let mut connection = Connection::tcp(&server.address)?;
        let mut ask = |body: &str| {
            let answer = connection.send(&signer.request("ListTasks", body, unix_seconds(), 0))?;
            Ok::<_, String>((answer.json()?, answer.body.len()))
        };
        let mut pages = Self::default();
        for kind in Kind::all() {
            let mut of_kind: BTreeMap<Position, Vec<Page>> = BTreeMap::new();
            for filter in fleet.filters(kind.dimensions, kind.stopped, VALUES) {
                for (position, page) in traverse(kind, &filter, &mut ask)? {
                    of_kind.entry(position).or_default().push(page);
                }
            }
            let thinned = of_kind.into_iter().map(|(position, of_position)| ((kind, position), thinned(of_position)));
            pages.0.extend(thinned);
        }
        Ok(pages)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// All pages, kinds and positions in turn.
    pub fn all(&self) -> Selection<'_> {
        self.select(|_, _| true)
    }

    /// The pages of some kinds and positions, which take turns.
    pub fn select(&self, wanted: impl Fn(Kind, Position) -> bool) -> Selection<'_> {
        let lists = self.0.iter().filter(|((kind, position), _)| wanted(*kind, *position));
        Selection(lists.map(|(_, pages)| pages).collect())
    }
}

impl Selection<'_> {
    /// Whether the fleet has none of these pages.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tasks in an answer, on average over a pool.
    pub fn mean_tasks(&self) -> f64 {
        let means = self.0.iter().map(|pages| {
            let tasks: usize = pages.iter().map(|page| page.tasks).sum();
            tasks as f64 / pages.len().max(1) as f64
        });
        means.sum::<f64>() / self.0.len().max(1) as f64
    }

    /// A pool signed around `now`.
    pub fn pool(&self, signer: &Signer, now: u64) -> Vec<Request> {
        (0..POOL).map(|number| self.request(signer, now, number)).collect()
    }

    fn request(&self, signer: &Signer, now: u64, number: usize) -> Request {
        let list = self.0[number % self.0.len()];
        let turn = number / self.0.len();
        let page = &list[turn % list.len()];
        let repeat = turn / list.len();
        // What is STOPPED has no default to leave out.
        let spellings = if page.stopped { SPELLINGS / 2 } else { SPELLINGS };
        let body = spelled(&page.members, page.stopped, repeat % spellings);
        let seconds = now - (repeat / spellings) as u64 % SECONDS_BACK;
        Request { bytes: signer.request("ListTasks", &body, seconds, number as u64), answer_length: page.answer_length }
    }
}

impl Request {
    /// The same for the bare server, which is told by the path how many bytes to answer.
    pub fn for_bare_server(&self) -> Self {
        let rest = self.bytes.strip_prefix(b"POST / ").unwrap_or(&self.bytes);
        let bytes = [format!("POST /{} ", self.answer_length).as_bytes(), rest].concat();
        Self { bytes, answer_length: self.answer_length }
    }
}

/// All pages of one filter, the first without a token.
fn traverse(
    kind: Kind,
    filter: &Filter,
    ask: &mut impl FnMut(&str) -> Result<(Value, usize), String>,
) -> Result<Vec<(Position, Page)>, String> {
    let mut members: Map<_, _> = filter.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let mut pages = Vec::new();
    loop {
        let (answer, answer_length) = ask(&spelled(&members, kind.stopped, 0))?;
        let tasks = answer["taskArns"].as_array().map_or(0, Vec::len);
        if tasks == 0 {
            return Err(format!("no task matches {filter:?}, {}", kind.status()));
        }
        let next = answer.get("nextToken").cloned();
        let position = match (pages.is_empty(), &next) {
            (true, _) => Position::First,
            (false, Some(_)) => Position::Middle,
            (false, None) => Position::Last,
        };
        pages.push((position, Page { members: members.clone(), stopped: kind.stopped, answer_length, tasks }));
        let Some(token) = next else { return Ok(pages) };
        members.insert("nextToken".to_owned(), token);
    }
}

/// At most [`KEPT`] of them, evenly.
fn thinned(pages: Vec<Page>) -> Vec<Page> {
    let step = pages.len().div_ceil(KEPT).max(1);
    pages.into_iter().step_by(step).collect()
}

/// The body of a request in one of its spellings, all of which mean the same.
fn spelled(members: &Map<String, Value>, stopped: bool, spelling: usize) -> String {
    let cluster = if spelling & 1 == 0 { CLUSTER.to_owned() } else { cluster_arn(CLUSTER) };
    let mut all = members.clone();
    all.insert("cluster".to_owned(), json!(cluster));
    if spelling & 2 != 0 {
        all.insert("maxResults".to_owned(), json!(100));
    }
    if stopped {
        all.insert("desiredStatus".to_owned(), json!("STOPPED"));
    } else if spelling & 4 != 0 {
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

    use super::super::kinds::Dimensions;
    use super::*;

    const KIND: Kind = Kind { dimensions: Dimensions::LEGAL[1], stopped: false };

    #[test]
    fn no_two_requests_of_a_pool_are_signed_alike() {
        let page = |number: usize| Page {
            members: [("family".to_owned(), json!(number))].into_iter().collect(),
            stopped: false,
            answer_length: 7,
            tasks: 1,
        };
        let lists = [(0..7).map(page).collect::<Vec<_>>(), vec![page(7), page(8)]];
        let selection = Selection(lists.iter().collect());
        let signer = Signer { access_key_id: "A".into(), secret_access_key: "S".into(), host: "h".into() };
        let pool = selection.pool(&signer, 1_795_435_200);
        let signed = |request: &Request| {
            let text = String::from_utf8(request.bytes.clone()).unwrap();
            text.lines().find(|line| line.starts_with("Authorization")).unwrap().to_owned()
        };
        let distinct: HashSet<String> = pool.iter().map(signed).collect();
        assert_eq!(distinct.len(), POOL / 2 + 2 * SPELLINGS * SECONDS_BACK as usize);
        assert!(pool[0].for_bare_server().bytes.starts_with(b"POST /7 HTTP/1.1\r\n"));
        assert_eq!(selection.mean_tasks(), 1.0);
    }

    #[test]
    fn a_traversal_follows_its_tokens() {
        let mut asked = Vec::new();
        let filter = vec![("family", "web".to_owned())];
        let pages = traverse(KIND, &filter, &mut |body| {
            asked.push(body.contains("nextToken"));
            let answer = if asked.len() < 3 {
                json!({ "taskArns": ["a"], "nextToken": asked.len().to_string() })
            } else {
                json!({ "taskArns": ["a"] })
            };
            Ok((answer, 5))
        });
        let positions: Vec<Position> = pages.unwrap().into_iter().map(|(position, _)| position).collect();
        assert_eq!(positions, Position::ALL);
        assert_eq!(asked, [false, true, true]);
        assert!(traverse(KIND, &filter, &mut |_| Ok((json!({ "taskArns": [] }), 2))).is_err());
    }
}
