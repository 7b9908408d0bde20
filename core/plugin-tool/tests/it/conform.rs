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

/// Finds that all hold, but for one that cannot be asked here.
fn all_hold_but(proofs: &[Proof], not_asked: &str) {
    let (asked, others): (Vec<&Proof>, Vec<_>) = proofs.iter().partition(|proof| proof.check != not_asked);
    assert!(asked.iter().all(|proof| proof.outcome == Outcome::Holds), "{proofs:#?}");
    assert!(matches!(others[..], [Proof { outcome: Outcome::NotAsked(_), .. }]), "{proofs:#?}");
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
    let case = json!({
        "settings": { "minRequests": 50, "worseThanStable": {} },
        "health": {
            "healthyWorld": { "runtime": counted(1) }, "unhealthyWorld": { "runtime": counted(60) }, "withoutEndpoint": true,
        },
    });
    all_hold(&prove_all(bundled("health-traffic"), case.to_string().into()).await);
    let side = |release: &str| {
        let configuration = json!({ "command": ["./web"], "port": 8080, "instances": 2 });
        json!({ "release": release, "artifactDigest": format!("sha256:{release}"), "configuration": configuration })
    };
    let desired = json!([
        { "stable": side("v1"), "traffic": {} },
        { "stable": side("v1"), "candidate": side("v2"), "traffic": { "candidateBasisPoints": 500 } },
    ]);
    let case = json!({ "target": { "keeps": "runtime", "desired": desired } });
    all_hold(&prove_all(bundled("target-local"), case.to_string().into()).await);
}

#[tokio::test]
async fn first_party_checks_that_ask_others_keep_it_too() {
    let step = json!({ "path": "/healthz", "expect": { "json": [{ "path": "$.state", "equals": "ready" }] } });
    let answer = |state: &str| json!([{ "path": "/healthz", "status": 200, "body": json!({ "state": state }).to_string() }]);
    let case = json!({
        "settings": { "journeys": [{ "name": "look", "steps": [step] }] },
        "health": { "healthy": answer("ready"), "unhealthy": answer("down") },
    });
    all_hold(&prove_all(bundled("health-http"), case.to_string().into()).await);
    // The same answer to both questions: what fires has fired for long, or will only begin.
    let alerts = |since: &str| {
        let alert = json!({ "labels": { "alertname": "Watchdog" }, "startsAt": since, "updatedAt": "2999-01-01T00:00:00Z" });
        json!({ "answers": [{ "path": "/api/v2/alerts", "status": 200, "body": json!([alert]).to_string() }] })
    };
    let case = json!({
        "settings": { "alertmanager": "http://{world}", "matchers": ["service=\"$service\""], "watchdog": "Watchdog" },
        "health": {
            "healthyWorld": alerts("2020-01-01T00:00:00Z"), "unhealthyWorld": alerts("2999-01-01T00:00:00Z"), "withoutEndpoint": true,
        },
    });
    all_hold(&prove_all(bundled("health-alerts"), case.to_string().into()).await);
    let ends = |exit_code: u8| json!({ "commands": [{ "name": "check", "exitCode": exit_code, "stdout": "so it is" }] });
    let case = json!({
        "settings": { "program": "check", "arguments": ["$service"] },
        "health": { "healthyWorld": ends(0), "unhealthyWorld": ends(1), "withoutEndpoint": true },
    });
    all_hold(&prove_all(bundled("health-command"), case.to_string().into()).await);
    // Lines have times of their own, which no case can say: what it is asked is how it ends where there are none.
    let case = json!({
        "settings": { "loki": { "url": "http://{world}", "query": "{r=\"$release\"}" }, "newPatterns": {} },
        "health": { "unhealthy": [{ "path": "/loki/api/v1/query_range", "status": 502 }], "withoutEndpoint": true },
    });
    let proofs = prove_all(bundled("health-logs"), case.to_string().into()).await;
    all_hold_but(&proofs, "a candidate that is well is healthy");
    assert_eq!(proofs.len(), 9, "{proofs:#?}");
}

#[tokio::test]
async fn the_target_of_virtual_machines_holds_what_needs_no_host() {
    let settings = json!({ "hosts": [{ "name": "web-1" }], "supervisor": { "systemd": {} } });
    let case = json!({ "settings": settings }).to_string().into();
    let proofs = prove_all(bundled("target-vm"), case).await;
    // The worlds of the tool have no hosts; the plugin's own tests have.
    all_hold_but(&proofs, "it converges");
}

/// Returns the status of a runtime that has counted for both sides since the watch began; of the candidate's requests so many failed.
fn counted(errors: u64) -> serde_json::Value {
    let side = |release: &str, errors: u64| {
        let latency = json!({ "buckets": [{ "leMs": 10, "count": 400 }], "count": 400, "sumMs": 1.0 });
        json!({ "release": release, "sinceUnixMs": "{started}", "requests": 400, "errors": errors, "spilled": 0, "latency": latency })
    };
    json!({ "fence": 1, "counters": { "stable": side("v1", 1), "candidate": side("v2", errors), "unserved": 0 } })
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

/// Asks a program and what the service measures, and passes when both are well.
const ASKING_GATE: &str = r"
import { run } from 'towpath:plugin/command@0.3.0';
import { read } from 'towpath:plugin/telemetry@0.3.0';
export const gate = {
  evaluate: (context, evidence) => {
    const answer = (tag, sentence) => ({ verdict: { tag }, measurements: [], sentence });
    let settings;
    try {
      settings = JSON.parse(context.settings);
    } catch {
      return answer('error', 'no settings');
    }
    if (Array.isArray(settings) || typeof settings !== 'object') return answer('error', 'no settings');
    if (Object.keys(settings).length > 0) return answer('error', `unknown settings ${Object.keys(settings)}`);
    if (!evidence.some((one) => new TextDecoder().decode(one.content) === 'yes')) return answer('fail', 'nobody said yes');
    try {
      const program = run({ program: 'lint', arguments: ['--all'], stdin: new Uint8Array(), files: [], collect: [], timeoutMs: 60000 });
      if (program.exitCode !== 0) return answer('fail', new TextDecoder().decode(program.stderr));
      const from = context.nowMs - 3600000n;
      const reading = read({ metric: 'errors', release: undefined, filters: [], fromMs: from, toMs: context.nowMs });
      const errors = reading.windows.reduce((sum, window) => sum + window.count, 0n);
      return answer(errors === 0n && reading.series > 0 ? 'pass' : 'fail', `${errors} errors in ${reading.series} series`);
    } catch (error) {
      return answer('error', `nobody can say: ${JSON.stringify(error)}`);
    }
  },
};";

#[tokio::test]
async fn programs_and_metrics_of_a_case_are_there_for_a_plugin_that_asks() {
    let powers = json!({ "command": "runs the linter", "telemetry": "counts errors" });
    let component = script(Kind::Gate, powers, ASKING_GATE);
    let case = |exit_code: u8, count: u64| {
        let window = json!({ "afterMs": -10_000, "lengthMs": 10_000, "count": count });
        let world = json!({
            "commands": [{ "name": "lint", "exitCode": exit_code, "stderr": "two warnings" }],
            "telemetry": [{ "metric": "errors", "windows": [window] }],
        });
        let said = |text: &str| json!([{ "kind": "k", "content": { "text": text } }]);
        json!({ "gate": { "pass": said("yes"), "fail": said("no"), "world": world } }).to_string()
    };
    all_hold(&prove_all(component.clone(), case(0, 0).into()).await);
    let proofs = prove_all(component.clone(), case(1, 0).into()).await;
    assert!(broken(&proofs, "good evidence passes").contains("two warnings"), "{proofs:#?}");
    let proofs = prove_all(component, case(0, 7).into()).await;
    assert!(broken(&proofs, "good evidence passes").contains("7 errors in 1 series"), "{proofs:#?}");
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
