//! A world that does at once what it is told, and is well until a test says otherwise.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{
    ArtifactReference, Artifacts, ArtifactsError, FetchError, Fetched, LatestUse, Material, Materials, Measured, MeasuredMetric,
    MeasuredScope, PluginInfo, PluginUsage, Plugins, PluginsError, Usual, UsualOf,
};
use async_trait::async_trait;
use engine::Driver;
use model::{
    Artifact, Assessment, BasisPoints, Call, Desired, Digest, EnvironmentName, GateAnswer, Measurement, Observation,
    OperationKind, PluginUse, Progress, Report, ReportOutcome, Scope, ServiceName, Side, SideObservation, State, Timestamp,
    Verdict,
};
use path::TargetDescriptor;
use sha2::{Digest as _, Sha256};
use tokio::sync::MutexGuard;

/// The world.
#[derive(Default)]
pub(crate) struct World {
    /// Whether the candidate is ill.
    pub(crate) ill: AtomicBool,
    /// The plugins' build: another one has other digests.
    pub(crate) build: Mutex<u8>,
    /// Whoever imports an artifact passes it, and so in the middle of making a release.
    pub(crate) import: Gate,
    /// Whoever asks a target what it can do passes it, and so in the middle of starting a deployment.
    pub(crate) describe: Gate,
    /// The catalog.
    pub(crate) store: Mutex<Option<Arc<dyn journal::Store>>>,
    /// Components whose bytes are there.
    kept: Mutex<Vec<PluginInfo>>,
    /// Components that the catalog knows.
    installed: Mutex<Vec<PluginInfo>>,
    /// Those that names stand for.
    named: Mutex<Vec<PluginInfo>>,
}

/// A place that a test can close, to do something in the middle of something else.
#[derive(Default)]
pub(crate) struct Gate {
    turn: tokio::sync::Mutex<()>,
    come: AtomicU32,
}

impl Gate {
    async fn pass(&self) {
        self.come.fetch_add(1, Ordering::Relaxed);
        drop(self.turn.lock().await);
    }

    /// Closes it until what is returned is dropped.
    pub(crate) async fn close(&self) -> MutexGuard<'_, ()> {
        let closed = self.turn.lock().await;
        self.come.store(0, Ordering::Relaxed);
        closed
    }

    /// Waits until somebody stands before it.
    pub(crate) async fn wait_for_somebody(&self) {
        while self.come.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await; // tidy: between two looks at the condition
        }
    }
}

#[async_trait]
impl Driver for World {
    async fn perform(&self, call: Call, plugin: PluginUse, _state: &State) -> Report {
        let outcome = match &call.operation.kind {
            OperationKind::Reconcile { desired } => {
                let fence = call.operation.fence.unwrap_or_default();
                ReportOutcome::Progress(Progress::Converged(Observation { highest_fence: fence, ..observed(desired) }))
            }
            OperationKind::Look { .. } => ReportOutcome::Look(self.look(plugin.settings.contains("contrary"))),
            OperationKind::AskGate => ReportOutcome::Gate {
                answer: GateAnswer::Pass,
                retry_after_ms: 0,
                measurements: Vec::new(),
                sentence: "fine".to_owned(),
            },
            OperationKind::Act { .. } | OperationKind::Undo { .. } => {
                ReportOutcome::Progress(Progress::Converged(Observation::default()))
            }
        };
        Report { key: call.operation.key, attempt: call.operation.attempt, outcome, plugin_state: None }
    }
}

fn observed(desired: &Desired) -> Observation {
    let side = |side: Side| {
        let wanted = desired.side(side).filter(|wanted| wanted.capacity.get() > 0)?;
        Some(SideObservation {
            side,
            release: wanted.release.id.clone(),
            digest: wanted.release.artifact.digest,
            ready: u32::from(wanted.capacity.get()),
            wanted: u32::from(wanted.capacity.get()),
            endpoint: None,
        })
    };
    Observation {
        sides: [Side::Stable, Side::Candidate].into_iter().filter_map(side).collect(),
        candidate_weight: desired.routing.share(Side::Candidate),
        public_endpoint: Some("127.0.0.1:80".to_owned()),
        ..Observation::default()
    }
}

impl World {
    /// What a check finds; one that is told to be contrary finds what is not so.
    fn look(&self, contrary: bool) -> Assessment {
        let ill = self.ill.load(Ordering::Relaxed) != contrary;
        let errors = Measurement {
            name: "error-rate".to_owned(),
            value_micros: if ill { 500_000 } else { 0 },
            unit: "ratio".to_owned(),
            side: Some(Side::Candidate),
            limit_micros: Some(10_000),
            samples: Some(1_290),
            interval: None,
            test: None,
        };
        Assessment {
            verdict: if ill { Verdict::Unhealthy } else { Verdict::Healthy },
            measurements: vec![errors],
            sentence: if ill { "half of all requests fail" } else { "all is well" }.to_owned(),
            plugin_state: None,
            next_look_after: None,
        }
    }
}

#[async_trait]
impl Plugins for World {
    fn list(&self) -> Vec<PluginInfo> {
        let build = *self.build.lock().unwrap();
        let plugin = |(name, kind): (&str, &str)| PluginInfo {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            digest: Digest([build; 32]),
            kinds: vec![kind.to_owned()],
            powers: vec![("log".to_owned(), "to say what it does".to_owned())],
            settings_schemas: Vec::new(),
            bytes: 1,
        };
        let own = [("health-http", "health"), ("target-local", "target")].into_iter().map(plugin);
        own.chain(self.named.lock().unwrap().iter().cloned()).collect()
    }

    fn by_digest(&self, digest: &Digest) -> Option<PluginInfo> {
        let own = Plugins::list(self).into_iter().find(|info| info.digest == *digest);
        own.or_else(|| self.installed.lock().unwrap().iter().find(|info| info.digest == *digest).cloned())
    }

    fn is_own(&self, name: &str) -> bool {
        ["health-http", "target-local"].contains(&name)
    }

    fn problem(&self, _digest: &Digest) -> Option<String> {
        None
    }

    fn own_materials(&self, _digest: &Digest) -> Option<Materials> {
        None
    }

    fn usage(&self, _digest: &Digest) -> PluginUsage {
        let latest =
            LatestUse { power: "http".to_owned(), what: "GET http://a:80/".to_owned(), outcome: "done", ..LatestUse::default() };
        PluginUsage { calls: 2, failed: 1, powers: vec![("http".to_owned(), [3, 1, 2])], latest: vec![latest] }
    }

    fn grant(&self, powers: &str) -> Result<serde_json::Value, String> {
        serde_json::from_str(powers).map_err(|error| error.to_string())
    }

    /// "/srv/NAME-POWER-POWER.wasm" is a component that asks for these powers.
    async fn fetch(&self, reference: &str) -> Result<Fetched, FetchError> {
        let missing = || FetchError::NotFound(format!("{reference} is not there"));
        let words = reference.strip_prefix("/srv/").and_then(|rest| rest.strip_suffix(".wasm")).ok_or_else(missing)?;
        let mut words = words.split('-').map(str::to_owned);
        let info = PluginInfo {
            name: words.next().unwrap(),
            version: "1.0.0".to_owned(),
            digest: Digest(Sha256::digest(reference.as_bytes()).into()),
            kinds: vec!["health".to_owned()],
            powers: words.map(|power| (power, "because".to_owned())).collect(),
            settings_schemas: vec![("health".to_owned(), r#"{"type":"object"}"#.to_owned())],
            bytes: 1,
        };
        let source = format!("file://{reference}");
        let serde = Material { name: "serde".to_owned(), version: "1.0.0".to_owned(), ..Material::default() };
        let materials = Some(Materials { format: "spdx".to_owned(), list: vec![serde], more: 2 });
        Ok(Fetched { info, component: vec![0], source, manifest_digest: None, signed_by: Vec::new(), materials })
    }

    async fn keep(&self, fetched: &Fetched) -> Result<(), FetchError> {
        self.kept.lock().unwrap().push(fetched.info.clone());
        Ok(())
    }

    async fn refresh(&self) -> Result<(), String> {
        let store = self.store.lock().unwrap().clone().expect("the rig gave one");
        let catalog = api::document::plugins_of(&*store).await?;
        let kept = self.kept.lock().unwrap();
        let is = |info: &&PluginInfo, digest: &str| info.digest.to_string() == digest;
        let known = catalog.installed.iter().filter_map(|plugin| kept.iter().find(|info| is(info, &plugin.digest)));
        *self.installed.lock().unwrap() = known.cloned().collect();
        let named = catalog.names.iter().filter_map(|name| kept.iter().find(|info| is(info, &name.digest)));
        *self.named.lock().unwrap() = named.cloned().collect();
        Ok(())
    }

    async fn describe_target(&self, name: &str, _settings: &str) -> Result<TargetDescriptor, PluginsError> {
        self.describe.pass().await;
        match name {
            "target-local" => Ok(TargetDescriptor {
                weights: true,
                weight_granularity: BasisPoints::new(1).unwrap(),
                header_match: true,
                cookie_match: true,
                sticky: true,
                mirror: true,
                instant_switch: true,
            }),
            other => Err(PluginsError { plugin: other.to_owned(), message: "it is not there".to_owned() }),
        }
    }
}

#[async_trait]
impl Artifacts for World {
    async fn import(&self, reference: &ArtifactReference) -> Result<Artifact, ArtifactsError> {
        self.import.pass().await;
        match reference {
            ArtifactReference::Local(path) if path.starts_with("/srv/") => {
                Ok(Artifact { reference: path.clone(), digest: Digest(Sha256::digest(path.as_bytes()).into()) })
            }
            ArtifactReference::Local(path) => Err(ArtifactsError::NotFound(format!("{path} is not there"))),
            ArtifactReference::Pinned { name, digest } => Ok(Artifact { reference: name.clone(), digest: *digest }),
        }
    }
}

impl Measured for World {
    fn list(&self, _: Timestamp) -> Vec<MeasuredScope> {
        let of = |service: &str, metrics| MeasuredScope {
            scope: Scope { service: ServiceName::new(service).unwrap(), environment: EnvironmentName::new("home").unwrap() },
            taken: 9,
            refused: 0,
            last_refusal: String::new(),
            series: 2,
            series_turned_away: 0,
            metrics,
            metrics_not_learnt: 0,
        };
        let usual = Usual { of: UsualOf::Errors, minutes: 60, mean: 0.01, deviation: 0.002, drift: Some(1.25) };
        vec![of("quick", vec![MeasuredMetric { name: "requests".to_owned(), usual: vec![usual] }]), of("slow", Vec::new())]
    }

    fn strangers(&self) -> (u64, String) {
        (3, "there is no service \"ghost\"".to_owned())
    }
}
