//! What a scope says about itself. Pure reading.

use std::net::SocketAddr;

use crate::counters::ReleaseCounters;
use crate::limits::RELEASES_SHOWN_MAX;
use crate::protocol::{DesiredState, Group, GroupStatus, RetiringGroup, Side, SideCounters, SidesCounters, Status};
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

/// What is measured, for whoever scrapes it.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) status: Status,
    /// Of the releases on a side first, then of those on their way out, then of those that went lately.
    pub(crate) counted: Vec<Counted>,
    pub(crate) instances: Vec<ReadyInstance>,
}

/// What was counted of a release on one side.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) side: Side,
    pub(crate) counters: SideCounters,
}

/// An instance that takes requests.
#[derive(Clone, Debug)]
pub(crate) struct ReadyInstance {
    pub(crate) side: Side,
    pub(crate) release: String,
    pub(crate) number: u32,
    pub(crate) address: SocketAddr,
}

impl<'v> View<'v> {
    /// Returns what is measured. `departed` are releases of which nothing runs any more.
    pub(crate) fn reading(&self, departed: impl Iterator<Item = (&'v str, &'v ReleaseCounters)>) -> Reading {
        let sides: Vec<(Side, &'v RunningGroup)> = [Side::Stable, Side::Candidate]
            .into_iter()
            .filter_map(|side| Some((side, self.running(self.desired.group(side)?)?)))
            .collect();
        let instances = sides.iter().flat_map(|(side, group)| {
            let release = &group.wanted.release;
            group.ready().map(|(number, address)| ReadyInstance { side: *side, release: release.clone(), number, address })
        });
        let running = sides.iter().map(|(_, group)| *group).chain(self.groups);
        let releases = running.map(|group| (group.wanted.release.as_str(), &*group.counters)).chain(departed);
        Reading { status: self.status(), counted: counted(releases), instances: instances.collect() }
    }

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

    fn running(&self, wanted: &Group) -> Option<&'v RunningGroup> {
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

/// Returns what was counted of each release; of one that is named twice, once.
fn counted<'a>(releases: impl Iterator<Item = (&'a str, &'a ReleaseCounters)>) -> Vec<Counted> {
    let mut shown: Vec<(&str, &ReleaseCounters)> = Vec::new();
    for (release, counters) in releases {
        if shown.len() < RELEASES_SHOWN_MAX && shown.iter().all(|(known, _)| *known != release) {
            shown.push((release, counters));
        }
    }
    let sides = shown.into_iter().flat_map(|(release, counters)| counters.sides(release));
    sides.map(|(side, counters)| Counted { side, counters }).collect()
}

fn at_rest(groups: &[GroupStatus]) -> String {
    match groups {
        [] => "nothing runs, as wanted".to_owned(),
        groups => groups.iter().map(|g| format!("{}: all {} ready", g.release, g.instances)).collect::<Vec<_>>().join("; "),
    }
}
