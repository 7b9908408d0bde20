//! One release of a service with its processes, as the scope keeps it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::Scope;
use tokio::sync::{Notify, watch};

use crate::counters::ReleaseCounters;
use crate::protocol::{Group, Side};
use crate::route::table::SideRoute;
use crate::route::upstream::Upstream;
use crate::scope::actor::Shared;
use crate::scope::plan::{Seen, SeenInstance, Verification};
use crate::supervise::instance::{Instance, Phase, Report, Settings, Surroundings};
use crate::supervise::logs::{GroupLog, folder_name};
use crate::supervise::process::Launch;
use crate::supervise::telemetry::Telemetry;

/// A release that runs, shall run, or is on its way out.
pub(crate) struct RunningGroup {
    pub(crate) id: String,
    /// As it was asked for last.
    pub(crate) wanted: Group,
    pub(crate) verification: Verification,
    /// Why the folder was refused; stays in sight while it is looked at again, until it is good.
    pub(crate) refusal: Option<String>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) counters: Arc<ReleaseCounters>,
    settings: watch::Sender<Settings>,
    log: GroupLog,
    /// Restarts of instances that are gone, so that the sum does not fall.
    buried_restarts: u32,
}

impl RunningGroup {
    pub(crate) fn new(id: &str, wanted: &Group, logs: &Path, counters: Arc<ReleaseCounters>) -> Self {
        Self {
            id: id.to_owned(),
            wanted: wanted.clone(),
            verification: Verification::Unknown,
            refusal: None,
            instances: Vec::new(),
            counters,
            settings: watch::channel(settings(wanted)).0,
            log: GroupLog::new(&logs.join(folder_name(&wanted.release, id))),
            buried_restarts: 0,
        }
    }

    /// Takes over what may change while the group runs. Asking again for a group that could not be verified means: look again.
    pub(crate) fn ask(&mut self, wanted: &Group) {
        self.wanted = wanted.clone();
        self.settings.send_replace(settings(wanted));
        if self.verification == Verification::Bad {
            self.verification = Verification::Unknown;
        }
    }

    /// Takes what the look at the folder found.
    pub(crate) fn verified(&mut self, result: Result<(), String>) {
        self.verification = if result.is_ok() { Verification::Good } else { Verification::Bad };
        self.refusal = result.err();
    }

    /// Starts an instance for each of the numbers.
    pub(crate) fn start(&mut self, numbers: &[u32], scope: &Scope, shared: &Shared, changed: &Arc<Notify>) {
        let Ok(digest) = model::Digest::parse(&self.wanted.artifact_digest) else { return };
        let launch = Arc::new(Launch {
            folder: shared.artifacts.folder(&digest),
            command: self.wanted.command.clone(),
            env: self.wanted.env.clone(),
            search_path: shared.options.service_path.clone(),
            telemetry: Telemetry {
                service: scope.service.to_string(),
                environment: scope.environment.to_string(),
                release: self.wanted.release.clone(),
                otlp_endpoint: shared.options.otlp_endpoint.clone(),
            },
        });
        for number in numbers {
            let surroundings = Surroundings {
                launch: launch.clone(),
                settings: self.settings.subscribe(),
                log: self.log.clone(),
                ports: shared.ports.clone(),
                records: shared.records.clone(),
                changed: changed.clone(),
            };
            self.instances.push(Instance::start(*number, surroundings));
        }
    }

    pub(crate) fn retire(&mut self, instance: u32, drain: Duration) {
        self.instances.iter_mut().filter(|i| i.id == instance).for_each(|i| i.retire(drain));
    }

    pub(crate) fn bury(&mut self, instance: u32) {
        let gone = self.instances.iter().filter(|i| i.id == instance);
        self.buried_restarts += gone.map(|i| i.report().restarts).sum::<u32>();
        self.instances.retain(|i| i.id != instance);
    }

    pub(crate) fn restarts(&self) -> u32 {
        self.buried_restarts + self.instances.iter().map(|i| i.report().restarts).sum::<u32>()
    }

    /// Returns the reports of the instances that are meant to stay.
    pub(crate) fn active(&self) -> Vec<Report> {
        self.instances.iter().filter(|i| !i.is_retiring()).map(Instance::report).collect()
    }

    pub(crate) fn seen(&self) -> Seen {
        let instances = self.instances.iter().map(|instance| {
            let phase = instance.report().phase;
            SeenInstance {
                id: instance.id,
                ready: phase == Phase::Ready,
                retiring: instance.is_retiring(),
                gone: phase == Phase::Stopped,
            }
        });
        Seen { group: self.id.clone(), verification: self.verification, instances: instances.collect() }
    }

    /// Returns the instances that take requests, with where they listen.
    pub(crate) fn ready(&self) -> impl Iterator<Item = (u32, SocketAddr)> {
        let staying = self.instances.iter().filter(|i| !i.is_retiring()).map(|i| (i.id, i.report()));
        staying.filter(|(_, r)| r.phase == Phase::Ready).filter_map(|(id, r)| Some((id, r.upstream?.address())))
    }

    /// Returns the instances that may serve a side, without those in `leaving`.
    pub(crate) fn side_route(&self, side: Side, leaving: &[u32]) -> Arc<SideRoute> {
        let staying = self.instances.iter().filter(|i| !i.is_retiring() && !leaving.contains(&i.id));
        let ready: Vec<Arc<Upstream>> =
            staying.map(Instance::report).filter(|r| r.phase == Phase::Ready).filter_map(|r| r.upstream).collect();
        Arc::new(SideRoute::new(&self.wanted.release, self.counters.on(side), ready))
    }
}

fn settings(wanted: &Group) -> Settings {
    Settings { readiness: wanted.readiness.clone(), stop_timeout: Duration::from_millis(wanted.stop_timeout_ms) }
}
