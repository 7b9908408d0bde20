//! The target against a service in memory.

use std::sync::{Arc, Mutex};

use towpath_sdk::powers::http;
use towpath_sdk::target::{Call, Desired, Progress, SideDesired, Target};
use towpath_sdk::testing::{World, context, in_world};

use super::{Plugin, Settings};

/// A service with one document; its version is the number of writes.
#[derive(Clone, Default)]
struct Service(Arc<Mutex<(u32, Option<Vec<u8>>)>>);

impl World for Service {
    fn fetch(&mut self, request: &http::Request) -> Result<http::Response, http::Error> {
        assert_eq!(request.url, "http://service.test/documents/web/test");
        let (writes, document) = &mut *self.0.lock().expect("one thread");
        let version = format!("\"{writes}\"");
        let answer = |status, body| http::Response { status, headers: vec![("etag".to_owned(), version.clone())], body, elapsed_ms: 1 };
        if request.method == "GET" {
            return Ok(document.clone().map_or_else(|| answer(404, Vec::new()), |body| answer(200, body)));
        }
        let matches = request.headers.iter().all(|(name, value)| match name.as_str() {
            "if-match" => *value == version,
            _ => document.is_none(),
        });
        if !matches {
            return Ok(answer(412, Vec::new()));
        }
        (*writes, *document) = (*writes + 1, Some(request.body.clone()));
        Ok(answer(204, Vec::new()))
    }
}

fn call(fence: u64) -> Call<Settings> {
    let settings = Settings { url: "http://service.test/documents/".to_owned() };
    Call { context: towpath_sdk::Context { fence, ..context("{}") }, settings }
}

fn desired(release: &str) -> Desired {
    let side = SideDesired {
        release: release.to_owned(),
        artifact_reference: String::new(),
        artifact_digest: format!("sha256:{release}"),
        configuration: "{}".to_owned(),
        capacity_percent: 100,
    };
    Desired { stable: Some(side), candidate: None, traffic: None }
}

/// Calls until it is no longer on its way.
fn settle(fence: u64, release: &str) -> Progress {
    let step = || Plugin::reconcile(&call(fence), &desired(release));
    (0..5).map(|_| step()).find(|progress| !matches!(progress, Progress::InProgress(_))).expect("it settles")
}

#[test]
fn it_converges_and_writes_once() {
    let service = Service::default();
    in_world(service.clone(), || {
        assert!(matches!(settle(1, "v1"), Progress::Converged(_)));
        assert!(matches!(settle(1, "v1"), Progress::Converged(_)));
        let seen = Plugin::observe(&call(0)).expect("seen");
        assert_eq!((seen.sides[0].release.as_str(), seen.highest_fence), ("v1", 1));
    });
    assert_eq!(service.0.lock().expect("one thread").0, 1);
}

#[test]
fn what_is_of_the_past_is_refused() {
    in_world(Service::default(), || {
        assert!(matches!(settle(7, "v2"), Progress::Converged(_)));
        assert!(matches!(settle(6, "v1"), Progress::Superseded(7)));
        assert_eq!(Plugin::observe(&call(0)).expect("seen").sides[0].release, "v2");
    });
}
