//! Golden diagnostics: what a person reads when one file is wrong. One transcript per group, one entry per case.

use expect_test::expect_file;
use path::{Diagnostic, parse_environment, parse_path, parse_service, render_diagnostics};

use crate::support::{HELLO, LOCAL, Transcript, small};

const STEPS: &str = "canary: { steps: [{ weight: 5%, watch: 5m }] }";

/// A small path with one part replaced by another.
fn broken(from: &str, to: &str) -> String {
    let text = small(STEPS);
    assert!(text.contains(from), "the small path has no {from:?}");
    text.replace(from, to)
}

fn check_all(expect: expect_test::ExpectFile, cases: &[(&str, &str, &str)]) {
    let mut transcript = Transcript::default();
    for (what, from, to) in cases {
        transcript.refused(what, parse_path(&broken(from, to), "small.yaml"));
    }
    expect.assert_eq(&transcript.text);
}

#[test]
fn unknown_keys_are_named_with_the_known_ones() {
    let cases = [
        ("at the top", "strategy:", "stratgy:"),
        ("in a step", "watch: 5m", "wach: 5m"),
        ("in the strategy", "canary:", "canry:"),
        ("beside known ones", "parameters:\n", "paths: 1\nparameters:\n"),
    ];
    check_all(expect_file!["golden/unknown-keys.txt"], &cases);
}

#[test]
fn values_of_the_wrong_kind_say_what_was_expected_and_found() {
    let cases = [
        ("a duration in words", "5m", "5 minutes"),
        ("a duration without a unit", "5m", "300"),
        ("a share without a sign", "5%", "5"),
        ("a share above the whole", "5%", "101%"),
        ("a version with two parts", "version: 1.0.0", "version: 1.0"),
        ("a name with a capital", "name: small", "name: Small"),
        ("a word that is none of the known", "health:\n  - {", "onFailure: shrug\nhealth:\n  - {"),
    ];
    check_all(expect_file!["golden/wrong-kinds.txt"], &cases);
}

#[test]
fn strategies_must_make_sense() {
    let cases = [
        ("no steps", "[{ weight: 5%, watch: 5m }]", "[]"),
        ("weights that do not grow", "5m }]", "5m }, { weight: 5%, watch: 5m }, { weight: 3%, watch: 5m }]"),
        ("a weight of nothing", "weight: 5%", "weight: 0%"),
        ("an unknown health check", "watch: 5m }", "watch: 5m, health: [health-htp] }"),
        ("no health check at all", "  - { use: health-http, with: { path: /healthz } }", "  []"),
        ("no strategy", STEPS, "{}"),
        ("two strategies", STEPS, "canary: {}\n  recreate: {}"),
        ("nothing to watch for", "watch: 5m ", ""),
    ];
    check_all(expect_file!["golden/strategies.txt"], &cases);
}

#[test]
fn watches_and_checks_must_make_sense() {
    let check = "health-http, with: { path: /healthz }";
    let with = |more: &str| format!("{check}, {more}");
    let cases = [
        ("one time of two", "watch: 5m", "watch: { atLeast: 30s }"),
        ("another time", "watch: 5m", "watch: { atLeast: 30s, atMost: 10m, about: 5m }"),
        ("no time to decide", "watch: 5m", "watch: { atLeast: 10m, atMost: 30s }"),
        ("times that are none", "watch: 5m", "watch: { atLeast: soon, atMost: 10 }"),
        ("only a dry run", check, &with("dryRun: true")),
        ("a dry run that is none", check, &with("dryRun: yes please")),
        ("critical and dry", check, &with("dryRun: true, critical: true")),
        ("critical by three looks", check, &with("critical: true, failures: 3, first: { failures: 2 }")),
        ("a delay without a unit", check, &with("startAfter: 30")),
        ("nothing closer", check, &with("first: {}")),
        ("less close", check, &with("every: 5s, failures: 2, errors: 1, first: { every: 1m, failures: 3, errors: 2 }")),
        ("another word", check, &with("first: { each: 1s }")),
        ("a soak's other word", "strategy:\n", "soak: { for: 5m, onInconclusive: shrug }\nstrategy:\n"),
    ];
    check_all(expect_file!["golden/watches.txt"], &cases);
    let mut transcript = Transcript::default();
    for strategy in ["blue-green: { watch: 5m }", "recreate: { watch: 5m }"] {
        let text = small(strategy).replace(check, &with("first: { every: 1s }"));
        transcript.refused(strategy, parse_path(&text, "small.yaml"));
    }
    let two = small("blue-green: { preview: { watch: 1m, health: [dry] }, watch: 5m }");
    let two = two.replace("health:\n", "health:\n  - { use: health-http, name: dry, dryRun: true }\n")
        + "soak: { for: 1m, health: [dry] }\n";
    transcript.refused("dry runs alone in two watches", parse_path(&two, "small.yaml"));
    expect_file!["golden/watches-of-strategies.txt"].assert_eq(&transcript.text);
}

#[test]
fn yaml_that_surprises_is_refused() {
    let cases = [
        ("a key twice", "kind: GoldenPath", "kind: GoldenPath\nkind: GoldenPath"),
        ("an anchor", "metadata: {", "metadata: &m {"),
        ("an anchor and its alias", "metadata: {", "onFailure: &m pause\nonInconclusive: *m\nmetadata: {"),
        ("an alias of nothing", "metadata: { name: small, version: 1.0.0 }", "metadata: *m"),
        ("a merge key", "parameters:\n", "parameters:\n  <<: { type: object }\n"),
        ("a tag", "name: small", "name: !!str small"),
        ("an expression without quotes in braces", "{ path: /healthz }", "{ path: ${parameters.port} }"),
    ];
    check_all(expect_file!["golden/yaml.txt"], &cases);
}

#[test]
fn files_that_are_no_paths_are_refused() {
    let mut transcript = Transcript::default();
    let cases = [
        ("nothing", String::new()),
        ("two documents", "a: 1\n---\nb: 2\n".to_owned()),
        ("too deep", "[".repeat(40)),
        ("a text", "just a text".to_owned()),
        ("a list as a key", "? [a]\n: 1\n".to_owned()),
    ];
    for (what, text) in cases {
        transcript.refused(what, parse_path(&text, "file.yaml"));
    }
    expect_file!["golden/no-paths.txt"].assert_eq(&transcript.text);
}

#[test]
fn expressions_are_read_before_anybody_uses_the_path() {
    let port = "\"${parameters.port}\"";
    let cases = [
        ("an end too early", port, "\"${parameters.port +}\""),
        ("an unknown parameter", port, "\"${parameters.prt}\""),
        ("an unknown variable", port, "\"${paramters.port}\""),
        ("text around it", port, "\"http://${parameters.port}\""),
        ("no end", port, "\"${parameters.port\""),
        ("an unknown field", port, "\"${environment.teir}\""),
        ("an unknown function", port, "\"${lowercase(service.name)}\""),
        ("a condition that is none", "/healthz } }", "/healthz }, when: environment.tier = 'x' }"),
    ];
    check_all(expect_file!["golden/expressions.txt"], &cases);
}

#[test]
fn the_parameters_must_be_a_schema_whose_defaults_fit() {
    let cases = [
        ("a limit that is no number", "maximum: 65535", "maximum: much"),
        ("a default above the limit", "maximum: 65535", "maximum: 65535, default: 70000"),
        ("a reference to elsewhere", "{ type: array }", "{ $ref: 'https://example.com/schema.json' }"),
        ("no object", "  type: object\n", "  type: array\n"),
    ];
    check_all(expect_file!["golden/schemas.txt"], &cases);
}

#[test]
fn a_file_with_many_errors_shows_them_all_in_order() {
    let text = small(STEPS).replace("kind: GoldenPath", "kind: Goldenpath").replace("5m", "soon").replace("use:", "uses:");
    let mut transcript = Transcript::default();
    transcript.refused("many", parse_path(&text, "small.yaml"));
    expect_file!["golden/many.txt"].assert_eq(&transcript.text);
}

#[test]
fn services_and_environments_are_read_as_strictly() {
    let mut transcript = Transcript::default();
    let mut service = |what: &str, from: &str, to: &str| {
        assert!(HELLO.contains(from), "the service has no {from:?}");
        transcript.refused(what, parse_service(&HELLO.replace(from, to), "hello.yaml"));
    };
    service("a range that is none", "^1.0", "one");
    service("no path", "path:\n  name: web-canary\n  version: ^1.0\n", "");
    service("an unknown key in an environment", "parameters:\n      watch", "paramaters:\n      watch");
    let mut environment = |what: &str, from: &str, to: &str| {
        transcript.refused(what, parse_environment(&LOCAL.replace(from, to), "local.yaml"));
    };
    environment("a tier cut short", "development", "dev");
    environment("a target without a plugin", "use: target-local", "uses: target-local");
    expect_file!["golden/services.txt"].assert_eq(&transcript.text);
}

#[test]
fn a_terminal_does_not_obey_a_file() {
    let escape = "\u{1b}[31m";
    for (from, to) in
        [("kind: GoldenPath", "kind: \"GoldenX\""), ("watch: 5m", "\"X\": 5m"), ("${parameters.port}", "${'X' + 1 +}")]
    {
        let text = broken(from, &to.replace('X', escape));
        let found: Vec<Diagnostic> = parse_path(&text, "small.yaml").unwrap_err();
        assert!(!render_diagnostics(&found).contains('\u{1b}'), "an escape sequence reached the text");
    }
}
