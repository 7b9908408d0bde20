//! What a scope says about itself. Pure reading.

use crate::protocol::{DesiredState, Group, GroupStatus, RetiringGroup, Side, SidesCounters, Status};
use crate::scope::group::RunningGroup;
use crate::scope::identity;
use crate::supervise::instance::{Phase, Report};

/// What the status is made of.
pub(crate) struct View<'a> {
    pub(crate) desired: &'a DesiredState,
    pub(crate) groups: &'a [RunningGroup],
    /// Where callers go, while the port is open.
    pub(crate) public_endpoint: Option<String>,
    /// Why it is not open although it should be.
    pub(crate) port_trouble: Option<&'a str>,
    pub(crate) unserved: u64,
}

impl View<'_> {
    /// Returns what really runs.
    pub(crate) fn status(&self) -> Status {
        let sides = [Side::Stable, Side::Candidate];
        let groups: Vec<GroupStatus> =
            sides.iter().filter_map(|side| self.desired.group(*side).map(|wanted| self.group(*side, wanted))).collect();
        let retiring = self.retiring();
        let missing = self.missing(&groups, &retiring);
        let counters = |side: Side| {
            let group = self.running(self.desired.group(side)?)?;
            Some(group.counters.snapshot(&group.wanted.release))
        };
        Status {
            fence: self.desired.fence,
            operation_key: self.desired.operation_key.clone(),
            traffic: self.desired.traffic.clone(),
            public_endpoint: self.public_endpoint.clone(),
            converged: missing.is_empty(),
            message: if missing.is_empty() { at_rest(&groups) } else { missing.join("; ") },
            counters: SidesCounters {
                stable: counters(Side::Stable),
                candidate: counters(Side::Candidate),
                unserved: self.unserved,
            },
            groups,
            retiring,
        }
    }

    fn running(&self, wanted: &Group) -> Option<&RunningGroup> {
        let id = identity(wanted);
        self.groups.iter().find(|group| group.id == id)
    }

    fn group(&self, side: Side, wanted: &Group) -> GroupStatus {
        let running = self.running(wanted);
        let active: Vec<Report> = running.map(RunningGroup::active).unwrap_or_default();
        let count = |phase: Phase| u16::try_from(active.iter().filter(|r| r.phase == phase).count()).unwrap_or(u16::MAX);
        let refused = running.and_then(|group| group.refusal.clone());
        let ready = active.iter().filter(|r| r.phase == Phase::Ready).filter_map(|r| r.upstream.as_ref());
        GroupStatus {
            side,
            release: wanted.release.clone(),
            artifact_digest: wanted.artifact_digest.clone(),
            instances: wanted.instances,
            ready: count(Phase::Ready),
            starting: count(Phase::Starting),
            failed: if refused.is_some() { wanted.instances } else { count(Phase::Failed) },
            restarts: running.map_or(0, RunningGroup::restarts),
            last_error: refused.or_else(|| active.iter().find_map(|r| r.last_error().cloned())),
            endpoints: ready.map(|upstream| upstream.address().to_string()).collect(),
        }
    }

    fn retiring(&self) -> Vec<RetiringGroup> {
        let leaving = |group: &RunningGroup| {
            let count = group.instances.iter().filter(|i| i.is_retiring()).count();
            (count > 0).then(|| RetiringGroup {
                release: group.wanted.release.clone(),
                instances: u16::try_from(count).unwrap_or(u16::MAX),
            })
        };
        self.groups.iter().filter_map(leaving).collect()
    }

    fn missing(&self, groups: &[GroupStatus], retiring: &[RetiringGroup]) -> Vec<String> {
        let mut missing: Vec<String> = self.port_trouble.map(str::to_owned).into_iter().collect();
        for group in groups.iter().filter(|g| g.ready != g.instances) {
            let trouble = group.last_error.as_ref().map_or_else(String::new, |error| format!(" ({error})"));
            missing.push(format!("{}: {} of {} ready{trouble}", group.release, group.ready, group.instances));
        }
        let leaving = retiring.iter().map(|group| format!("{}: {} still finishing", group.release, group.instances));
        missing.extend(leaving);
        missing
    }
}

fn at_rest(groups: &[GroupStatus]) -> String {
    match groups {
        [] => "nothing runs, as wanted".to_owned(),
        groups => groups.iter().map(|g| format!("{}: all {} ready", g.release, g.instances)).collect::<Vec<_>>().join("; "),
    }
}
