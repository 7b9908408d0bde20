//! Golden diagnostics of whole compilations: files that do not fit together, plugins, what a target cannot do.

use expect_test::{Expect, expect};
use model::BasisPoints;
use path::{TargetDescriptor, render_diagnostics};

use crate::support::{CANARY, ROLLING, World, able, small};

fn check(world: &World, expect: Expect) {
    match world.compile() {
        Ok(_) => panic!("expected diagnostics, a plan was made"),
        Err(found) => expect.assert_eq(&render_diagnostics(&found)),
    }
}

fn service(from: &str, to: &str, expect: Expect) {
    let world = World::of(CANARY);
    assert!(world.service.contains(from), "the service has no {from:?}");
    check(&World { service: world.service.replace(from, to), ..World::of(CANARY) }, expect);
}

fn path(from: &str, to: &str, expect: Expect) {
    assert!(CANARY.contains(from), "the path has no {from:?}");
    check(&World { path: CANARY.replace(from, to), ..World::of(CANARY) }, expect);
}

fn target(strategy: &str, target: TargetDescriptor, expect: Expect) {
    check(&World { target, ..World::plain(&small(strategy)) }, expect);
}

#[test]
fn parameters_say_the_value_the_limit_and_the_place() {
    service("maxErrorRate: 0.02", "maxErrorRate: 0.5", expect![[r#"
        error: the parameter "maxErrorRate" is out of range
          --> service.yaml:15:17
           |
        15 |   maxErrorRate: 0.5
           |                 ^^^ expected at most 0.05, found the number 0.5

        1 error
    "#]]);
    service("port: 8080", "port: \"8080\"", expect![[r#"
        error: the parameter "port" has the wrong type
          --> service.yaml:13:9
           |
        13 |   port: "8080"
           |         ^^^^^^ expected a value of type integer, found the text "8080"

        1 error
    "#]]);
    service("port: 8080\n  ", "", expect![[r#"
        error: the parameter "port" is missing
          --> service.yaml:12:3
           |
        12 |   command: [./hello-service]
           |   ^
           |
           = port: The port that callers use.

        1 error
    "#]]);
    service("instances: 4", "instnaces: 4", expect![[r#"
        error: unknown parameter "instnaces"
          --> service.yaml:14:3
           |
        14 |   instnaces: 4
           |   ^^^^^^^^^
           |
           = known: artifact, command, env, instances, lookEvery, maxErrorRate, maxLatencyMs, minRequests, port, readinessPath, requireTests, soak, watch
           = hint: did you mean "instances"?

        1 error
    "#]]);
    service("[./hello-service]", "[]", expect![[r#"
        error: the parameter "command" does not fit
          --> service.yaml:12:12
           |
        12 |   command: []
           |            ^ expected at least 1 entries, found a list of 0

        1 error
    "#]]);
    service("minRequests: 20", "minRequests: 0", expect![[r#"
        error: the parameter "minRequests" is out of range
          --> service.yaml:24:20
           |
        24 |       minRequests: 0
           |                    ^ expected at least 1, found the integer 0

        1 error
    "#]]);
    service("port: 8080", "port: 0\n  readinessPath: healthz\n  env: { A: 1 }", expect![[r#"
        error: the parameter "port" is out of range
          --> service.yaml:13:9
           |
        13 |   port: 0
           |         ^ expected at least 1, found the integer 0

        error: the parameter "readinessPath" does not fit
          --> service.yaml:14:18
           |
        14 |   readinessPath: healthz
           |                  ^^^^^^^ expected a text that matches "^/", found the text "healthz"

        error: the parameter "env.A" has the wrong type
          --> service.yaml:15:13
           |
        15 |   env: { A: 1 }
           |             ^ expected a value of type string, found the integer 1

        3 errors
    "#]]);
}

#[test]
fn computed_values_are_checked_where_they_are_used() {
    service("watch: 4s", "watch: soon", expect![[r#"
        error: watch does not fit
           --> path.yaml:101:33
            |
        101 |       - { weight: 5%, watch: "${parameters.watch}" }
            |                                 ^^^^^^^^^^^^^^^^ expected a duration of up to 30 days like "30s", "5m" or "1h30m", found the text "soon"

        error: watch does not fit
           --> path.yaml:102:34
            |
        102 |       - { weight: 25%, watch: "${parameters.watch}" }
            |                                  ^^^^^^^^^^^^^^^^ expected a duration of up to 30 days like "30s", "5m" or "1h30m", found the text "soon"

        error: watch does not fit
           --> path.yaml:103:34
            |
        103 |       - { weight: 50%, watch: "${parameters.watch}" }
            |                                  ^^^^^^^^^^^^^^^^ expected a duration of up to 30 days like "30s", "5m" or "1h30m", found the text "soon"

        3 errors
    "#]]);
    service("watch: 4s", "watch: 0s", expect![[r#"
        error: a watch must last
           --> path.yaml:101:33
            |
        101 |       - { weight: 5%, watch: "${parameters.watch}" }
            |                                 ^^^^^^^^^^^^^^^^ expected more than 0s

        error: a watch must last
           --> path.yaml:102:34
            |
        102 |       - { weight: 25%, watch: "${parameters.watch}" }
            |                                  ^^^^^^^^^^^^^^^^ expected more than 0s

        error: a watch must last
           --> path.yaml:103:34
            |
        103 |       - { weight: 50%, watch: "${parameters.watch}" }
            |                                  ^^^^^^^^^^^^^^^^ expected more than 0s

        3 errors
    "#]]);
    service("lookEvery: 500ms", "lookEvery: 5s", expect![[r#"
        error: the check would not look during a watch
           --> path.yaml:109:14
            |
        109 |     every: ${parameters.lookEvery}
            |              ^^^^^^^^^^^^^^^^^^^^ looks every 5s, the watch lasts 4s

        error: the check would not look during a watch
           --> path.yaml:109:14
            |
        109 |     every: ${parameters.lookEvery}
            |              ^^^^^^^^^^^^^^^^^^^^ looks every 5s, the watch lasts 3s

        error: the check would not look during a watch
           --> path.yaml:116:14
            |
        116 |     every: ${parameters.lookEvery}
            |              ^^^^^^^^^^^^^^^^^^^^ looks every 5s, the watch lasts 4s

        error: the check would not look during a watch
           --> path.yaml:116:14
            |
        116 |     every: ${parameters.lookEvery}
            |              ^^^^^^^^^^^^^^^^^^^^ looks every 5s, the watch lasts 3s

        4 errors
    "#]]);
    path("when: parameters.requireTests || environment.tier == 'production'", "when: environment.tier", expect![[r#"
        error: a condition must be true or false
          --> path.yaml:90:11
           |
        90 |     when: environment.tier
           |           ^^^^^^^^^^^^^^^^ expected true or false, found the text "development"

        1 error
    "#]]);
    path("weight: 25%", "weight: \"${string(parameters.instances) + '%'}\"", expect![[r#"
        error: the weights of a canary must grow
           --> path.yaml:102:22
            |
        102 |       - { weight: "${string(parameters.instances) + '%'}", watch: "${parameters.watch}" }
            |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected more than 5%, found 4%

        1 error
    "#]]);
}

#[test]
fn files_that_do_not_belong_together() {
    service("version: ^1.0", "version: ^2.1", expect![[r#"
        error: the service does not take this version of the path
         --> service.yaml:9:12
          |
        9 |   version: ^2.1
          |            ^^^^ takes ^2.1, this path is 1.0.0

        1 error
    "#]]);
    service("name: web-canary", "name: web-canari", expect![[r#"
        error: the service goes another path
         --> service.yaml:8:9
          |
        8 |   name: web-canari
          |         ^^^^^^^^^^ found "web-canari", this path is "web-canary"

        1 error
    "#]]);
    path("run:\n", "environments: [staging, production]\nrun:\n", expect![[r#"
        error: the path web-canary@1.0.0 does not lead to the environment local
         = it leads to staging, production

        1 error
    "#]]);
}

#[test]
fn plugins_and_their_settings() {
    path("use: health-http", "use: health-htpp", expect![[r#"
        error: there is no plugin "health-htpp"
           --> path.yaml:107:10
            |
        107 |     use: health-htpp
            |          ^^^^^^^^^^^
            |
            = known plugins: gate-junit, health-http, health-traffic, target-local
            = hint: did you mean "health-http"?

        1 error
    "#]]);
    path("use: health-traffic", "use: gate-junit", expect![[r#"
        error: the plugin "gate-junit" is no health check
           --> path.yaml:111:10
            |
        111 |     use: gate-junit
            |          ^^^^^^^^^^ it is a gate

        1 error
    "#]]);
    path("maxLatencyMs: ${", "maxLatency: ${", expect![[r#"
        error: unknown setting of health-traffic "maxLatency"
           --> path.yaml:114:7
            |
        114 |       maxLatency: ${parameters.maxLatencyMs}
            |       ^^^^^^^^^^
            |
            = known: maxErrorRate, maxLatencyMs, minRequests
            = hint: did you mean "maxLatencyMs"?

        1 error
    "#]]);
    path("with: { path: \"${parameters.readinessPath}\" }", "with: { path: \"${parameters.port}\", probes: 21 }", expect![[r#"
        error: the setting of health-http "path" has the wrong type
           --> path.yaml:108:19
            |
        108 |     with: { path: "${parameters.port}", probes: 21 }
            |                   ^^^^^^^^^^^^^^^^^^^^ expected a value of type string, found the integer 8080

        error: the setting of health-http "probes" is out of range
           --> path.yaml:108:49
            |
        108 |     with: { path: "${parameters.port}", probes: 21 }
            |                                                 ^^ expected at most 20, found the integer 21

        2 errors
    "#]]);
    let settings = "target:\n  use: target-local\n  with: { port: 1 }\n";
    let environment = World::of(CANARY).environment.replace("target:\n  use: target-local\n", settings);
    check(&World { environment, ..World::of(CANARY) }, expect![[r#"
        error: unknown setting of target-local "port"
         --> environment.yaml:9:11
          |
        9 |   with: { port: 1 }
          |           ^^^^
          |
          = known: 

        1 error
    "#]]);
}

#[test]
fn what_the_target_cannot_serve_is_refused_with_what_is_missing() {
    let steps = "steps: [{ weight: 5%, watch: 1m }]";
    target(&format!("canary: {{ {steps} }}"), TargetDescriptor { weights: false, ..able() }, expect![[r#"
        error: the strategy canary is not possible here
          --> path.yaml:11:3
           |
        11 |   canary: { steps: [{ weight: 5%, watch: 1m }] }
           |   ^^^^^^ the target "target-local" cannot split traffic by weight

        1 error
    "#]]);
    let coarse = TargetDescriptor { weight_granularity: BasisPoints::new(1000).unwrap(), ..able() };
    target(&format!("canary: {{ {steps} }}"), coarse, expect![[r#"
        error: this weight is not possible here
          --> path.yaml:11:31
           |
        11 |   canary: { steps: [{ weight: 5%, watch: 1m }] }
           |                               ^^ the target "target-local" moves traffic in steps of 10%, found 5%

        1 error
    "#]]);
    target("rolling: { batches: 3, watch: 1m }", coarse, expect![[r#"
        error: this weight is not possible here
          --> path.yaml:11:23
           |
        11 |   rolling: { batches: 3, watch: 1m }
           |                       ^ the target "target-local" moves traffic in steps of 10%, found 34%

        error: this weight is not possible here
          --> path.yaml:11:23
           |
        11 |   rolling: { batches: 3, watch: 1m }
           |                       ^ the target "target-local" moves traffic in steps of 10%, found 67%

        2 errors
    "#]]);
    let plain = TargetDescriptor { header_match: false, cookie_match: false, sticky: false, mirror: false, ..able() };
    let everything = "canary: { sticky: { header: user }, match: [{ header: x, value: y }, { cookie: x, value: y }], \
                      steps: [{ weight: 5%, watch: 1m, mirror: 10% }] }";
    target(everything, plain, expect![[r#"
        error: callers cannot be kept on one side here
          --> path.yaml:11:21
           |
        11 |   canary: { sticky: { header: user }, match: [{ header: x, value: y }, { cookie: x, value: y }], ste
           |                     ^^ the target "target-local" has no stickiness, wanted by header "user"

        error: this match is not possible here
          --> path.yaml:11:47
           |
        11 | ry: { sticky: { header: user }, match: [{ header: x, value: y }, { cookie: x, value: y }], steps: [{
           |                                         ^^ the target "target-local" cannot look at the header "x"

        error: this match is not possible here
          --> path.yaml:11:72
           |
        11 | ser }, match: [{ header: x, value: y }, { cookie: x, value: y }], steps: [{ weight: 5%, watch: 1m, m
           |                                         ^^ the target "target-local" cannot look at the cookie "x"

        error: requests cannot be mirrored here
          --> path.yaml:11:139
           |
        11 | teps: [{ weight: 5%, watch: 1m, mirror: 10% }] }
           |                                         ^^^ the target "target-local" cannot copy requests

        4 errors
    "#]]);
    target("blue-green: { watch: 1m }", TargetDescriptor { instant_switch: false, ..able() }, expect![[r#"
        error: the strategy blue-green is not possible here
          --> path.yaml:11:3
           |
        11 |   blue-green: { watch: 1m }
           |   ^^^^^^^^^^ the target "target-local" cannot move all traffic at once

        1 error
    "#]]);
}

#[test]
fn what_would_overload_or_lead_nowhere_is_refused() {
    target("canary: { steps: [{ weight: 50%, capacity: 10%, watch: 1m }] }", able(), expect![[r#"
        error: the capacity does not carry the traffic
          --> path.yaml:11:46
           |
        11 |   canary: { steps: [{ weight: 50%, capacity: 10%, watch: 1m }] }
           |                                              ^^^ expected at least 50% for a weight of 50%, found 10%

        1 error
    "#]]);
    target("rolling: { batches: 26, watch: 1m }", able(), expect![[r#"
        error: this many batches are not possible
          --> path.yaml:11:23
           |
        11 |   rolling: { batches: 26, watch: 1m }
           |                       ^^ expected 1 to 25 batches, found 26

        1 error
    "#]]);
    target("canary: { steps: [{ weight: 100%, mirror: 5%, watch: 1m }] }", able(), expect![[r#"
        error: there is nothing left to mirror
          --> path.yaml:11:45
           |
        11 |   canary: { steps: [{ weight: 100%, mirror: 5%, watch: 1m }] }
           |                                             ^^ the candidate has all traffic here

        1 error
    "#]]);
    let soak = small("recreate: { watch: 1m }") + "soak: { for: 1m, onFailure: rollback }\n";
    check(&World::plain(&soak), expect![[r#"
        error: there is no way back from this soak
          --> path.yaml:14:29
           |
        14 | soak: { for: 1m, onFailure: rollback }
           |                             ^^^^^^^^ the old release no longer stands by: expected pause

        1 error
    "#]]);
    let never = small("recreate: { watch: 1m }").replace("path: /healthz }", "path: /healthz }, when: \"false\"");
    check(&World::plain(&never), expect![[r#"
        error: no health check watches here
          --> path.yaml:11:22
           |
        11 |   recreate: { watch: 1m }
           |                      ^^ each one's condition is false, or none is named

        1 error
    "#]]);
    check(&World { service: World::plain(ROLLING).service.replace("8080", "8080, batches: 26"), ..World::plain(ROLLING) }, expect![[r#"
        error: the parameter "batches" is out of range
         --> service.yaml:5:56
          |
        5 | parameters: { command: [./hello], port: 8080, batches: 26 }
          |                                                        ^^ expected at most 25, found the integer 26

        1 error
    "#]]);
}
