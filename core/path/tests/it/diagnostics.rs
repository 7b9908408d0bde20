//! Golden diagnostics: what a person reads when one file is wrong.

use expect_test::{Expect, expect};
use path::{Diagnostic, parse_environment, parse_path, parse_service, render_diagnostics};

use crate::support::{HELLO, LOCAL, small};

const STEPS: &str = "canary: { steps: [{ weight: 5%, watch: 5m }] }";

fn check<T>(read: Result<T, Vec<Diagnostic>>, expect: Expect) {
    match read {
        Ok(_) => panic!("expected diagnostics, the file was taken"),
        Err(found) => expect.assert_eq(&render_diagnostics(&found)),
    }
}

fn check_path(from: &str, to: &str, expect: Expect) {
    let text = small(STEPS);
    assert!(text.contains(from), "the small path has no {from:?}");
    check(parse_path(&text.replace(from, to), "small.yaml"), expect);
}

#[test]
fn unknown_keys_are_named_with_the_known_ones() {
    check_path("strategy:", "stratgy:", expect![[r#"
        error: the key "strategy" is missing in a golden path
         --> small.yaml:1:1
          |
        1 | apiVersion: towpath.dev/v1
          | ^ expected strategy: { canary: … }

        error: unknown key "stratgy" in a golden path
          --> small.yaml:10:1
           |
        10 | stratgy:
           | ^^^^^^^
           |
           = known keys: apiVersion, kind, metadata, parameters, environments, run, gates, approval, strategy, health, soak, onFailure, onInconclusive, patience, policies
           = hint: did you mean "strategy"?

        2 errors
    "#]]);
    check_path("watch: 5m", "wach: 5m", expect![[r#"
        error: the key "watch" is missing in a step
          --> small.yaml:11:21
           |
        11 |   canary: { steps: [{ weight: 5%, wach: 5m }] }
           |                     ^^ expected watch: 5m

        error: unknown key "wach" in a step
          --> small.yaml:11:35
           |
        11 |   canary: { steps: [{ weight: 5%, wach: 5m }] }
           |                                   ^^^^
           |
           = known keys: weight, watch, capacity, mirror, health
           = hint: did you mean "watch"?

        2 errors
    "#]]);
    check_path("canary:", "canry:", expect![[r#"
        error: unknown key "canry" in strategy
          --> small.yaml:11:3
           |
        11 |   canry: { steps: [{ weight: 5%, watch: 5m }] }
           |   ^^^^^
           |
           = known keys: canary, blue-green, rolling, recreate
           = hint: did you mean "canary"?

        error: a path has one strategy
          --> small.yaml:11:3
           |
        11 |   canry: { steps: [{ weight: 5%, watch: 5m }] }
           |   ^ expected one of canary, blue-green, rolling, recreate, found 0

        2 errors
    "#]]);
}

#[test]
fn values_of_the_wrong_kind_say_what_was_expected_and_found() {
    check_path("5m", "5 minutes", expect![[r#"
        error: watch does not fit
          --> small.yaml:11:42
           |
        11 |   canary: { steps: [{ weight: 5%, watch: 5 minutes }] }
           |                                          ^^^^^^^^^ expected a duration of up to 30 days like "30s", "5m" or "1h30m", found the text "5 minutes"

        1 error
    "#]]);
    check_path("5m", "300", expect![[r#"
        error: watch does not fit
          --> small.yaml:11:42
           |
        11 |   canary: { steps: [{ weight: 5%, watch: 300 }] }
           |                                          ^^^ expected a duration of up to 30 days like "30s", "5m" or "1h30m", found the integer 300

        1 error
    "#]]);
    check_path("5%", "5", expect![[r#"
        error: weight does not fit
          --> small.yaml:11:31
           |
        11 |   canary: { steps: [{ weight: 5, watch: 5m }] }
           |                               ^ expected a share from "0%" to "100%" with at most two decimals, like "5%" or "0.5%", found the integer 5

        1 error
    "#]]);
    check_path("5%", "101%", expect![[r#"
        error: weight does not fit
          --> small.yaml:11:31
           |
        11 |   canary: { steps: [{ weight: 101%, watch: 5m }] }
           |                               ^^^^ expected a share from "0%" to "100%" with at most two decimals, like "5%" or "0.5%", found the text "101%"

        1 error
    "#]]);
    check_path("version: 1.0.0", "version: 1.0", expect![[r#"
        error: the path's version does not fit
         --> small.yaml:3:35
          |
        3 | metadata: { name: small, version: 1.0 }
          |                                   ^^^ expected a semantic version like "1.2.0", found the number 1.0

        1 error
    "#]]);
    check_path("name: small", "name: Small", expect![[r#"
        error: the path's name is not a valid name
         --> small.yaml:3:19
          |
        3 | metadata: { name: Small, version: 1.0.0 }
          |                   ^^^^^ expected 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends

        1 error
    "#]]);
    check_path("health:\n  - {", "onFailure: shrug\nhealth:\n  - {", expect![[r#"
        error: onFailure does not fit
          --> small.yaml:12:12
           |
        12 | onFailure: shrug
           |            ^^^^^ expected rollback or pause, found the text "shrug"

        1 error
    "#]]);
}

#[test]
fn strategies_must_make_sense() {
    check_path("[{ weight: 5%, watch: 5m }]", "[]", expect![[r#"
        error: a canary has at least one step
          --> small.yaml:11:20
           |
        11 |   canary: { steps: [] }
           |                    ^ expected [{ weight: 5%, watch: 5m }]

        1 error
    "#]]);
    check_path("5m }]", "5m }, { weight: 5%, watch: 5m }, { weight: 3%, watch: 5m }]", expect![[r#"
        error: the weights of a canary must grow
          --> small.yaml:11:58
           |
        11 | : [{ weight: 5%, watch: 5m }, { weight: 5%, watch: 5m }, { weight: 3%, watch: 5m }] }
           |                                         ^^ expected more than 5%, found 5%

        error: the weights of a canary must grow
          --> small.yaml:11:85
           |
        11 | }, { weight: 5%, watch: 5m }, { weight: 3%, watch: 5m }] }
           |                                         ^^ expected more than 5%, found 3%

        2 errors
    "#]]);
    check_path("weight: 5%", "weight: 0%", expect![[r#"
        error: a step without traffic watches nothing
          --> small.yaml:11:31
           |
        11 |   canary: { steps: [{ weight: 0%, watch: 5m }] }
           |                               ^^ expected more than 0%, or mirror or match, found 0%

        1 error
    "#]]);
    check_path("watch: 5m }", "watch: 5m, health: [health-htp] }", expect![[r#"
        error: unknown health check "health-htp"
          --> small.yaml:11:55
           |
        11 |   canary: { steps: [{ weight: 5%, watch: 5m, health: [health-htp] }] }
           |                                                       ^^^^^^^^^^
           |
           = known health checks: health-http
           = hint: did you mean "health-http"?

        1 error
    "#]]);
    check_path("health:\n  - {", "health: []\nx:\n  - {", expect![[r#"
        error: there is no health check to watch with
          --> small.yaml:11:42
           |
        11 |   canary: { steps: [{ weight: 5%, watch: 5m }] }
           |                                          ^^
           |
           = hint: declare one under health, or this step would find everything healthy without a look

        error: unknown key "x" in a golden path
          --> small.yaml:13:1
           |
        13 | x:
           | ^
           |
           = known keys: apiVersion, kind, metadata, parameters, environments, run, gates, approval, strategy, health, soak, onFailure, onInconclusive, patience, policies

        2 errors
    "#]]);
    check_path(STEPS, "{}", expect![[r#"
        error: a path has one strategy
          --> small.yaml:11:3
           |
        11 |   {}
           |   ^ expected one of canary, blue-green, rolling, recreate, found 0

        1 error
    "#]]);
}

#[test]
fn yaml_that_surprises_is_refused() {
    check_path("kind: GoldenPath", "kind: GoldenPath\nkind: GoldenPath", expect![[r#"
        error: the key "kind" is there twice
         --> small.yaml:3:1
          |
        3 | kind: GoldenPath
          | ^^^^ first on line 2

        1 error
    "#]]);
    check_path("metadata: {", "metadata: &m {", expect![[r#"
        error: anchors are not read
         --> small.yaml:3:11
          |
        3 | metadata: &m { name: small, version: 1.0.0 }
          |           ^^^^^ write the value out where it is needed

        1 error
    "#]]);
    check_path("metadata: { name: small, version: 1.0.0 }", "metadata: *m", expect![[r#"
        error: this is not YAML
         --> small.yaml:3:11
          |
        3 | metadata: *m
          |           ^ while parsing node, found unknown anchor

        1 error
    "#]]);
    check_path("parameters:\n", "parameters:\n  <<: { type: object }\n", expect![[r#"
        error: merge keys are not read
         --> small.yaml:5:3
          |
        5 |   <<: { type: object }
          |   ^^ write the values out where they are needed

        1 error
    "#]]);
    check_path("name: small", "name: !!str small", expect![[r#"
        error: tags are not read
         --> small.yaml:3:19
          |
        3 | metadata: { name: !!str small, version: 1.0.0 }
          |                   ^^^^^^^^^^^ the schema says what a value is

        1 error
    "#]]);
    check_path("{ path: /healthz }", "{ path: ${parameters.port} }", expect![[r#"
        error: this is not YAML
          --> small.yaml:13:40
           |
        13 |   - { use: health-http, with: { path: ${parameters.port} } }
           |                                        ^ while parsing a flow mapping, did not find expected ',' or '}'
           |
           = hint: an expression inside braces or brackets needs quotes: "${…}"

        1 error
    "#]]);
    check(parse_path("", "empty.yaml"), expect![[r#"
        error: the file empty.yaml is empty

        1 error
    "#]]);
    check(parse_path("a: 1\n---\nb: 2\n", "two.yaml"), expect![[r#"
        error: the file holds a second document
         --> two.yaml:2:1
          |
        2 | ---
          | ^^^ one file, one document

        1 error
    "#]]);
    check(parse_path(&"[".repeat(40), "deep.yaml"), expect![[r#"
        error: values are nested too deep
         --> deep.yaml:1:33
          |
        1 | [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
          |                                 ^ at most 32 levels are read

        1 error
    "#]]);
    check(parse_path("just a text", "text.yaml"), expect![[r#"
        error: a golden path does not fit
         --> text.yaml:1:1
          |
        1 | just a text
          | ^^^^^^^^^^^ expected a mapping with apiVersion, kind, metadata, parameters, environments, run, gates, approval, strategy, health, soak, onFailure, onInconclusive, patience, policies, found the text "just a text"

        1 error
    "#]]);
}

#[test]
fn expressions_are_read_before_anybody_uses_the_path() {
    check_path("\"${parameters.port}\"", "\"${parameters.port +}\"", expect![[r#"
        error: the expression cannot be read
         --> small.yaml:9:51
          |
        9 | run: { command: "${parameters.command}", port: "${parameters.port +}" }
          |                                                   ^^^^^^^^^^^^^^^^^ Syntax error: mismatched input '<EOF>'

        1 error
    "#]]);
    check_path("\"${parameters.port}\"", "\"${parameters.prt}\"", expect![[r#"
        error: there is no parameters.prt
         --> small.yaml:9:51
          |
        9 | run: { command: "${parameters.command}", port: "${parameters.prt}" }
          |                                                   ^^^^^^^^^^^^^^
          |
          = known: command, port
          = hint: did you mean "port"?

        1 error
    "#]]);
    check_path("\"${parameters.port}\"", "\"${paramters.port}\"", expect![[r#"
        error: unknown variable "paramters"
         --> small.yaml:9:51
          |
        9 | run: { command: "${parameters.command}", port: "${paramters.port}" }
          |                                                   ^^^^^^^^^^^^^^
          |
          = in paramters.port
          = known variables: parameters, environment, service, release, change
          = hint: did you mean "parameters"?

        1 error
    "#]]);
    check_path("\"${parameters.port}\"", "\"http://${parameters.port}\"", expect![[r#"
        error: an expression must be the whole value
         --> small.yaml:9:48
          |
        9 | run: { command: "${parameters.command}", port: "http://${parameters.port}" }
          |                                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ found other text around ${…}
          |
          = hint: build texts inside the expression: ${'http://' + parameters.host}

        1 error
    "#]]);
    check_path("\"${parameters.port}\"", "\"${parameters.port\"", expect![[r#"
        error: an expression must be the whole value
         --> small.yaml:9:48
          |
        9 | run: { command: "${parameters.command}", port: "${parameters.port" }
          |                                                ^^^^^^^^^^^^^^^^^^^^ found other text around ${…}
          |
          = hint: build texts inside the expression: ${'http://' + parameters.host}

        1 error
    "#]]);
    check_path("\"${parameters.port}\"", "\"${environment.teir}\"", expect![[r#"
        error: there is no environment.teir
         --> small.yaml:9:51
          |
        9 | run: { command: "${parameters.command}", port: "${environment.teir}" }
          |                                                   ^^^^^^^^^^^^^^^^
          |
          = known: name, tier, configuration
          = hint: did you mean "tier"?

        1 error
    "#]]);
    check_path("\"${parameters.port}\"", "\"${lowercase(service.name)}\"", expect![[r#"
        error: unknown function "lowercase"
         --> small.yaml:9:51
          |
        9 | run: { command: "${parameters.command}", port: "${lowercase(service.name)}" }
          |                                                   ^^^^^^^^^^^^^^^^^^^^^^^
          |
          = in lowercase(service.name)
          = known functions: size, contains, startsWith, endsWith, string, int, uint, double, bool, bytes, dyn, type, value

        1 error
    "#]]);
}

#[test]
fn the_parameters_must_be_a_schema_whose_defaults_fit() {
    check_path("maximum: 65535", "maximum: much", expect![[r#"
        error: the parameters are not a JSON Schema
         --> small.yaml:8:37
          |
        8 |     port: { type: integer, maximum: much }
          |                                     ^^^^ "much" is not of type "number"

        1 error
    "#]]);
    check_path("maximum: 65535", "maximum: 65535, default: 70000", expect![[r#"
        error: the default of "port" is out of range
         --> small.yaml:8:53
          |
        8 |     port: { type: integer, maximum: 65535, default: 70000 }
          |                                                     ^^^^^ expected at most 65535, found the integer 70000

        1 error
    "#]]);
    check_path("{ type: array }", "{ $ref: 'https://example.com/schema.json' }", expect![[r#"
        error: the parameters' schema cannot be used
         --> small.yaml:5:3
          |
        5 |   type: object
          |   ^ Resource 'https://example.com/schema.json' is not present in a registry and retrieving it failed: Retrieval is disabled, cannot fetch https://example.com/schema.json

        1 error
    "#]]);
    check_path("  type: object\n", "  type: array\n", expect![[r#"
        error: the parameters' schema must say type: object
         --> small.yaml:5:3
          |
        5 |   type: array
          |   ^ expected type: object

        1 error
    "#]]);
}

#[test]
fn a_file_with_many_errors_shows_them_all_in_order() {
    let text = small(STEPS).replace("kind: GoldenPath", "kind: Goldenpath").replace("5m", "soon").replace("use:", "uses:");
    check(parse_path(&text, "small.yaml"), expect![[r#"
        error: kind does not fit
         --> small.yaml:2:7
          |
        2 | kind: Goldenpath
          |       ^^^^^^^^^^ expected "GoldenPath", found the text "Goldenpath"

        error: watch does not fit
          --> small.yaml:11:42
           |
        11 |   canary: { steps: [{ weight: 5%, watch: soon }] }
           |                                          ^^^^ expected a duration of up to 30 days like "30s", "5m" or "1h30m", found the text "soon"

        error: there is no health check to watch with
          --> small.yaml:11:42
           |
        11 |   canary: { steps: [{ weight: 5%, watch: soon }] }
           |                                          ^^^^
           |
           = hint: declare one under health, or this step would find everything healthy without a look

        error: the key "use" is missing in a health check
          --> small.yaml:13:5
           |
        13 |   - { uses: health-http, with: { path: /healthz } }
           |     ^^ expected use: the name of a plugin

        error: unknown key "uses" in a health check
          --> small.yaml:13:7
           |
        13 |   - { uses: health-http, with: { path: /healthz } }
           |       ^^^^
           |
           = known keys: use, with, name, when, every, failures, errors
           = hint: did you mean "use"?

        5 errors
    "#]]);
}

#[test]
fn services_and_environments_are_read_as_strictly() {
    check(parse_service(&HELLO.replace("^1.0", "one"), "hello.yaml"), expect![[r#"
        error: the path's version does not fit
         --> hello.yaml:9:12
          |
        9 |   version: one
          |            ^^^ expected a range of versions like "^2.1" or "=1.0.3", found the text "one"

        1 error
    "#]]);
    check(parse_service(&HELLO.replace("path:\n  name: web-canary\n  version: ^1.0\n", ""), "hello.yaml"), expect![[r#"
        error: the key "path" is missing in a service
         --> hello.yaml:2:1
          |
        2 | apiVersion: towpath.dev/v1
          | ^ expected path: { name: web-canary, version: "^1.0" }

        1 error
    "#]]);
    check(parse_service(&HELLO.replace("parameters:\n      watch", "paramaters:\n      watch"), "hello.yaml"), expect![[r#"
        error: unknown key "paramaters" in an environment of a service
          --> hello.yaml:20:5
           |
        20 |     paramaters:
           |     ^^^^^^^^^^
           |
           = known keys: parameters
           = hint: did you mean "parameters"?

        1 error
    "#]]);
    check(parse_environment(&LOCAL.replace("development", "dev"), "local.yaml"), expect![[r#"
        error: tier does not fit
         --> local.yaml:6:7
          |
        6 | tier: dev
          |       ^^^ expected development or staging or production or ephemeral, found the text "dev"

        1 error
    "#]]);
    check(parse_environment(&LOCAL.replace("use: target-local", "uses: target-local"), "local.yaml"), expect![[r#"
        error: unknown key "uses" in target
         --> local.yaml:8:3
          |
        8 |   uses: target-local
          |   ^^^^
          |
          = known keys: use, with
          = hint: did you mean "use"?

        error: the key "use" is missing in target
         --> local.yaml:8:3
          |
        8 |   uses: target-local
          |   ^ expected use: the name of a plugin

        2 errors
    "#]]);
}

#[test]
fn a_terminal_does_not_obey_a_file() {
    let text = small(STEPS).replace("kind: GoldenPath", "kind: \"Golden\u{1b}[31mPath\"");
    let found = parse_path(&text, "small.yaml").unwrap_err();
    assert!(!render_diagnostics(&found).contains('\u{1b}'), "an escape sequence reached the text");
}
