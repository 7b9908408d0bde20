//! A world that does at once what it is told, and is well until a test says otherwise.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use api::{ArtifactReference, Artifacts, ArtifactsError, PluginInfo, Plugins, PluginsError};
use async_trait::async_trait;
use engine::Driver;
use model::{
    Artifact, Assessment, BasisPoints, Call, Desired, Digest, GateAnswer, Measurement, Observation, OperationKind, PluginUse,
    Progress, Report, ReportOutcome, Side, SideObservation, State, Verdict,
};
use path::TargetDescriptor;
use sha2::{Digest as _, Sha256};

/// The world.
#[derive(Default)]
pub(crate) struct World {
    /// Whether the candidate is ill.
    pub(crate) ill: AtomicBool,
    /// The plugins' build: another one has other digests.
    pub(crate) build: Mutex<u8>,
}

#[async_trait]
impl Driver for World {
    async fn perform(&self, call: Call, _plugin: PluginUse, _state: &State) -> Report {
        let outcome = match &call.operation.kind {
            OperationKind::Reconcile { desired } => {
                let fence = call.operation.fence.unwrap_or_default();
                ReportOutcome::Progress(Progress::Converged(Observation { highest_fence: fence, ..observed(desired) }))
            }
            OperationKind::Look { .. } => ReportOutcome::Look(self.look()),
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
    fn look(&self) -> Assessment {
        let ill = self.ill.load(Ordering::Relaxed);
        let errors = Measurement {
            name: "error-rate".to_owned(),
            value_micros: if ill { 500_000 } else { 0 },
            unit: "ratio".to_owned(),
            side: Some(Side::Candidate),
            limit_micros: Some(10_000),
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
            settings_schema: "{}".to_owned(),
            bytes: 1,
        };
        [("health-http", "health"), ("target-local", "target")].into_iter().map(plugin).collect()
    }

    async fn describe_target(&self, name: &str, _settings: &str) -> Result<TargetDescriptor, PluginsError> {
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
        match reference {
            ArtifactReference::Local(path) if path.starts_with("/srv/") => {
                Ok(Artifact { reference: path.clone(), digest: Digest(Sha256::digest(path.as_bytes()).into()) })
            }
            ArtifactReference::Local(path) => Err(ArtifactsError::NotFound(format!("{path} is not there"))),
            ArtifactReference::Pinned { name, digest } => Ok(Artifact { reference: name.clone(), digest: *digest }),
        }
    }
}
