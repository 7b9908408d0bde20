//! A deployment that is decided by what the server measured itself: services without any instrumentation are covered by their router.

use serde_json::Value;

use crate::rig::{Callers, Rig, wait_for};

/// Where services may send their metrics; here none does.
const MEASURED: [&str; 2] = ["--telemetry-listen", "127.0.0.1:0"];

/// Returns the path with what the server's windows say of errors in place of the router's own counters.
fn judged(path: &str) -> String {
    let (before, rest) = path.split_once("health:\n").unwrap();
    let (_, behind) = rest.split_once("\nsoak:\n").unwrap();
    let judge = r#"health:
  - name: probe
    use: health-http
    with: { path: "${parameters.readinessPath}" }
    every: ${parameters.lookEvery}
  - name: judge
    use: health-judge
    when: "!change.first"
    every: 500ms
    with:
      candidateMin: 20
      metrics:
        - name: error rate
          judge:
            shares:
              events: { telemetry: { metric: towpath.router.request.duration, among: { error.type: ["*"] } } }
              trials: { telemetry: { metric: towpath.router.request.duration } }

soak:
"#;
    // A window is read ten seconds after it has ended: longer than the rig's watches.
    format!("{before}{judge}{}", behind.replace("patience: 30s", "patience: 5m"))
}

#[test]
fn a_bad_candidate_is_found_in_the_servers_own_windows() {
    let mut rig = Rig::start_runtime();
    rig.start_server_with(&MEASURED);
    rig.register_changed(|path| judged(&path));
    rig.release("v1", "");
    rig.release("v2", "ERROR_RATE=0.5");
    let first = rig.deploy("v1");
    let first = rig.wait_for_end(&first);
    assert_eq!(first["phase"], "succeeded", "{first}");
    let callers = Callers::start(first["public_endpoint"].as_str().unwrap(), 4);
    let bad = rig.deploy("v2");
    wait_for("the verdict", || {
        let looks = String::from_utf8(rig.run(&["looks", &bad]).stdout).ok()?;
        (looks.contains("health-judge") && looks.contains("\"unhealthy\"")).then_some(())
    });
    let ended = rig.wait_for_end(&bad);
    assert_eq!(ended["phase"], "rolled-back", "{ended}");
    let said = ended["outcome"].as_str().unwrap();
    assert!(said.contains("candidate error rate") && said.contains("against stable 0 %"), "{said}");
    callers.stop();
    // People are told what came, and what of it is usual.
    let shown: Value = serde_json::from_slice(&rig.run(&["telemetry", "web", "local"]).stdout).unwrap();
    assert_eq!(shown["is_on"], true, "{shown}");
    assert!(shown["scopes"][0]["taken"].as_u64().unwrap() > 0, "{shown}");
}
