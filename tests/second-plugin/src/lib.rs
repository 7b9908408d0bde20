//! A health check that speaks `towpath:plugin@0.2.0` by itself, as a third party of that time may have built it.
//!
//! It exists so that a host that knows later versions is shown to run it. It must never be moved to a later version.

mod bindings {
    #![expect(unsafe_code, reason = "generated")]
    wit_bindgen::generate!({
        path: "../../sdk/wit/0.2",
        world: "health-plugin",
        generate_all,
    });
    use crate::Second;
    export!(Second with_types_in self);
}

use bindings::exports::towpath::plugin::health::{Assessment, Guest, Subjects, Verdict, Window};
use bindings::towpath::plugin::types::{Context, Measurement, Side};
use bindings::towpath::plugin::{clock, http, log, random};

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

/// What there is to set up: nothing. The build reads it from the core module; it is no export of the component.
#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "the contract's own name of what the build reads")]
#[unsafe(export_name = "towpath:settings-schema/health@0.2.0")]
extern "C" fn settings_schema() -> i32 {
    let schema = r#"{"type":"object","additionalProperties":false}"#;
    let returned: &'static [u32; 2] = Box::leak(Box::new([schema.as_ptr() as u32, schema.len() as u32]));
    returned.as_ptr() as i32
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
