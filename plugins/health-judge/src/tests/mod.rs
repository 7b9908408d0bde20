//! Verdicts over a scripted Prometheus and a scripted server's telemetry.

mod kayenta;
mod prometheus;
mod telemetry;

use towpath_sdk::HealthCheck;
use towpath_sdk::health::{Assessment, Look, Subject, Subjects, Verdict, Window};
use towpath_sdk::testing::conformance::{self, HealthCase};
use towpath_sdk::testing::{World, context, in_world};

use super::HealthJudge;

/// When the watch of the tests began.
const STARTED_MS: i64 = 1_000_000;

/// Takes looks, each with what the last one left.
struct Watching {
    settings: String,
    state: Option<Vec<u8>>,
}

impl Watching {
    fn new(settings: &str) -> Self {
        Self { settings: settings.to_owned(), state: None }
    }

    /// Looks so many seconds after the watch began.
    fn look(&mut self, seconds: i64, world: impl World + 'static) -> Assessment {
        let mut context = context(&self.settings);
        context.now_ms = STARTED_MS + seconds * 1_000;
        context.state = self.state.take();
        let subject = |release: &str, basis_points| Subject { basis_points, ..Subject::new(release) };
        let look = Look {
            settings: serde_json::from_str(&self.settings).unwrap_or_else(|error| panic!("{}: {error}", self.settings)),
            context,
            subjects: Subjects {
                stable: Some(subject("v1", 9_000)),
                candidate: Some(subject("v2", 1_000)),
                public_endpoint: None,
            },
            window: Window { started_ms: STARTED_MS, ends_ms: STARTED_MS + 600_000 },
        };
        let found = in_world(world, || HealthJudge::assess(&look));
        self.state.clone_from(&found.state);
        found
    }
}

/// Returns the settings of one metric of shares from Prometheus, with more settings behind.
fn errors_of_prometheus(more: &str) -> String {
    format!(
        r#"{{ "prometheus": {{ "url": "http://prometheus:9090" }}, "metrics": [{{ "name": "error rate", "judge": {{ "shares": {{
            "events": {{ "prometheus": "requests{{release=\"$release\",code=~\"5..\"}}" }},
            "trials": {{ "prometheus": "requests{{release=\"$release\"}}" }} }} }} }}]{more} }}"#
    )
}

#[test]
fn the_examples_of_the_readme_can_be_judged_by() {
    let texts: Vec<&str> = include_str!("../../README.md").split("```json\n").skip(1).collect();
    assert_eq!(texts.len(), 4);
    for text in texts {
        let text = text.split("```").next().expect("an end");
        let settings: super::Settings = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
        assert_eq!(settings.check(), Ok(()), "{text}");
    }
}

#[test]
fn settings_that_nothing_can_be_judged_by_are_errors() {
    let check = |settings: &str, sentence: &str| {
        let found = Watching::new(settings).look(1, Nothing);
        assert_eq!((found.verdict, found.sentence.as_str()), (Verdict::Error, sentence), "{settings}");
    };
    check("{}", "either metrics or kayenta must be set; without any nothing is judged");
    check(&errors_of_prometheus(r#", "candidateMin": 0"#), "candidateMin is 0, expected at least 1");
    check(&errors_of_prometheus(r#", "against": { "weeks": 9 }"#), "against weeks is 9, expected 1 to 8");
    let telemetry = r#"{ "telemetry": { "metric": "m" } }"#;
    let shares = |name: &str| {
        format!(r#"{{ "name": "{name}", "judge": {{ "shares": {{ "events": {telemetry}, "trials": {telemetry} }} }} }}"#)
    };
    check(&format!(r#"{{ "metrics": [{}] }}"#, shares(" ")), "a metric has no name");
    check(
        &format!(r#"{{ "against": {{ "weeks": 1 }}, "metrics": [{}] }}"#, shares("a")),
        "only prometheus remembers weeks; select from it, or judge by what is usual",
    );
    check(&format!(r#"{{ "metrics": [{}, {}] }}"#, shares("a"), shares("a")), "a metric's name must be its own, found a twice");
    check(
        r#"{ "metrics": [{ "name": "a", "judge": { "limit": { "events": { "prometheus": "a" }, "trials": { "prometheus": "b" }, "limit": 0.1 } } }] }"#,
        "a metric selects from prometheus, but prometheus.url is not set",
    );
    let times = |above: &str| {
        format!(
            r#"{{ "metrics": [{{ "name": "a", "judge": {{ "times": {{ "histogram": {telemetry}, "above": [{above}] }} }} }}] }}"#
        )
    };
    check(&times(""), "a has 0 bounds in above, expected 1 to 8");
    let many = vec![shares("a"); 21].join(",");
    check(&format!(r#"{{ "metrics": [{many}] }}"#), "there are 21 metrics, expected 1 to 20");
}

/// A world that nobody should ask.
struct Nothing;

impl World for Nothing {}

#[test]
fn without_a_candidate_nothing_is_known() {
    let mut look = Look {
        context: context(""),
        settings: serde_json::from_str(&errors_of_prometheus("")).expect("settings"),
        subjects: Subjects { stable: Some(Subject::new("v1")), candidate: None, public_endpoint: None },
        window: Window { started_ms: 0, ends_ms: 1 },
    };
    look.context.now_ms = 5;
    let found = in_world(Nothing, || HealthJudge::assess(&look));
    assert_eq!((found.verdict, found.sentence.as_str()), (Verdict::Inconclusive, "there is no candidate that could be judged"));
}

#[test]
fn it_does_what_every_health_check_owes() {
    let settings = errors_of_prometheus(r#", "candidateMin": 1"#);
    let world = || Box::new(prometheus::Scraped::healthy()) as Box<dyn World>;
    conformance::health::<HealthJudge>(&HealthCase::new(&settings, world).without_endpoint());
}
