//! A gate, a health check and a target that speak `towpath:plugin@0.1.0` by themselves, as a third party of that time may have built them.
//!
//! They exist so that a host that knows later versions is shown to run them. They must never be moved to a later version.

mod bindings {
    #![expect(unsafe_code, reason = "generated")]
    wit_bindgen::generate!({
        inline: "
            package test:elder;
            world all {
                include towpath:plugin/gate-plugin@0.1.0;
                include towpath:plugin/health-plugin@0.1.0;
                include towpath:plugin/target-plugin@0.1.0;
            }
        ",
        path: "../../sdk/wit/0.1",
        world: "test:elder/all",
        generate_all,
    });
    use crate::Elder;
    export!(Elder with_types_in self);
}

use bindings::exports::towpath::plugin::health::{Assessment, Guest, Subjects, Verdict, Window};
use bindings::exports::towpath::plugin::{gate, target};
use bindings::towpath::plugin::types::{Context, Fault};
use bindings::towpath::plugin::{clock, http, log};

mod others;

/// What there is to set up: nothing.
const SCHEMA: &str = r#"{"type":"object","additionalProperties":false}"#;

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
        SCHEMA.to_owned()
    }
}

impl gate::Guest for Elder {
    fn evaluate(context: Context, evidence: Vec<gate::Evidence>) -> gate::Answer {
        others::evaluate(&context, &evidence)
    }

    fn settings_schema() -> String {
        SCHEMA.to_owned()
    }
}

impl target::Guest for Elder {
    fn describe(settings: String) -> Result<target::Descriptor, Fault> {
        others::describe(&settings)
    }

    fn observe(context: Context) -> Result<target::Observation, Fault> {
        others::observe(context)
    }

    fn reconcile(context: Context, desired: target::Desired) -> target::Progress {
        others::reconcile(context, desired)
    }

    fn preview(_: Context, desired: target::Desired) -> Result<Vec<String>, Fault> {
        others::preview(&desired)
    }

    fn settings_schema() -> String {
        SCHEMA.to_owned()
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
