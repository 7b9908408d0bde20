//! The plugins of `examples/`, as operators would install them: a gate in JavaScript and a health check in Python let a good release
//! through and stop bad ones, and a target in Rust tells a service what to run. All of it through a real server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use test_plugins::Workshop;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::rig::{Rig, wait_for};

/// Builds a plugin of `examples/`, installs it, and returns its page.
fn install(rig: &Rig, name: &str) -> Value {
    let path = rig.folder.path().join(format!("{name}.wasm"));
    std::fs::write(&path, Workshop::at(env!("CARGO_TARGET_TMPDIR")).example(name)).unwrap();
    let page = rig.ask(&["plugin", "install", &path.display().to_string(), "--yes"]);
    assert_eq!(page["state"], "current", "{page}");
    page
}

fn grant(rig: &Rig, name: &str, powers: &str) {
    rig.ask(&["plugin", "grant", name, "--environment", "local", "--powers", powers]);
}

/// Puts the gate in JavaScript and the check in Python in the place of the path's own.
fn in_other_languages(path: String) -> String {
    let gate = "  - use: gate-coverage-js\n    with: { linesMin: 80 }\n";
    let own = "  - use: gate-junit\n    with: { failuresMax: 0, testsMin: 1 }\n    when: parameters.requireTests || environment.tier == 'production'\n";
    let check = "use: health-latency-py\n    with: { samplesPerLook: 2, samplesMin: 4, percentile: 50, latencyMsMax: 800, timeoutMs: 5000 }";
    let probe = "use: health-http\n    with: { path: \"${parameters.readinessPath}\" }";
    assert!(path.contains(own) && path.contains(probe), "the example has another form now");
    path.replace(own, gate).replace(probe, check)
}

/// Releases the example service with a coverage report, and returns how its deployment ends.
fn deploy(rig: &Rig, label: &str, knobs: &str, lines_hit: u32) -> Value {
    let report = rig.file(&format!("{label}.lcov"), &format!("SF:main.rs\nLF:100\nLH:{lines_hit}\nend_of_record\n"));
    rig.release_with(label, knobs, &["--evidence", &format!("lcov={report}")]);
    rig.wait_for_end(&rig.deploy(label))
}

#[test]
fn a_gate_in_javascript_and_a_health_check_in_python_decide_about_releases() {
    let rig = Rig::start();
    install(&rig, "gate-coverage-js");
    install(&rig, "health-latency-py");
    grant(&rig, "health-latency-py", r#"{"http": {"subjects": true}}"#);
    rig.register_changed(in_other_languages);

    let good = deploy(&rig, "good", "", 93);
    assert_eq!(good["phase"], "succeeded", "{good}");
    let story = good.to_string();
    assert!(story.contains("93.0% of the lines are covered"), "the gate's sentence: {story}");

    let thin = deploy(&rig, "thin", "", 41);
    assert_ne!(thin["phase"], "succeeded", "{thin}");
    assert!(thin.to_string().contains("41.0% of the lines are covered, at least 80% must be"), "{thin}");

    let slow = deploy(&rig, "slow", "DELAY_MS=1500", 93);
    assert_eq!(slow["phase"], "rolled-back", "{slow}");
    assert!(slow.to_string().contains("at most 800 ms is allowed"), "{slow}");

    let page = rig.ask(&["plugin", "inspect", "health-latency-py"]);
    assert!(page["usage"].to_string().contains("http"), "{page}");
}

/// A service that keeps one document, with a version, and every document that it had; it answers for the sides that the document names.
struct Service {
    documents: SocketAddr,
    stable: SocketAddr,
    candidate: SocketAddr,
    kept: Kept,
    // What serves ends with it.
    _runtime: Runtime,
}

/// The documents, oldest first.
type Kept = Arc<Mutex<Vec<Value>>>;

impl Service {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let kept = Kept::default();
        let serve = |answer: fn(&Kept, &Parts, &[u8]) -> Response<Full<Bytes>>| serve(&runtime, &kept, answer);
        let (documents, stable, candidate) =
            (serve(document), serve(|kept, _, _| side(kept, "stable")), serve(|kept, _, _| side(kept, "candidate")));
        Self { documents, stable, candidate, kept, _runtime: runtime }
    }

    fn all(&self) -> Vec<Value> {
        self.kept.lock().unwrap().clone()
    }

    /// Returns the environment that deploys to it.
    fn environment(&self) -> String {
        let Self { documents, stable, candidate, .. } = self;
        format!(
            "apiVersion: towpath.dev/v1\nkind: Environment\nmetadata: {{ name: local }}\ntier: development\n\
             target:\n  use: target-documents\n  with:\n    url: http://{documents}/deploy\n    \
             endpoints: {{ stable: \"{stable}\", candidate: \"{candidate}\" }}\n"
        )
    }
}

/// Serves on a port of its own until the runtime is gone.
fn serve(runtime: &Runtime, kept: &Kept, answer: fn(&Kept, &Parts, &[u8]) -> Response<Full<Bytes>>) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let kept = Arc::clone(kept);
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let kept = Arc::clone(&kept);
            let service = service_fn(move |request: Request<Incoming>| {
                let kept = Arc::clone(&kept);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await?.to_bytes();
                    Ok::<_, hyper::Error>(answer(&kept, &head, &body))
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

/// Answers as a service does that knows versions: a write that does not name the version that is there changes nothing.
fn document(kept: &Kept, head: &Parts, body: &[u8]) -> Response<Full<Bytes>> {
    let mut documents = kept.lock().unwrap();
    let version = format!("\"{}\"", documents.len());
    let status = match head.method {
        _ if head.uri.path() != "/deploy/web/local" => StatusCode::NOT_IMPLEMENTED,
        Method::GET if documents.is_empty() => StatusCode::NOT_FOUND,
        Method::GET => {
            let found = Response::builder().header(ETAG, version);
            return found.body(Full::new(documents.last().unwrap().to_string().into())).unwrap();
        }
        Method::PUT | Method::PATCH => {
            let fits = match head.headers.get(IF_MATCH) {
                Some(wanted) => wanted.as_bytes() == version.as_bytes(),
                None => head.headers.contains_key(IF_NONE_MATCH) && documents.is_empty(),
            };
            if fits {
                let mut written = documents.last().cloned().filter(|_| head.method == Method::PATCH).unwrap_or_default();
                merge(&mut written, serde_json::from_slice(body).unwrap());
                documents.push(written);
            }
            if fits { StatusCode::NO_CONTENT } else { StatusCode::PRECONDITION_FAILED }
        }
        _ => StatusCode::METHOD_NOT_ALLOWED,
    };
    empty(status)
}

/// Changes a document as a merge patch says.
fn merge(document: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *document = patch;
        return;
    };
    if !document.is_object() {
        *document = Value::Object(serde_json::Map::new());
    }
    for (name, value) in patch {
        match value {
            Value::Null => drop(document.as_object_mut().unwrap().remove(&name)),
            value => merge(&mut document[name], value),
        }
    }
}

/// Answers for a side: well if the document says that it runs.
fn side(kept: &Kept, side: &str) -> Response<Full<Bytes>> {
    let runs = kept.lock().unwrap().last().is_some_and(|document| document[side].is_object());
    empty(if runs { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::default()).unwrap()
}

/// What a document says: what is stable, what is the candidate, and the candidate's weight.
fn runs(document: &Value) -> (Option<&str>, Option<&str>, u64) {
    let release = |side: &str| document[side]["release"].as_str();
    (release("stable"), release("candidate"), document["candidateBasisPoints"].as_u64().unwrap())
}

/// The fence of a document's writer.
fn fence(document: &Value) -> u64 {
    document["labels"]["towpath-fence"].as_str().unwrap().parse().unwrap()
}

/// Leaves out the check that asks the local runtime for its traffic.
fn without_the_routers_numbers(path: String) -> String {
    let (before, rest) = path.split_once("  # Nobody calls a service").expect("the example's second check");
    let (_, after) = rest.split_once("\nsoak:").expect("what comes after the checks");
    format!("{before}\nsoak:{after}")
}

#[test]
fn a_target_in_rust_tells_a_service_what_to_run() {
    let service = Service::start();
    let rig = Rig::start();
    install(&rig, "target-documents");
    rig.register_changed(without_the_routers_numbers);
    rig.ask(&["environment", "apply", &rig.file("documents.yaml", &service.environment())]);
    rig.release("a", "");
    let refused = rig.deploy("a");
    wait_for("the refusal with the line that grants it", || {
        String::from_utf8(rig.run(&["show", &refused]).stdout).unwrap().contains("may not use").then_some(())
    });
    let (host, port) = (service.documents.ip(), service.documents.port());
    let rule = format!(
        r#"{{"scheme": "http", "host": "{host}", "port": {port}, "methods": ["GET", "PUT", "PATCH"], "path": "/deploy", "private": true}}"#
    );
    assert_eq!(service.all(), Vec::<Value>::new(), "nothing was written without a grant");
    grant(&rig, "target-documents", &format!(r#"{{"http": {{"allow": [{rule}]}}}}"#));
    // Its way back waited for the grant, too: nobody could say that nothing was there.
    assert_ne!(rig.wait_for_end(&refused)["phase"], "succeeded");

    for label in ["a", "b"] {
        if label != "a" {
            rig.release(label, "");
        }
        let ended = rig.wait_for_end(&rig.deploy(label));
        assert_eq!(ended["phase"], "succeeded", "{ended}");
    }
    let written = service.all();
    let weights: Vec<_> = written.iter().map(|document| runs(document).2).collect();
    assert!([500, 2_500, 5_000].iter().all(|weight| weights.contains(weight)), "the steps of the canary: {weights:?}");
    assert!(written.is_sorted_by_key(fence), "no older writer came late: {written:?}");
    let (stable, candidate, _) = runs(written.last().unwrap());
    assert!(stable.xor(candidate).is_some(), "one release alone is left: {written:?}");
}
