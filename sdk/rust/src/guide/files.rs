//! The files that `towpath plugin` reads: what a plugin is, one call, and what it needs to know of a world to prove itself.
//!
//! All three are JSON with keys in camelCase; an unknown key is refused by its name. `towpath plugin new` makes those that a project needs.
//!
//! # `plugin.json`: what a plugin in another language is
//!
//! A crate says the same in its `Cargo.toml` (`[package]` and `[package.metadata.towpath]`), and its settings' schema comes from the type.
//!
//! ```json plugin
//! {
//!   "name": "gate-coverage",
//!   "version": "1.0.0",
//!   "description": "Holds the coverage of the tests against a minimum.",
//!   "kinds": ["gate"],
//!   "powers": { "http": "asks the service that keeps reports" },
//!   "source": "gate.js",
//!   "settings": {
//!     "gate": {
//!       "type": "object",
//!       "properties": { "linesMin": { "type": "number", "minimum": 0, "maximum": 1 } },
//!       "additionalProperties": false
//!     }
//!   }
//! }
//! ```
//!
//! | Key | Is |
//! |---|---|
//! | `name`, `version`, `description` | what operators read; the name is 1 to 64 of a-z, 0-9 and `-`, beginning with a letter |
//! | `kinds` | `gate`, `health`, `target`; one component may be several |
//! | `powers` | the powers that it asks for, with the reason for each; absent: none |
//! | `source` | the file that exports the kinds; its ending says the language: `.js` or `.py` |
//! | `settings` | for each kind the JSON Schema (2020-12) of its settings |
//!
//! # `call.json`: one call, for `towpath plugin run`
//!
//! ```json call
//! {
//!   "call": "assess",
//!   "settings": { "path": "/healthz" },
//!   "grants": { "http": { "subjects": true } },
//!   "context": { "attempt": 2, "timeoutMs": 5000, "state": { "text": "{\"goodLooks\":1}" } },
//!   "subjects": {
//!     "stable": { "release": "v1", "endpoint": "127.0.0.1:3999", "ready": 2, "wanted": 2, "basisPoints": 9500 },
//!     "candidate": { "release": "v2", "label": "second", "endpoint": "127.0.0.1:4000", "ready": 1, "wanted": 1, "basisPoints": 500 },
//!     "publicEndpoint": "127.0.0.1:8080"
//!   },
//!   "window": { "startedMs": 1767225600000, "endsMs": 1767225660000 }
//! }
//! ```
//!
//! | Key | Is |
//! |---|---|
//! | `call` | `describe`, `observe`, `reconcile` or `preview` of a target, `evaluate` of a gate, `assess` of a health check |
//! | `settings` | the plugin's settings; absent: an empty object |
//! | `grants` | what it may do, as `towpath plugin grant` takes it; absent: what everybody may |
//! | `context` | `service`, `environment`, `deployment`, `operationKey`, `fence`, `attempt`, `timeoutMs` (30000), `outcomeUnknown`, `state`, `artifactDigest` |
//! | `desired` | for `reconcile` and `preview`: `stable` and `candidate`, each with `release`, `artifactReference`, `artifactDigest`, `configuration`, `capacityPercent` (100); and `traffic` with `candidateBasisPoints`, `matches`, `mirrorBasisPoints`, `sticky` |
//! | `evidence` | for `evaluate`: a list of `kind`, `name`, `mediaType`, `digest`, `content` |
//! | `subjects`, `window` | for `assess`, as above |
//!
//! Bytes (`state`, `content`) are one of `{"text": "…"}`, `{"hex": "00ff"}` and `{"file": "report.xml"}`, which is looked for beside the call. A
//! match of `traffic` is `{"on": {"header": "x-beta"}, "value": "1", "to": "candidate"}`, `sticky` is `{"cookie": "session"}` or a header.
//!
//! ```json call
//! {
//!   "call": "reconcile",
//!   "settings": { "url": "http://127.0.0.1:9000/documents" },
//!   "grants": { "http": { "allow": [{ "scheme": "http", "host": "127.0.0.1", "port": 9000, "methods": ["GET", "PUT"], "private": true }] } },
//!   "context": { "operationKey": "d-1/shift/2", "fence": 7, "outcomeUnknown": true },
//!   "desired": {
//!     "stable": { "release": "v1", "artifactDigest": "sha256:1111", "configuration": { "memory": "64Mi" }, "capacityPercent": 100 },
//!     "candidate": { "release": "v2", "artifactDigest": "sha256:2222" },
//!     "traffic": {
//!       "candidateBasisPoints": 500,
//!       "matches": [{ "on": { "header": "x-beta" }, "value": "1", "to": "candidate" }],
//!       "mirrorBasisPoints": 0,
//!       "sticky": { "cookie": "session" }
//!     }
//!   }
//! }
//! ```
//!
//! # `case.json`: a world to prove itself in, for `towpath plugin test`
//!
//! A case says what is good and what is not; the suite takes things away from the good and sees that the plugin notices. In `settings`, `{world}`
//! stands for the `host:port` of a server that the tool makes. What the case does not say is not asked, and listed as such.
//!
//! A gate is given evidence that passes and evidence that does not, and what it finds where it asks:
//!
//! ```json case
//! {
//!   "settings": { "owner": "ada", "url": "http://{world}/reports" },
//!   "grants": {},
//!   "gate": {
//!     "pass": [{ "kind": "sign-off", "name": "ada", "content": { "text": "yes" } }],
//!     "fail": [{ "kind": "sign-off", "name": "ada", "content": { "text": "no" } }],
//!     "world": {
//!       "answers": [{ "path": "/reports", "status": 200, "body": "{}", "mediaType": "application/json" }],
//!       "commands": [{ "name": "lint", "stdout": "clean", "stderr": "", "exitCode": 0 }]
//!     }
//!   }
//! }
//! ```
//!
//! A health check is given a world in which candidate `v2`, beside stable `v1`, is well, and one in which it is not:
//!
//! ```json case
//! {
//!   "settings": {},
//!   "health": {
//!     "healthy": [{ "path": "/healthz", "status": 200 }],
//!     "unhealthy": [{ "path": "*", "status": 503, "body": "overloaded" }],
//!     "healthyWorld": {
//!       "runtime": { "fence": 1, "counters": { "stable": null, "candidate": { "release": "v2", "sinceUnixMs": "{started}" } } },
//!       "telemetry": [{
//!         "metric": "http.server.request.duration",
//!         "release": "v2",
//!         "attributes": { "http.response.status_code": "200" },
//!         "windows": [{ "afterMs": 0, "lengthMs": 10000, "count": 3, "sum": 0.3, "min": 0.1, "max": 0.1, "bounds": [0.05, 0.2], "counts": [0, 3, 0] }]
//!       }],
//!       "usual": [{ "metric": "http.server.request.duration", "aspect": "mean", "minutes": 240, "mean": 0.1, "deviation": 0.02, "drift": 1.0 }]
//!     },
//!     "unhealthyWorld": {},
//!     "withoutEndpoint": false,
//!     "looks": 20
//!   }
//! }
//! ```
//!
//! A target is given two desired states, and what keeps what it writes: `documents` at `http://{world}/documents/` (the default), as
//! [`Documents`](crate::testing::worlds::Documents) has them, or a local `runtime`, as [`Runtime`](crate::testing::worlds::Runtime) is one.
//!
//! ```json case
//! {
//!   "settings": {},
//!   "target": {
//!     "keeps": "runtime",
//!     "desired": [
//!       { "stable": { "release": "v1", "artifactDigest": "sha256:1111", "configuration": { "command": ["./web"], "port": 8080 } } },
//!       {
//!         "stable": { "release": "v1", "artifactDigest": "sha256:1111", "configuration": { "command": ["./web"], "port": 8080 } },
//!         "candidate": { "release": "v2", "artifactDigest": "sha256:2222", "configuration": { "command": ["./web"], "port": 8080 } },
//!         "traffic": { "candidateBasisPoints": 1000 }
//!       }
//!     ]
//!   }
//! }
//! ```
//!
//! | Key | Is |
//! |---|---|
//! | `settings`, `grants` | as in a call; the world itself is granted anyway |
//! | `gate` | `pass`, `fail`, `world` |
//! | `health` | `healthy` and `unhealthy`: answers over HTTP; `healthyWorld` and `unhealthyWorld`: what else there is; `withoutEndpoint`: it judges without asking the candidate; `looks`: how many it may take (20) |
//! | `target` | `desired`, `keeps` |
//!
//! A world has `answers` (`path`, `*` for every one; `status`, `body`, `mediaType`), the status of the local `runtime`, `telemetry` (windows begin
//! `afterMs` after the watch did), what is `usual` (`aspect`: `mean`, `errors` or `rate`) and `commands`, which are run as real programs. In
//! the runtime's status the text `"{started}"` stands for the instant at which the watch began, in Unix milliseconds.
