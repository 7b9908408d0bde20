//! A plugin's tests are ordinary `cargo test`: the powers act on a fake [`World`](crate::testing::World), and the suites of
//! [`conformance`](crate::testing::conformance) take something away from a good case and see that the plugin notices.
//!
//! ```
//! use towpath_sdk::powers::secret;
//! use towpath_sdk::testing::{World, in_world};
//!
//! struct Vault;
//!
//! impl World for Vault {
//!     fn reveal(&mut self, _: &str) -> Result<String, secret::Error> {
//!         Ok("a token".to_owned())
//!     }
//! }
//!
//! assert!(in_world(Vault, || secret::reveal("api")).is_ok());
//! // Outside of it nothing is granted.
//! assert!(matches!(secret::reveal("api"), Err(secret::Error::Refused(_))));
//! ```
//!
//! A target needs a world that keeps what is written to it. [`Documents`](crate::testing::worlds::Documents) is an object store over
//! HTTP in memory, [`Runtime`](crate::testing::worlds::Runtime) a local runtime; both compare and set, and lose an answer, fall silent or
//! stop half-way when a test asks them to. For another power, implement [`Faulty`](crate::testing::worlds::Faulty) for a world of your own.
//! What gates and health checks ask answers [`Scripted`](crate::testing::worlds::Scripted): a service, its metrics, programs, secrets.
//!
//! The suite of targets is given the settings, how a release is configured, the world, and how to see in the world what runs; it
//! does the rest:
//!
//! ```
//! use towpath_sdk::prelude::*;
//! use towpath_sdk::powers::http::{Request, Response};
//! use towpath_sdk::target::{Fencing, SideObservation};
//! use towpath_sdk::testing::conformance::{self, Seen, TargetCase};
//! use towpath_sdk::testing::worlds::Documents;
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     /// Where the document is.
//!     url: String,
//! }
//!
//! /// What runs: fence, stable release, candidate.
//! type Runs = (u64, Option<String>, Option<String>);
//!
//! /// A target that knows neither weights nor instances: it writes down what shall run.
//! struct Notes;
//!
//! impl Target for Notes {
//!     type Settings = Settings;
//!
//!     fn describe(_: &Settings) -> Descriptor {
//!         Descriptor {
//!             weights: false,
//!             weight_granularity_basis_points: 10_000,
//!             header_match: false,
//!             cookie_match: false,
//!             sticky: false,
//!             mirror: false,
//!             instant_switch: true,
//!             fencing: Fencing::Native,
//!         }
//!     }
//!
//!     fn observe(call: &Call<Settings>) -> Result<Observation, Fault> {
//!         Ok(observation(&read(call)?.0))
//!     }
//!
//!     fn reconcile(call: &Call<Settings>, desired: &Desired) -> Progress {
//!         step(call, desired).unwrap_or_else(Progress::Failed)
//!     }
//!
//!     fn preview(call: &Call<Settings>, desired: &Desired) -> Result<Vec<String>, Fault> {
//!         let (now, then) = (read(call)?.0, wanted(call, desired));
//!         let same = (now.1, now.2) == (then.1, then.2);
//!         Ok(if same { vec![] } else { vec!["the note is replaced".to_owned()] })
//!     }
//! }
//!
//! fn step(call: &Call<Settings>, desired: &Desired) -> Result<Progress, Fault> {
//!     let (now, version) = read(call)?;
//!     if now.0 > call.context.fence {
//!         return Ok(Progress::Superseded(now.0));
//!     }
//!     let wanted = wanted(call, desired);
//!     if now != wanted {
//!         let condition = version.map_or(("if-none-match", "*".to_owned()), |version| ("if-match", version));
//!         let answer = ask(&Request::new("PUT", &call.settings.url).header(condition.0, condition.1).json(&wanted))?;
//!         if !answer.is_success() {
//!             return Err(Fault::retryable(format!("the note was not taken: status {}", answer.status)));
//!         }
//!     }
//!     let there = read(call)?.0;
//!     if there != wanted {
//!         return Err(Fault::retryable("somebody else replaced the note"));
//!     }
//!     Ok(Progress::Converged(observation(&there)))
//! }
//! fn ask(request: &Request) -> Result<Response, Fault> {
//!     request.send().map_err(|error| Fault::retryable(error.sentence()))
//! }
//! fn read(call: &Call<Settings>) -> Result<(Runs, Option<String>), Fault> {
//!     let answer = ask(&Request::get(&call.settings.url))?;
//!     let version = answer.header("etag").map(str::to_owned);
//!     let runs = if answer.status == 404 { Runs::default() } else { answer.json().map_err(Fault::permanent)? };
//!     Ok((runs, version))
//! }
//! fn wanted(call: &Call<Settings>, desired: &Desired) -> Runs {
//!     let release = |side: &Option<towpath_sdk::target::SideDesired>| side.as_ref().map(|side| side.release.clone());
//!     (call.context.fence, release(&desired.stable), release(&desired.candidate))
//! }
//! fn observation(runs: &Runs) -> Observation {
//!     let seen = |side, release: &Option<String>| {
//!         let release = release.clone()?;
//!         Some(SideObservation { side, artifact_digest: format!("sha256:{release}"), release, ready: 1, wanted: 1, endpoint: None })
//!     };
//!     Observation {
//!         sides: [seen(Side::Stable, &runs.1), seen(Side::Candidate, &runs.2)].into_iter().flatten().collect(),
//!         candidate_basis_points: 0,
//!         public_endpoint: None,
//!         highest_fence: runs.0,
//!         drift: vec![],
//!         state: None,
//!     }
//! }
//!
//! let settings = serde_json::json!({ "url": format!("{}/web", Documents::URL) });
//! conformance::target::<Notes, _>(&TargetCase::new(settings.to_string(), "{}", Documents::new, |world| {
//!     let note = world.document("web").map(|text| serde_json::from_slice::<Runs>(&text).expect("a note"));
//!     let (_, stable, candidate) = note.unwrap_or_default();
//!     Seen { stable, candidate, candidate_basis_points: 0 }
//! }));
//! ```
