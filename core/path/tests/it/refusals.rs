//! Golden diagnostics of whole compilations: files that do not fit together, plugins, what a target cannot do.

use expect_test::{ExpectFile, expect_file};
use model::BasisPoints;
use path::TargetDescriptor;

use crate::support::{CANARY, LOCAL, ROLLING, Transcript, World, able, small};

/// What of the example is replaced.
#[derive(Clone, Copy)]
enum In {
    Service,
    Path,
    Environment,
}

fn check(expect: ExpectFile, cases: &[(&str, In, &str, &str)]) {
    let mut transcript = Transcript::default();
    for (what, place, from, to) in cases {
        let mut world = World::of(CANARY);
        let text = match place {
            In::Service => &mut world.service,
            In::Path => &mut world.path,
            In::Environment => &mut world.environment,
        };
        assert!(text.contains(from), "{what}: the file has no {from:?}");
        *text = text.replace(from, to);
        transcript.refused(what, world.compile());
    }
    expect.assert_eq(&transcript.text);
}

#[test]
fn parameters_say_the_value_the_limit_and_the_place() {
    let cases = [
        ("above the limit", In::Service, "maxErrorRate: 0.02", "maxErrorRate: 0.5"),
        ("a text for a number", In::Service, "port: 8080", "port: \"8080\""),
        ("a missing one", In::Service, "port: 8080\n  ", ""),
        ("a misspelt one", In::Service, "instances: 4", "instnaces: 4"),
        ("an empty list", In::Service, "[./hello-service]", "[]"),
        ("in an environment", In::Service, "minRequests: 20", "minRequests: 0"),
        ("several", In::Service, "port: 8080", "port: -1\n  readinessPath: healthz\n  env: { A: 1 }"),
    ];
    check(expect_file!["golden/parameters.txt"], &cases);
}

#[test]
fn computed_values_are_blamed_on_whoever_wrote_them() {
    let condition = "when: parameters.requireTests || environment.tier == 'production'";
    let weight = "weight: \"${string(parameters.instances) + '%'}\"";
    let cases = [
        ("a duration that is none", In::Service, "watch: 4s", "watch: soon"),
        ("a watch of nothing", In::Service, "watch: 4s", "watch: 0s"),
        ("looks too far apart", In::Service, "lookEvery: 500ms", "lookEvery: 5s"),
        ("the path's own default", In::Path, "default: 10m", "default: ten minutes"),
        ("a condition that is a text", In::Path, condition, "when: environment.tier"),
        ("a weight that does not grow", In::Path, "weight: 25%", weight),
        ("a field that is not there", In::Path, condition, "when: environment.configuration.region == 'eu'"),
    ];
    // The service of the example replaces the soak; without that the path's default counts.
    let soak = World::of(CANARY).service.replace("      soak: 3s\n", "");
    let mut transcript = Transcript::default();
    for (what, place, from, to) in cases {
        let mut world = World { service: soak.clone(), ..World::of(CANARY) };
        let text = if matches!(place, In::Service) { &mut world.service } else { &mut world.path };
        assert!(text.contains(from), "{what}: the file has no {from:?}");
        *text = text.replace(from, to);
        transcript.refused(what, world.compile());
    }
    expect_file!["golden/computed.txt"].assert_eq(&transcript.text);
}

#[test]
fn files_that_do_not_belong_together() {
    let cases = [
        ("another version", In::Service, "version: ^1.0", "version: ^2.1"),
        ("another path", In::Service, "name: web-canary", "name: web-canari"),
        ("an environment beside the path", In::Path, "run:\n", "environments: [staging, production]\nrun:\n"),
    ];
    check(expect_file!["golden/strangers.txt"], &cases);
}

#[test]
fn plugins_and_their_settings() {
    let probe = "with: { path: \"${parameters.readinessPath}\" }";
    let cases = [
        ("an unknown plugin", In::Path, "use: health-http", "use: health-htpp"),
        ("of another kind", In::Path, "use: health-traffic", "use: gate-junit"),
        ("an unknown setting", In::Path, "maxLatencyMs: ${", "maxLatency: ${"),
        ("settings that do not fit", In::Path, probe, "with: { path: \"${parameters.port}\", probes: 21 }"),
        ("settings of the target", In::Environment, "use: target-local\n", "use: target-local\n  with: { port: 1 }\n"),
        ("an unknown target", In::Environment, "use: target-local", "use: target-lokal"),
    ];
    check(expect_file!["golden/plugins.txt"], &cases);
}

#[test]
fn what_the_target_cannot_serve_is_refused_with_what_is_missing() {
    let coarse = TargetDescriptor { weight_granularity: BasisPoints::new(1_000).unwrap(), ..able() };
    let plain = TargetDescriptor { header_match: false, cookie_match: false, sticky: false, mirror: false, ..able() };
    let steps = "canary: { steps: [{ weight: 5%, watch: 1m }] }";
    let everything = "canary:\n    sticky: { header: user }\n    match:\n      - { header: x, value: y }\n      - { cookie: x, value: y }\n    \
                      steps:\n      - { weight: 5%, watch: 1m, mirror: 10% }";
    let cases = [
        ("weights at all", steps, TargetDescriptor { weights: false, ..able() }),
        ("so small a weight", steps, coarse),
        ("such batches", "rolling: { batches: 3, watch: 1m }", coarse),
        ("matches, mirrors, stickiness", everything, plain),
        ("a switch", "blue-green: { watch: 1m }", TargetDescriptor { instant_switch: false, ..able() }),
    ];
    let mut transcript = Transcript::default();
    for (what, strategy, target) in cases {
        transcript.refused(what, World { target, ..World::plain(&small(strategy)) }.compile());
    }
    expect_file!["golden/target.txt"].assert_eq(&transcript.text);
}

#[test]
fn what_would_overload_or_lead_nowhere_is_refused() {
    let mut transcript = Transcript::default();
    let mut refused = |what: &str, path: &str| transcript.refused(what, World::plain(path).compile());
    refused("too little capacity", &small("canary: { steps: [{ weight: 50%, capacity: 10%, watch: 1m }] }"));
    refused("too many batches", &small("rolling: { batches: 26, watch: 1m }"));
    refused("a mirror without traffic", &small("canary: { steps: [{ weight: 100%, mirror: 5%, watch: 1m }] }"));
    refused("no way back", &(small("recreate: { watch: 1m }") + "soak: { for: 1m, onFailure: rollback }\n"));
    refused("nobody watches", &small("recreate: { watch: 1m }").replace("/healthz }", "/healthz }, when: \"false\""));
    let worker = World::plain(ROLLING);
    let service = worker.service.replace("8080", "8080, batches: 26");
    transcript.refused("too many batches from a service", World { service, ..worker }.compile());
    let live = LOCAL.replace("name: local", "name: live").replace("development", "production");
    let service = World::of(CANARY).service.replace("  live", "  local");
    let path = CANARY.replace("quorum: 1", "quorum: 0").replace("when: change.", "when: \"true\" #");
    transcript.refused("an approval by nobody", World { path, service, environment: live, ..World::of(CANARY) }.compile());
    expect_file!["golden/nowhere.txt"].assert_eq(&transcript.text);
}

#[test]
fn a_plugin_of_two_kinds_has_the_settings_of_the_kind_that_it_is_used_as() {
    let uses = |gate: &str, health: &str| {
        let path = small("recreate: { watch: 5m }").replace("use: health-http, with: { path: /healthz }", health);
        World::plain(&format!("{path}gates:\n  - {{ {gate} }}\n")).compile()
    };
    let (gate, health) = ("use: gate-and-health, with: { linesMin: 0.5 }", "use: gate-and-health, with: { path: /healthz }");
    uses(gate, health).unwrap_or_else(|found| panic!("{}", path::render_diagnostics(&found)));
    for (gate, health, expect) in [(health, health, "path"), (gate, gate, "linesMin")] {
        let found = path::render_diagnostics(&uses(gate, health).expect_err("these are the settings of the other kind"));
        assert!(found.contains(expect) && found.contains("gate-and-health"), "{found}");
    }
}
