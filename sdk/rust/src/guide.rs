//! Guides, one per question that an author has. They hold no code of their own; every example in them is compiled and run.

pub mod gate {
    //! A gate answers a yes/no/wait question once before a step: may it go on?
    //!
    //! Implement [`crate::Gate`]. A gate fails closed: without evidence there is no pass, and what cannot be read is an error.
    //!
    //! ```
    //! use towpath_sdk::prelude::*;
    //!
    //! #[derive(serde::Deserialize, schemars::JsonSchema)]
    //! #[serde(rename_all = "camelCase", deny_unknown_fields)]
    //! struct Settings {
    //!     /// Who must have signed.
    //!     owner: String,
    //! }
    //!
    //! struct SignedOff;
    //!
    //! impl Gate for SignedOff {
    //!     type Settings = Settings;
    //!
    //!     fn evaluate(question: &Question<Settings>) -> Answer {
    //!         let owner = &question.settings.owner;
    //!         match question.evidence.iter().find(|evidence| evidence.kind == "sign-off" && evidence.name == *owner) {
    //!             Some(evidence) if evidence.content == b"yes" => Answer::pass(format!("{owner} signed")),
    //!             Some(_) => Answer::fail(format!("{owner} said no")),
    //!             None => Answer::wait(60_000, format!("{owner} has not signed yet")),
    //!         }
    //!     }
    //! }
    //!
    //! towpath_sdk::export_gate!(SignedOff);
    //! # fn main() {}
    //! ```
    //!
    //! [`crate::gate::Answer::error`] means that the gate could not find out; it is never a pass.
}

pub mod health {
    //! A health check is asked again and again while the candidate takes traffic. The crate's first page has the smallest one.
    //!
    //! Implement [`crate::HealthCheck`]. What a check needs that asks others is in [`crate::helpers`]: [`placeholders`](crate::helpers::placeholders)
    //! in its settings, [`text`](crate::helpers::text) of theirs in a sentence, [`time`](crate::helpers::time) as they write it. No data is [`inconclusive`](crate::health::Assessment::inconclusive), never healthy. A look is
    //! short; what needs several looks is carried from one to the next as a state:
    //!
    //! ```
    //! use towpath_sdk::prelude::*;
    //! use towpath_sdk::units::Count;
    //!
    //! #[derive(serde::Deserialize, schemars::JsonSchema)]
    //! #[serde(deny_unknown_fields)]
    //! struct Settings {}
    //!
    //! /// What one look leaves to the next. A state of another form is read as the default.
    //! #[derive(Default, serde::Serialize, serde::Deserialize)]
    //! struct Seen {
    //!     good_looks: u32,
    //! }
    //!
    //! struct ThreeInARow;
    //!
    //! impl HealthCheck for ThreeInARow {
    //!     type Settings = Settings;
    //!
    //!     fn assess(look: &Look<Settings>) -> Assessment {
    //!         let Some(endpoint) = look.candidate_endpoint() else { return Assessment::inconclusive("it has no endpoint") };
    //!         let good = powers::http::get(&format!("http://{endpoint}/")).is_ok_and(|answer| answer.is_success());
    //!         let good_looks = if good { look.state::<Seen>().good_looks.saturating_add(1) } else { 0 };
    //!         let measured = Measurement::of("good-looks", Count(good_looks.into())).with_limit(Count(3.0)).measurement();
    //!         let found = match good_looks {
    //!             0 => Assessment::unhealthy("it does not answer with success"),
    //!             1..3 => Assessment::inconclusive("it has not answered three times in a row yet"),
    //!             _ => Assessment::healthy("it answered three times in a row"),
    //!         };
    //!         found.measured([measured]).remembering(&Seen { good_looks })
    //!     }
    //! }
    //!
    //! towpath_sdk::export_health_check!(ThreeInARow);
    //! # fn main() {}
    //! ```
}

pub mod target {
    //! A target moves an environment toward a desired state. Implement [`crate::Target`].
    //!
    //! - `reconcile` is called again and again with the same absolute state until it says that it has converged. It is idempotent: its
    //!   answer may be lost, and the next call comes with `outcome_unknown`.
    //! - Every write carries the context's fence. A target writes it down beside what it makes and refuses lower ones in the same write
    //!   (compare and set); see [`crate::helpers::stamp`]. A target that cannot says [`crate::target::Fencing::Quiesce`].
    //! - `observe` says what was seen, not what was ordered.
    //! - What is not ours stays as it is: [`crate::helpers::compare`] makes a patch of our fields alone, [`crate::helpers::patch`] the
    //!   `test` operations that make it compare and set, [`crate::helpers::retry`] faults and waits of an answer.
    //! - What it cannot do it refuses: a rule that is left out serves the wrong people.
    //!
    //! A complete target is in `examples/target-documents` of the repository: one document that is compared and set over HTTP. A target's
    //! tests run [`conformance::target`](crate::testing::conformance::target()), which [`super::testing`] shows.
    //!
    //! ```
    //! use std::collections::BTreeMap;
    //! use towpath_sdk::helpers::stamp::{Order, Stamp};
    //! use towpath_sdk::target::Progress;
    //! use towpath_sdk::{Context, Fault};
    //!
    //! /// Returns why a call must not write to something with these labels, if it must not.
    //! fn refused(context: &Context, labels: &BTreeMap<String, String>) -> Option<Progress> {
    //!     match Stamp::order(labels, context.fence) {
    //!         Order::MayWrite => None,
    //!         Order::Superseded(highest) => Some(Progress::Superseded(highest)),
    //!         Order::Unreadable => Some(Progress::Failed(Fault::permanent("the stored fence is no number"))),
    //!     }
    //! }
    //! # let labels = BTreeMap::from([("towpath-fence".to_owned(), "9".to_owned())]);
    //! # assert!(matches!(refused(&towpath_sdk::testing::context("{}"), &labels), Some(Progress::Superseded(9))));
    //! ```
}

pub mod settings {
    //! Settings are a type: serde reads it, schemars makes the JSON Schema in the plugin's manifest, which the server checks files
    //! against before anything runs. Doc comments become descriptions.
    //!
    //! ```
    //! use schemars::JsonSchema;
    //! use serde::Deserialize;
    //!
    //! /// How the check is set up.
    //! #[derive(Deserialize, JsonSchema)]
    //! #[serde(rename_all = "camelCase", deny_unknown_fields, default)]
    //! struct Settings {
    //!     /// The path that is asked for.
    //!     #[schemars(length(min = 1, max = 1000), regex(pattern = "^/"), example = "/healthz")]
    //!     path: String,
    //!     /// How many failures are too many.
    //!     #[schemars(range(min = 1, max = 20))]
    //!     failures_max: u32,
    //! }
    //!
    //! impl Default for Settings {
    //!     fn default() -> Self {
    //!         Self { path: "/".to_owned(), failures_max: 3 }
    //!     }
    //! }
    //!
    //! let schema: serde_json::Value = serde_json::from_str(&towpath_sdk::settings_schema::<Settings>()).expect("JSON");
    //! assert_eq!(schema["properties"]["failuresMax"]["default"], 3);
    //! assert_eq!(schema["properties"]["failuresMax"]["maximum"], 20);
    //! assert_eq!(schema["properties"]["path"]["examples"][0], "/healthz");
    //! assert_eq!(schema["additionalProperties"], false);
    //! # let settings = Settings::default();
    //! # assert!(settings.path.len() < 1000 && settings.failures_max < 20);
    //! ```
    //!
    //! `deny_unknown_fields` is what has a misspelt key refused by its name. Settings that do not fit end a call before your code runs.
}

pub mod files;

pub mod testing;

pub mod powers {
    //! What a plugin may do beyond computing: what its manifest asks for **and** an operator granted. Three people meet in a power:
    //!
    //! - The author names it in `Cargo.toml`, with a reason that an operator reads before saying yes:
    //!
    //!   ```toml
    //!   [package.metadata.towpath.powers]
    //!   http = "reads the length of the queue"
    //!   secret = "signs requests with the queue's own scheme"
    //!   ```
    //!
    //! - The operator grants as little of it as will do, per environment, and for a time:
    //!
    //!   ```text
    //!   towpath plugin grant health-queue --environment production --expires 30d \
    //!       --powers '{"http": {"allow": [{"host": "queue.example", "path": "/length"}]}}'
    //!   ```
    //!
    //! - The host asks the grant at every use. A refusal fails the call, whatever the plugin makes of it, and its error holds the line that
    //!   would grant what was asked for. So code handles a refusal like any other error, and needs no branch of its own:
    //!
    //! ```
    //! use towpath_sdk::powers::http;
    //! use towpath_sdk::testing::{World, in_world};
    //!
    //! struct Nobody;
    //!
    //! impl World for Nobody {}
    //!
    //! let error = in_world(Nobody, || http::get("https://queue.example/length")).expect_err("nothing is granted");
    //! assert!(matches!(error, http::Error::Refused(_)));
    //! ```
    //!
    //! | Power | Is for | The grant says |
    //! |---|---|---|
    //! | [`http`](crate::powers::http) | requests | scheme, host, port, methods, path below which; whether inside the network; how large an answer may be and how long it may take; credentials that the host adds and the plugin never sees |
    //! | [`command`](crate::powers::command) | programs on the server's machine | which program under which name, its arguments, how many more and of what form; how much time, memory and file it may use |
    //! | [`ssh`](crate::powers::ssh) | commands and files on hosts, many at once | host, pinned key, user, command lines, folders |
    //! | [`artifact`](crate::powers::artifact) | reading what is deployed, and its checksums | yes or no; only the call's own artifacts |
    //! | [`secret`](crate::powers::secret) | a secret that the plugin itself must see | its name, and where it is kept |
    //! | [`runtime`](crate::powers::runtime) | the local runtime: what shall run, what runs, its log lines | yes or no; scope, fence and key are the host's |
    //! | [`telemetry`](crate::powers::telemetry) | what the service measures of itself, and what is usual | yes or no; the scope is the host's |
    //! | [`log`](crate::powers::log), [`measure`](crate::powers::measure), [`clock`](crate::powers::clock), [`random`](crate::powers::random) | lines, numbers, time, randomness | nothing: they are granted unless they are taken away |
    //!
    //! Ask for credentials as `http` credentials or `ssh` keys first: with those the plugin holds nothing that it could leak. What
    //! `secret` shows is taken out of log, traces, answers and errors of the call, and may not stand in a state.
    //!
    //! Every use is counted and shown in the plugin's page (`towpath plugin inspect`), and `towpath plugin run` prints each one.
}

pub mod publishing {
    //! From a folder to an operator's server. `sdk/README.md` of the repository types every line of it.
    //!
    //! ```text
    //! towpath plugin build                       the component, with its manifest
    //! towpath plugin check health-queue.wasm     what a host will refuse, what it asks for, what it costs to compile
    //! towpath plugin test health-queue.wasm --case case.json    proves what its kind owes
    //! towpath plugin push health-queue.wasm registry.example/team/health-queue:1.0.0
    //! towpath plugin key release                 release.key and release.pub, once
    //! towpath plugin sign registry.example/team/health-queue@sha256:… --key release.key
    //! ```
    //!
    //! - The version in `Cargo.toml` is the plugin's; the SDK's version is the contract's, and has nothing to do with it.
    //! - A registry holds it in the layout of Wasm OCI artifacts: tools of others can read it, mirror it and scan it. `cosign verify --key
    //!   release.pub` believes the signature, and what cosign has signed is believed here.
    //! - Powers are part of the promise. A new version that asks for no more takes over the name and the grants; one that asks for more waits until
    //!   an operator approved it. So ask for a power in the version that needs it, and say why.
    //! - Settings are read by people and kept in files of theirs: add fields with defaults, and keep the old ones readable.
    //! - Releases of services pin the digest that they were made with. A new version is used by the next release, never by a deployment that runs.
    //!
    //! The operator's side is three lines:
    //!
    //! ```text
    //! towpath plugin install registry.example/team/health-queue:1.0.0
    //! towpath plugin inspect health-queue
    //! towpath plugin grant health-queue --environment staging --powers '…'
    //! ```
}
