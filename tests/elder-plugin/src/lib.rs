//! A health check that speaks `towpath:plugin@0.1.0` by itself, as a third party of that time may have built it.
//!
//! It exists so that a host that knows later versions is shown to run it. It must never be moved to a later version.

mod bindings {
    #![expect(unsafe_code, reason = "generated")]
    wit_bindgen::generate!({
        path: "../../sdk/wit/0.1",
        world: "health-plugin",
        generate_all,
    });
    use crate::Elder;
    export!(Elder with_types_in self);
}

use bindings::exports::towpath::plugin::health::{Assessment, Guest, Subjects, Verdict, Window};
use bindings::towpath::plugin::types::Context;
use bindings::towpath::plugin::{clock, http, log};

struct Elder;

impl Guest for Elder {
    fn assess(context: Context, subjects: Subjects, _: Window) -> Assessment {
        log::line(log::Level::Info, &format!("it is {} ms after 1970", clock::now_ms()));
        let endpoint = subjects.candidate.and_then(|candidate| candidate.endpoint);
        let (verdict, sentence) = match endpoint {
            None => (Verdict::Inconclusive, format!("{} has no candidate", context.service)),
            Some(endpoint) => probe(&endpoint),
        };
        Assessment { verdict, measurements: Vec::new(), sentence, state: None, next_look_ms: None }
    }

    fn settings_schema() -> String {
        r#"{"type":"object","additionalProperties":false}"#.to_owned()
    }
}

fn probe(endpoint: &str) -> (Verdict, String) {
    let request = http::Request {
        method: "GET".to_owned(),
        url: format!("http://{endpoint}/"),
        headers: Vec::new(),
        body: Vec::new(),
        timeout_ms: 2_000,
    };
    match http::fetch(&request) {
        Ok(answer) if answer.status == 200 => (Verdict::Healthy, String::from_utf8_lossy(&answer.body).into_owned()),
        Ok(answer) => (Verdict::Unhealthy, format!("status {}", answer.status)),
        Err(error) => (Verdict::Unhealthy, format!("{error:?}")),
    }
}
