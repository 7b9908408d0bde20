//! What every plugin owes, asked of good ones, and of some that do not keep it.

use plugin_host::Kind;
use plugin_tool::ToolError;
use plugin_tool::conform::{Outcome, Proof, TestOptions, test};
use serde_json::json;

use crate::fixture::{bundled, now_ms, workshop};

/// Has a plugin prove itself.
pub(crate) async fn prove_all(component: Vec<u8>, case: Vec<u8>) -> Vec<Proof> {
    let options =
        TestOptions { component, case: Some(case), folder: test_plugins::workspace(), cache_dir: Some(workshop().compiled()) };
    test(&options, now_ms).await.expect("the questions are asked")
}

fn all_hold(proofs: &[Proof]) {
    assert!(proofs.len() >= 10, "{proofs:#?}");
    assert!(proofs.iter().all(|proof| proof.outcome == Outcome::Holds), "{proofs:#?}");
}

/// Returns what was seen where this question's answer is not what it should be.
fn broken<'a>(proofs: &'a [Proof], check: &str) -> &'a str {
    let found = proofs.iter().find(|proof| proof.check == check).unwrap_or_else(|| panic!("{check} was not asked"));
    match &found.outcome {
        Outcome::Broken(why) => why,
        other => panic!("{check}: {other:?}"),
    }
}

fn example(name: &str) -> (Vec<u8>, Vec<u8>) {
    let case = std::fs::read(test_plugins::workspace().join("examples").join(name).join("case.json")).expect("a case");
    (workshop().example(name), case)
}

#[tokio::test]
async fn the_examples_keep_what_every_plugin_owes() {
    for name in ["gate-coverage-js", "health-latency-py", "target-documents"] {
        let (component, case) = example(name);
        all_hold(&prove_all(component, case).await);
    }
}

#[tokio::test]
async fn first_party_plugins_keep_it_too() {
    let junit = |failures: &str| json!({ "kind": "junit", "content": { "text": format!("<testsuite><testcase name=\"a\">{failures}</testcase></testsuite>") } });
    let case = json!({ "gate": { "pass": [junit("")], "fail": [junit("<failure/>")] } });
    all_hold(&prove_all(bundled("gate-junit"), case.to_string().into()).await);
    let case = json!({
        "settings": { "path": "/healthz" },
        "health": { "healthy": [{ "path": "/healthz", "status": 200 }], "unhealthy": [{ "path": "/healthz", "status": 500 }] },
    });
    all_hold(&prove_all(bundled("health-http"), case.to_string().into()).await);
}

#[tokio::test]
async fn without_a_case_it_says_what_was_not_asked() {
    let options =
        TestOptions { component: bundled("gate-junit"), cache_dir: Some(workshop().compiled()), ..TestOptions::default() };
    let proofs = test(&options, now_ms).await.expect("the questions are asked");
    let not_asked: Vec<_> =
        proofs.iter().filter(|proof| matches!(proof.outcome, Outcome::NotAsked(_))).map(|proof| proof.check).collect();
    assert_eq!(not_asked, ["good evidence passes", "bad evidence does not pass"]);
    assert!(!proofs.iter().any(|proof| matches!(proof.outcome, Outcome::Broken(_))), "{proofs:#?}");
}

#[tokio::test]
async fn a_case_that_is_wrong_of_the_plugin_is_found() {
    // What the case calls good is bad, and the other way round.
    let (component, case) = example("gate-coverage-js");
    let mut case: serde_json::Value = serde_json::from_slice(&case).expect("JSON");
    let (pass, fail) = (case["gate"]["pass"].take(), case["gate"]["fail"].take());
    case["gate"] = json!({ "pass": fail, "fail": pass });
    let proofs = prove_all(component, case.to_string().into()).await;
    assert!(broken(&proofs, "good evidence passes").contains("70.0% of the lines"), "{proofs:#?}");
    assert!(broken(&proofs, "bad evidence does not pass").contains("it passed"), "{proofs:#?}");
}

/// Builds a plugin of one JavaScript file.
fn script(kind: Kind, powers: serde_json::Value, source: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = json!({ "type": "object" });
    let file = json!({
        "name": "careless", "version": "0.1.0", "description": "Careless.", "kinds": [kind], "powers": powers, "source": "careless.js",
        "settings": { kind.as_str(): schema },
    });
    std::fs::write(folder.path().join("plugin.json"), file.to_string()).expect("written");
    std::fs::write(folder.path().join("careless.js"), source).expect("written");
    workshop().build(folder.path())
}

#[tokio::test]
async fn a_gate_that_fails_open_is_found() {
    let component = script(
        Kind::Gate,
        json!({}),
        "export const gate = { evaluate: () => ({ verdict: { tag: 'pass' }, measurements: [], sentence: 'fine' }) };",
    );
    let case = json!({ "gate": { "pass": [{ "kind": "k", "content": { "text": "good" } }] } });
    let proofs = prove_all(component, case.to_string().into()).await;
    for check in [
        "no evidence is no pass",
        "empty evidence is no pass",
        "huge evidence of no form is no pass",
        "settings that nobody knows are no pass",
        "what is no settings is no pass",
        "it ends by its deadline in a world that is silent, and does not pass",
    ] {
        assert!(broken(&proofs, check).contains("it passed"), "{check}");
    }
}

/// A target that writes whatever it is told, whoever told it, and believes that it was done.
const CARELESS_TARGET: &str = r"
import { fetch } from 'towpath:plugin/http@0.3.0';
const look = (url) => {
  const { status, body } = fetch({ method: 'GET', url, headers: [], body: new Uint8Array(), timeoutMs: 5000, redirectsMax: 0 });
  return status === 200 ? JSON.parse(new TextDecoder().decode(body)) : {};
};
const seen = (document, fence) => ({
  sides: ['stable', 'candidate'].filter((side) => document[side]).map((side) => ({
    side, release: document[side], artifactDigest: '', ready: 1, wanted: 1, endpoint: undefined,
  })),
  candidateBasisPoints: 0, publicEndpoint: undefined, highestFence: fence, drift: [], state: undefined,
});
const address = (context) => JSON.parse(context.settings).url + '/one';
export const target = {
  describe: () => ({
    weights: true, weightGranularityBasisPoints: 1, headerMatch: false, cookieMatch: false, sticky: false, mirror: false,
    instantSwitch: true, fencing: 'native',
  }),
  observe: (context) => seen(look(address(context)), 0n),
  reconcile(context, desired) {
    const document = { stable: desired.stable?.release, candidate: desired.candidate?.release };
    const body = new TextEncoder().encode(JSON.stringify(document));
    fetch({ method: 'PUT', url: address(context), headers: [], body, timeoutMs: 5000, redirectsMax: 0 });
    return { tag: 'converged', val: seen(document, context.fence) };
  },
  preview: () => ['something'],
};
";

#[tokio::test]
async fn a_target_that_believes_what_it_wrote_is_found() {
    let component = script(Kind::Target, json!({ "http": "writes" }), CARELESS_TARGET);
    let side = |release: &str| json!({ "release": release });
    let case = json!({
        "settings": { "url": "http://{world}/documents" },
        "target": { "desired": [{ "stable": side("v1") }, { "stable": side("v1"), "candidate": side("v2") }] },
    });
    let proofs = prove_all(component, case.to_string().into()).await;
    let holds = |check: &str| proofs.iter().any(|proof| proof.check == check && proof.outcome == Outcome::Holds);
    assert!(holds("it converges, and observes what it brought about"), "{proofs:#?}");
    assert_eq!(broken(&proofs, "an older generation changes nothing"), "the world is another one");
    let late = broken(&proofs, "a write that arrives late changes nothing");
    assert!(late.contains("came when a newer generation was done, and was taken"), "{late}");
    assert!(broken(&proofs, "settings that nobody knows are a fault").contains("it described itself"));
    assert!(broken(&proofs, "it goes on from wherever it was stopped").contains("stopped after 0 writes"), "{proofs:#?}");
}

#[tokio::test]
async fn a_case_that_cannot_be_read_is_named() {
    let options = |case: serde_json::Value| TestOptions {
        component: bundled("gate-junit"),
        case: Some(case.to_string().into()),
        ..TestOptions::default()
    };
    let error = test(&options(json!({ "gates": {} })), now_ms).await.expect_err("no case");
    assert!(matches!(&error, ToolError::Case { why } if why.contains("unknown field `gates`")), "{error}");
    let error = test(&options(json!({ "target": { "desired": [{}] } })), now_ms).await.expect_err("no case");
    assert!(error.to_string().contains("has 1 states, expected two"), "{error}");
}
