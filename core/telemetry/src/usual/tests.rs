use std::sync::Arc;

use async_trait::async_trait;
use model::{EnvironmentName, ServiceName};

use super::*;
use crate::point::{Identity, Kind, Point, Share, Span, Writer};
use crate::sums::Sums;
use crate::telemetry::Telemetry;
use crate::usual::shelf::{MemoryShelf, Shelf, ShelfError};

/// A Monday.
const T: i64 = 1_795_392_000_000;

fn scope() -> Scope {
    Scope { service: ServiceName::new("web").unwrap(), environment: EnvironmentName::new("production").unwrap() }
}

/// So many requests that took so long each, with this status.
fn requests(metric: &str, release: &str, status: &str, at_ms: i64, count: u64, each: f64) -> Point {
    let attributes = vec![("http.response.status_code".to_owned(), status.to_owned())];
    let identity = Identity::new(&metric.into(), &release.into(), attributes, Share::Own).unwrap();
    let buckets = Some(crate::buckets::Buckets::unbounded(count));
    let sums = Sums { count, sum: count as f64 * each, buckets, ..Sums::default() };
    let at_ns = u64::try_from(at_ms).unwrap() * 1_000_000;
    let (kind, span, writer) = (Kind::Distribution, Span::Own, Writer(1));
    Point { identity, unit: "s".into(), writer, kind, span, at_ns, start_ns: 0, sums }
}

fn stable(release: &str) -> impl Fn(&Scope) -> Vec<String> + use<> {
    let names = vec![format!("id of {release}"), release.to_owned()];
    move |_| names.clone()
}

/// Sends what each minute has, and learns it.
fn run(telemetry: &Telemetry, minutes: std::ops::Range<i64>, now_stable: &str, sent: impl Fn(i64) -> Vec<Point>) {
    for minute in minutes {
        let at_ms = T + minute * MINUTE_MS + 1_000;
        assert_eq!(telemetry.take(&scope(), sent(at_ms), at_ms).refused, 0);
        telemetry.learn(stable(now_stable), at_ms + MINUTE_MS / 2);
    }
}

fn usual(telemetry: &Telemetry, aspect: Aspect) -> Option<Expectation> {
    telemetry.usual(&scope(), "time", aspect, T).unwrap()
}

#[test]
fn minutes_of_the_stable_release_are_learnt() {
    let telemetry = Telemetry::default();
    run(&telemetry, 0..31, "v1", |at_ms| {
        vec![requests("time", "v1", "200", at_ms, 90, 0.5), requests("time", "v1", "503", at_ms, 30, 0.1)]
    });
    let known = |aspect| usual(&telemetry, aspect).map(|usual| (usual.minutes, usual.mean));
    assert_eq!(known(Aspect::Mean), Some((30, 0.4)), "the last minute is not over");
    assert_eq!(known(Aspect::Errors), Some((30, 0.25)));
    assert_eq!(known(Aspect::Rate), Some((29, 2.0)));
    assert_eq!(usual(&telemetry, Aspect::Mean).unwrap().drift, None);
    assert_eq!(telemetry.usual(&scope(), "time", Aspect::Mean, T + 3_600_000), Ok(None), "another hour");
    assert_eq!(telemetry.usual(&scope(), "other", Aspect::Mean, T), Ok(None));
    assert!(telemetry.usual(&scope(), "", Aspect::Mean, T).is_err());
}

#[test]
fn a_deployment_in_progress_does_not_disturb_what_is_usual() {
    let telemetry = Telemetry::default();
    run(&telemetry, 0..20, "v1", |at_ms| vec![requests("time", "v1", "200", at_ms, 120, 0.5)]);
    let before = (usual(&telemetry, Aspect::Mean).unwrap().mean, usual(&telemetry, Aspect::Rate).unwrap());
    run(&telemetry, 20..40, "v1", |at_ms| {
        vec![requests("time", "v1", "200", at_ms, 60, 0.5), requests("time", "v2", "500", at_ms, 60, 9.0)]
    });
    let after = usual(&telemetry, Aspect::Rate).unwrap();
    assert_eq!((usual(&telemetry, Aspect::Mean).unwrap().mean, after.mean), (before.0, before.1.mean));
    assert_eq!(usual(&telemetry, Aspect::Errors).unwrap().mean, 0.0);
    assert!(usual(&telemetry, Aspect::Mean).unwrap().minutes > 35, "stable goes on being learnt from");
    assert_eq!(after.minutes, before.1.minutes + 1, "but not how much comes: the traffic is shared");
}

#[test]
fn where_nothing_is_stable_nothing_is_learnt() {
    let telemetry = Telemetry::default();
    for minute in 0..5 {
        let at_ms = T + minute * MINUTE_MS;
        telemetry.take(&scope(), vec![requests("time", "v1", "200", at_ms, 1, 1.0)], at_ms);
        telemetry.learn(|_| Vec::new(), at_ms + MINUTE_MS / 2);
    }
    assert_eq!(usual(&telemetry, Aspect::Mean), None);
}

#[test]
fn minutes_are_learnt_once_and_long_pauses_are_passed_over() {
    let telemetry = Telemetry::default();
    for minute in 0..20 {
        let at_ms = T + minute * MINUTE_MS;
        telemetry.take(&scope(), vec![requests("time", "v1", "200", at_ms, 1, 1.0)], at_ms);
    }
    let now_ms = T + 20 * MINUTE_MS + MINUTE_MS / 2;
    (0..3).for_each(|_| telemetry.learn(stable("v1"), now_ms));
    assert_eq!(usual(&telemetry, Aspect::Mean).unwrap().minutes, 1, "what was stable earlier is not known");
    telemetry.learn(stable("v1"), now_ms + MINUTE_MS);
    assert_eq!(usual(&telemetry, Aspect::Mean).unwrap().minutes, 1, "nothing came");
}

fn many(at_ms: i64) -> Vec<Point> {
    (0..METRICS_LEARNT_PER_SCOPE_MAX + 3).map(|at| requests(&format!("m{at:03}"), "v1", "200", at_ms, 1, 1.0)).collect()
}

#[test]
fn metrics_that_are_asked_about_come_before_others() {
    let telemetry = Telemetry::default();
    run(&telemetry, 0..3, "v1", many);
    let view = telemetry.learnt(T);
    assert_eq!((view[0].metrics.len(), view[0].passed_over), (METRICS_LEARNT_PER_SCOPE_MAX, 3));
    let last = format!("m{:03}", METRICS_LEARNT_PER_SCOPE_MAX + 2);
    let ask = || telemetry.usual(&scope(), &last, Aspect::Mean, T).unwrap();
    assert_eq!(ask(), None);
    run(&telemetry, 3..6, "v1", many);
    assert!(ask().is_some());
    let view = telemetry.learnt(T);
    assert_eq!((view[0].metrics.len(), view[0].passed_over), (METRICS_LEARNT_PER_SCOPE_MAX, 3));
    let shown = view[0].metrics.iter().find(|known| known.metric == last).unwrap();
    assert_eq!(shown.usual.iter().find(|(aspect, _)| *aspect == Aspect::Mean).map(|(_, usual)| *usual), ask());
}

#[tokio::test]
async fn what_is_usual_outlives_a_restart() {
    let shelf = MemoryShelf::default();
    let telemetry = Telemetry::default();
    run(&telemetry, 0..10, "v1", |at_ms| vec![requests("time", "v1", "200", at_ms, 60, 0.5)]);
    telemetry.save(&shelf).await.unwrap();
    let again = Telemetry::default();
    assert_eq!(again.restore(&shelf).await, Ok(Vec::new()));
    for aspect in Aspect::ALL {
        assert_eq!(usual(&again, aspect), usual(&telemetry, aspect), "{aspect:?}");
    }
    run(&again, 10..20, "v1", |at_ms| vec![requests("time", "v1", "200", at_ms, 60, 0.5)]);
    assert_eq!(usual(&again, Aspect::Mean).unwrap().minutes, 18, "it goes on where it was");
}

#[tokio::test]
async fn records_of_what_is_gone_are_removed() {
    let shelf = MemoryShelf::default();
    let telemetry = Telemetry::default();
    run(&telemetry, 0..3, "v1", |at_ms| vec![requests("time", "v1", "200", at_ms, 60, 0.5)]);
    telemetry.save(&shelf).await.unwrap();
    assert_eq!(shelf.all().await.unwrap().into_iter().map(|kept| kept.key).collect::<Vec<_>>(), ["web/production/time"]);
    telemetry.learn(stable("v1"), T + 40 * 86_400_000);
    telemetry.save(&shelf).await.unwrap();
    assert_eq!(shelf.all().await.unwrap(), []);
    assert_eq!(usual(&telemetry, Aspect::Mean), None);
}

#[tokio::test]
async fn what_was_forgotten_and_is_learnt_again_keeps_its_record() {
    let shelf = MemoryShelf::default();
    let telemetry = Telemetry::default();
    let sent = |at_ms| vec![requests("time", "v1", "200", at_ms, 60, 0.5)];
    run(&telemetry, 0..3, "v1", sent);
    telemetry.save(&shelf).await.unwrap();
    let later = 40 * 24 * 60;
    telemetry.learn(stable("v1"), T + later * MINUTE_MS);
    run(&telemetry, later..later + 3, "v1", sent);
    telemetry.save(&shelf).await.unwrap();
    assert_eq!(shelf.all().await.unwrap().len(), 1);
}

/// A shelf that can be told to fail.
#[derive(Default)]
struct Failing {
    shelf: MemoryShelf,
    fails: std::sync::atomic::AtomicBool,
}

impl Failing {
    fn works(&self) -> Result<(), ShelfError> {
        match self.fails.load(std::sync::atomic::Ordering::Relaxed) {
            true => Err(ShelfError("the disk is full".to_owned())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Shelf for Failing {
    async fn keep(&self, kept: Kept) -> Result<(), ShelfError> {
        self.works()?;
        self.shelf.keep(kept).await
    }

    async fn all(&self) -> Result<Vec<Kept>, ShelfError> {
        self.works()?;
        self.shelf.all().await
    }

    async fn remove(&self, key: &str) -> Result<(), ShelfError> {
        self.works()?;
        self.shelf.remove(key).await
    }
}

#[tokio::test]
async fn what_could_not_be_written_is_written_the_next_time() {
    let failing = Arc::new(Failing::default());
    let telemetry = Telemetry::default();
    run(&telemetry, 0..3, "v1", |at_ms| vec![requests("time", "v1", "200", at_ms, 60, 0.5)]);
    let fail = |fails| failing.fails.store(fails, std::sync::atomic::Ordering::Relaxed);
    fail(true);
    assert_eq!(telemetry.save(&*failing).await, Err(ShelfError("the disk is full".to_owned())));
    fail(false);
    telemetry.save(&*failing).await.unwrap();
    assert_eq!(failing.shelf.all().await.unwrap().len(), 1);
    telemetry.learn(stable("v1"), T + 40 * 86_400_000);
    fail(true);
    assert!(telemetry.save(&*failing).await.is_err());
    fail(false);
    telemetry.save(&*failing).await.unwrap();
    assert_eq!(failing.shelf.all().await.unwrap(), []);
}
