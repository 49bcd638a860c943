//! Brings the images of tasks onto the engine.
//!
//! When an image is pulled at all follows [`ImagePullBehavior`], Amazon's four values, plus: a reference by digest that
//! is here, and a tag that is here without ever having come from a registry, are never pulled. Tasks that want the same
//! image at the same time share one pull, which ends when the last of them loses interest. Failed pulls are repeated
//! with back-off; one that has not heard from a registry within [`CONNECT_LIMIT`] fails, repetitions included.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use tokio::time::{Instant, sleep, sleep_until};

use crate::engine::{BoxFuture, EngineError, Image, PullProgress};
use crate::runner::engine_calls::EngineCalls;
use crate::runner::lock::lock;
use crate::runner::reason;

/// Longest time without a word from the registry, over all attempts.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// Repetitions after the first attempt.
const RETRIES: u32 = 5;
/// Repetitions when the registry says that there is no such image, or not for us.
const RETRIES_AFTER_NO: u32 = 1;
/// Back-off before the repetitions.
const BACK_OFF: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(5),
];

/// When an image is pulled: Amazon's `ECS_IMAGE_PULL_BEHAVIOR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImagePullBehavior {
    /// Always; if the pull fails, the image that is here will do.
    #[default]
    Default,
    /// Always; if the pull fails, the task fails.
    Always,
    /// Unless this node has pulled it before.
    Once,
    /// Only if it is not here.
    PreferCached,
}

impl FromStr for ImagePullBehavior {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Self::Default),
            "always" => Ok(Self::Always),
            "once" => Ok(Self::Once),
            "prefer-cached" => Ok(Self::PreferCached),
            other => Err(format!("'{other}' is none of default, always, once, prefer-cached")),
        }
    }
}

/// The image, or the reason that the container gets.
pub(crate) type PullResult = Result<Image, String>;
type SharedPull = Shared<BoxFuture<'static, PullResult>>;

struct UnderWay {
    pull: WeakShared<BoxFuture<'static, PullResult>>,
    progress: Arc<Progress>,
}

/// How far a pull is.
#[derive(Default)]
struct Progress(Mutex<Option<PullProgress>>);

/// The images of one node.
pub(crate) struct Images {
    calls: Arc<EngineCalls>,
    behavior: ImagePullBehavior,
    under_way: Mutex<HashMap<String, UnderWay>>,
    pulled: Arc<Mutex<HashSet<String>>>,
}

impl Images {
    pub(crate) fn new(calls: Arc<EngineCalls>, behavior: ImagePullBehavior) -> Self {
        Self { calls, behavior, under_way: Mutex::default(), pulled: Arc::default() }
    }

    /// Waits until the image is here.
    pub(crate) async fn ensure(&self, reference: &str) -> PullResult {
        self.share(reference).await
    }

    /// How far the pull of this image is; `None` if none is under way or nothing has come yet.
    pub(crate) fn progress(&self, reference: &str) -> Option<PullProgress> {
        let under_way = lock(&self.under_way);
        let found = under_way.get(reference)?;
        let is_wanted = found.pull.upgrade().is_some();
        lock(&found.progress.0).filter(|_| is_wanted)
    }

    fn share(&self, reference: &str) -> SharedPull {
        let mut under_way = lock(&self.under_way);
        under_way.retain(|_, other| other.pull.upgrade().is_some());
        if let Some(pull) = under_way.get(reference).and_then(|found| found.pull.upgrade())
            && pull.peek().is_none()
        {
            return pull;
        }
        let progress = Arc::new(Progress::default());
        let work = Work {
            calls: Arc::clone(&self.calls),
            behavior: self.behavior,
            reference: reference.to_owned(),
            pulled: Arc::clone(&self.pulled),
            progress: Arc::clone(&progress),
        };
        let future: BoxFuture<'static, PullResult> = Box::pin(work.run());
        let pull = future.shared();
        if let Some(weak) = pull.downgrade() {
            under_way.insert(reference.to_owned(), UnderWay { pull: weak, progress });
        }
        pull
    }
}

struct Work {
    calls: Arc<EngineCalls>,
    behavior: ImagePullBehavior,
    reference: String,
    pulled: Arc<Mutex<HashSet<String>>>,
    progress: Arc<Progress>,
}

impl Work {
    /// All attempts.
    async fn run(self) -> PullResult {
        let begun = Instant::now();
        let mut retries = 0;
        loop {
            let (error, cached) = match self.attempt(begun).await {
                Ok(image) => return Ok(image),
                Err(failed) => failed,
            };
            if let Some(image) = cached.filter(|_| self.behavior == ImagePullBehavior::Default) {
                tracing::warn!(image = self.reference, %error, "the pull failed; using the image that is here");
                return Ok(image);
            }
            let pause = BACK_OFF.get(retries as usize).copied().unwrap_or_default();
            let limit = if says_no(&error) { RETRIES_AFTER_NO } else { RETRIES };
            let in_time = self.transferred() || begun.elapsed() + pause < CONNECT_LIMIT;
            if retries >= limit || !in_time {
                return Err(reason::cannot_pull(&error.to_string(), retries, self.transferred()));
            }
            retries += 1;
            sleep(pause).await;
        }
    }

    /// One attempt. With the error comes the image that is here, if one is.
    async fn attempt(&self, begun: Instant) -> Result<Image, (EngineError, Option<Image>)> {
        let local = self.calls.image(&self.reference).await.map_err(|error| (error, None))?;
        if let Some(image) = &local
            && self.is_good_enough(image)
        {
            return Ok(image.clone());
        }
        let progress = |now: PullProgress| *lock(&self.progress.0) = Some(now);
        let pull = self.calls.pull(&self.reference, &progress);
        let pulled = tokio::select! {
            pulled = pull => pulled,
            () = self.silence(begun) => Err(EngineError::Deadline { call: "pull: the registry", seconds: CONNECT_LIMIT.as_secs() }),
        };
        match pulled {
            Ok(image) => {
                lock(&self.pulled).insert(self.reference.clone());
                Ok(image)
            }
            Err(error) => Err((error, local)),
        }
    }

    fn is_good_enough(&self, image: &Image) -> bool {
        if image.repository_digest.is_none() || self.reference.contains("@sha256:") {
            return true;
        }
        match self.behavior {
            ImagePullBehavior::Default | ImagePullBehavior::Always => false,
            ImagePullBehavior::Once => lock(&self.pulled).contains(&self.reference),
            ImagePullBehavior::PreferCached => true,
        }
    }

    fn transferred(&self) -> bool {
        lock(&self.progress.0).is_some()
    }

    /// Returns when nothing has come within the limit; never, once something has.
    async fn silence(&self, begun: Instant) {
        sleep_until(begun + CONNECT_LIMIT).await;
        if self.transferred() {
            std::future::pending::<()>().await;
        }
    }
}

/// Whether the registry has answered, and its answer is no.
fn says_no(error: &EngineError) -> bool {
    const WORDS: [&str; 8] = [
        "not found",
        "manifest unknown",
        "name unknown",
        "does not exist",
        "denied",
        "unauthorized",
        "invalid reference",
        "no matching manifest",
    ];
    match error {
        EngineError::NotFound(_) | EngineError::Unsupported(_) => true,
        EngineError::Refused(text) => {
            let text = text.to_lowercase();
            WORDS.iter().any(|word| text.contains(word))
        }
        _ => false,
    }
}
