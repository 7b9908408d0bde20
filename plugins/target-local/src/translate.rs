//! From the contract's desired state to the runtime's.

use towpath_sdk::Side;
use towpath_sdk::target::{Desired, RequestKey, RouteMatch, SideDesired};

use crate::protocol::{self, DesiredState, Group, Key, Match, Traffic};
use crate::settings::{Configuration, Settings};

/// Full capacity, in percent.
const FULL: u32 = 100;

/// Returns what the runtime is asked for, or what is wrong with what was asked of us.
pub(crate) fn state(settings: &Settings, desired: &Desired) -> Result<DesiredState, String> {
    let stable = desired.stable.as_ref().map(side).transpose()?;
    let candidate = desired.candidate.as_ref().map(side).transpose()?;
    let configurations: Vec<_> = [&stable, &candidate].into_iter().flatten().map(|(configuration, _)| configuration).collect();
    Ok(DesiredState {
        // The good side's port counts: it is where callers are, and a candidate must not move them.
        port: configurations.first().map_or(0, |configuration| configuration.port),
        drain_timeout_ms: configurations.iter().map(|configuration| configuration.drain_timeout_ms).max().unwrap_or(0),
        traffic: desired.traffic.as_ref().map(|wanted| Traffic {
            candidate_basis_points: wanted.candidate_basis_points,
            matches: wanted.matches.iter().map(route_match).collect(),
            mirror_basis_points: wanted.mirror_basis_points,
            sticky: wanted.sticky.as_ref().map(key),
            release_header: settings.release_header,
        }),
        stable: stable.and_then(|(_, group)| group),
        candidate: candidate.and_then(|(_, group)| group),
    })
}

/// Returns how a side is run, and its group unless it has no capacity.
fn side(side: &SideDesired) -> Result<(Configuration, Option<Group>), String> {
    let configuration: Configuration = serde_json::from_str(&side.configuration)
        .map_err(|error| format!("the configuration of release {} does not fit: {error}", side.release))?;
    let instances = instances(side.capacity_percent, configuration.instances);
    let group = (instances > 0).then(|| Group {
        release: side.release.clone(),
        artifact_digest: side.artifact_digest.clone(),
        command: configuration.command.clone(),
        env: configuration.env.clone(),
        instances,
        readiness: configuration.readiness.clone(),
        stop_timeout_ms: configuration.stop_timeout_ms,
    });
    Ok((configuration, group))
}

/// Returns how many processes a share of the full capacity means: rounded up, so that some capacity is never none.
fn instances(percent: u8, full: u16) -> u16 {
    let instances = (u32::from(percent) * u32::from(full)).div_ceil(FULL);
    u16::try_from(instances).unwrap_or(u16::MAX)
}

fn route_match(rule: &RouteMatch) -> Match {
    let (header, cookie) = match &rule.on {
        RequestKey::Header(name) => (Some(name.clone()), None),
        RequestKey::Cookie(name) => (None, Some(name.clone())),
    };
    let side = match rule.to {
        Side::Stable => protocol::Side::Stable,
        Side::Candidate => protocol::Side::Candidate,
    };
    Match { header, cookie, value: rule.value.clone(), side }
}

fn key(key: &RequestKey) -> Key {
    match key {
        RequestKey::Header(name) => Key::Header(name.clone()),
        RequestKey::Cookie(name) => Key::Cookie(name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_rounded_up() {
        let cases = [(0, 4, 0), (1, 4, 1), (25, 4, 1), (26, 4, 2), (50, 3, 2), (100, 4, 4), (100, 1, 1), (5, 1, 1)];
        for (percent, full, expect) in cases {
            assert_eq!(instances(percent, full), expect, "{percent} % of {full}");
        }
    }
}
