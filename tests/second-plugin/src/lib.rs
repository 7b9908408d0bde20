//! A gate, a health check and a target that speak `towpath:plugin@0.2.0` by themselves, as a third party of that time may have built them.
//!
//! They exist so that a host that knows later versions is shown to run them. They must never be moved to a later version.

mod bindings {
    #![expect(unsafe_code, reason = "generated")]
    wit_bindgen::generate!({
        inline: "
            package test:second;
            world all {
                include towpath:plugin/gate-plugin@0.2.0;
                include towpath:plugin/health-plugin@0.2.0;
                include towpath:plugin/target-plugin@0.2.0;
            }
        ",
        path: "../../sdk/wit/0.2",
        world: "test:second/all",
        generate_all,
    });
    use crate::Second;
    export!(Second with_types_in self);
}

use bindings::exports::towpath::plugin::health::{Assessment, Guest, Subjects, Verdict, Window};
use bindings::exports::towpath::plugin::{gate, target};
use bindings::towpath::plugin::types::{Context, Fault, Measurement, Side};
use bindings::towpath::plugin::{clock, http, log, random};

#[path = "../../elder-plugin/src/others.rs"]
mod others;

struct Second;

impl Guest for Second {
    fn assess(context: Context, subjects: Subjects, _: Window) -> Assessment {
        log::line(log::Level::Info, &format!("it is {} ms after 1970", clock::now_ms()));
        let endpoint = subjects.candidate.and_then(|candidate| candidate.endpoint);
        let (verdict, sentence) = match endpoint {
            None => (Verdict::Inconclusive, format!("{} has no candidate", context.service)),
            Some(endpoint) => probe(&endpoint),
        };
        let measured = Measurement {
            name: "random-bytes".to_owned(),
            value: random::bytes(8).len() as f64,
            unit: "1".to_owned(),
            side: Some(Side::Candidate),
            limit: Some(8.0),
        };
        Assessment { verdict, measurements: vec![measured], sentence, state: None, next_look_ms: None }
    }
}

impl gate::Guest for Second {
    fn evaluate(context: Context, evidence: Vec<gate::Evidence>) -> gate::Answer {
        others::evaluate(&context, &evidence)
    }
}

impl target::Guest for Second {
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
}

/// What there is to set up: nothing. The build reads it from the core module; it is no export of the component.
#[cfg(target_arch = "wasm32")]
mod schemas {
    #![expect(unsafe_code, reason = "the contract's own names of what the build reads")]

    const SCHEMA: &str = r#"{"type":"object","additionalProperties":false}"#;

    #[unsafe(export_name = "towpath:settings-schema/gate@0.2.0")]
    extern "C" fn gate() -> i32 {
        schema()
    }

    #[unsafe(export_name = "towpath:settings-schema/health@0.2.0")]
    extern "C" fn health() -> i32 {
        schema()
    }

    #[unsafe(export_name = "towpath:settings-schema/target@0.2.0")]
    extern "C" fn target() -> i32 {
        schema()
    }

    fn schema() -> i32 {
        let returned: &'static [u32; 2] = Box::leak(Box::new([SCHEMA.as_ptr() as u32, SCHEMA.len() as u32]));
        returned.as_ptr() as i32
    }
}

fn probe(endpoint: &str) -> (Verdict, String) {
    let request = http::Request {
        method: "GET".to_owned(),
        url: format!("http://{endpoint}/"),
        headers: Vec::new(),
        body: Vec::new(),
        timeout_ms: 2_000,
        redirects_max: 1,
    };
    match http::fetch(&request) {
        Ok(answer) if answer.status == 200 => (Verdict::Healthy, String::from_utf8_lossy(&answer.body).into_owned()),
        Ok(answer) => (Verdict::Unhealthy, format!("status {}", answer.status)),
        Err(error) => (Verdict::Unhealthy, format!("{error:?}")),
    }
}
