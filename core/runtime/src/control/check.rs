//! Whether a desired state makes sense, before anything is stored. Says what is wrong in one sentence with both values.

use http::HeaderName;
use model::Digest;

use crate::limits::{
    COMMAND_WORDS_MAX, INSTANCES_PER_GROUP_MAX, MATCHES_MAX, PROBE_INTERVAL_MS_MIN, PROBE_SUCCESSES_MAX, TIMEOUT_MS_MAX,
    WORD_BYTES_MAX,
};
use crate::protocol::{BASIS_POINTS_ALL, DesiredState, Group, Match, Readiness, Side, Sticky, Traffic};
use crate::scope::identity;

/// The variables that the runtime sets itself.
const RESERVED_VARIABLES: [&str; 2] = ["PORT", "HOST"];

/// Returns the first thing that is wrong with a state.
pub(crate) fn check(state: &DesiredState) -> Result<(), String> {
    at_most("drainTimeoutMs", state.drain_timeout_ms, TIMEOUT_MS_MAX)?;
    if state.operation_key.is_empty() || state.operation_key.len() > WORD_BYTES_MAX {
        return Err(format!("operationKey has {} bytes; expected 1 to {WORD_BYTES_MAX}", state.operation_key.len()));
    }
    for side in [Side::Stable, Side::Candidate] {
        if let Some(group) = state.group(side) {
            check_group(group).map_err(|what| format!("{}: {what}", side.word()))?;
        }
    }
    if let (Some(stable), Some(candidate)) = (&state.stable, &state.candidate)
        && (stable.release == candidate.release || identity(stable) == identity(candidate))
    {
        return Err(format!("stable and candidate are both release {}; a release runs on one side", stable.release));
    }
    // With nothing to run there is nothing to spread, whatever the weights say.
    match &state.traffic {
        Some(traffic) if state.stable.is_some() || state.candidate.is_some() => check_traffic(state, traffic),
        _ => Ok(()),
    }
}

fn check_group(group: &Group) -> Result<(), String> {
    model::ReleaseId::new(&group.release).map_err(|e| e.to_string())?;
    Digest::parse(&group.artifact_digest).map_err(|e| e.to_string())?;
    if group.command.first().is_none_or(String::is_empty) {
        return Err("command is empty; expected a program and its arguments".to_owned());
    }
    at_most("words in command", group.command.len() as u64, COMMAND_WORDS_MAX as u64)?;
    at_most("variables in env", group.env.len() as u64, COMMAND_WORDS_MAX as u64)?;
    let words = group.command.iter().chain(group.env.keys()).chain(group.env.values());
    for word in words {
        at_most("bytes in a word of command or env", word.len() as u64, WORD_BYTES_MAX as u64)?;
        if word.contains('\0') {
            return Err(format!("command or env contains a zero byte in {word:?}"));
        }
    }
    for name in group.env.keys() {
        if RESERVED_VARIABLES.contains(&name.as_str()) || name.is_empty() || name.contains('=') {
            return Err(format!("env must not set {name:?}; PORT and HOST are set by the runtime, and a name has no '='"));
        }
    }
    if group.instances == 0 || group.instances > INSTANCES_PER_GROUP_MAX {
        return Err(format!(
            "instances is {}; expected 1 to {INSTANCES_PER_GROUP_MAX} (leave the group out to run none)",
            group.instances
        ));
    }
    at_most("stopTimeoutMs", group.stop_timeout_ms, TIMEOUT_MS_MAX)?;
    check_readiness(&group.readiness)
}

fn check_readiness(readiness: &Readiness) -> Result<(), String> {
    if !readiness.path.starts_with('/') || readiness.path.parse::<http::uri::PathAndQuery>().is_err() {
        return Err(format!("readiness.path is {:?}; expected a path that begins with '/'", readiness.path));
    }
    let between = |what: &str, value: u64, low: u64, high: u64| match (low..=high).contains(&value) {
        true => Ok(()),
        false => Err(format!("readiness.{what} is {value}; expected {low} to {high}")),
    };
    between("intervalMs", readiness.interval_ms, PROBE_INTERVAL_MS_MIN, TIMEOUT_MS_MAX)?;
    between("timeoutMs", readiness.timeout_ms, PROBE_INTERVAL_MS_MIN, TIMEOUT_MS_MAX)?;
    between("successes", u64::from(readiness.successes), 1, u64::from(PROBE_SUCCESSES_MAX))
}

fn check_traffic(state: &DesiredState, traffic: &Traffic) -> Result<(), String> {
    at_most("traffic.candidateBasisPoints", u64::from(traffic.candidate_basis_points), u64::from(BASIS_POINTS_ALL))?;
    at_most("traffic.mirrorBasisPoints", u64::from(traffic.mirror_basis_points), u64::from(BASIS_POINTS_ALL))?;
    at_most("rules in traffic.matches", traffic.matches.len() as u64, MATCHES_MAX as u64)?;
    let to_candidate = traffic.candidate_basis_points;
    for (side, share) in [(Side::Candidate, to_candidate), (Side::Stable, BASIS_POINTS_ALL - to_candidate)] {
        if share > 0 && state.group(side).is_none() {
            let hint = "\"traffic\": null serves nobody";
            return Err(format!("traffic gives {share} basis points to the {} side, which is absent; {hint}", side.word()));
        }
    }
    if traffic.mirror_basis_points > 0 && (state.candidate.is_none() || state.stable.is_none()) {
        return Err("traffic.mirrorBasisPoints needs both a stable and a candidate side, one is absent".to_owned());
    }
    for rule in &traffic.matches {
        check_match(state, rule)?;
    }
    match &traffic.sticky {
        Some(Sticky::Header(name)) => check_header(name),
        Some(Sticky::Cookie(name)) => check_cookie(name),
        None => Ok(()),
    }
}

fn check_match(state: &DesiredState, rule: &Match) -> Result<(), String> {
    if state.group(rule.side).is_none() {
        return Err(format!("traffic.matches sends {:?} to the {} side, which is absent", rule.value, rule.side.word()));
    }
    match (&rule.header, &rule.cookie) {
        (Some(name), None) => check_header(name),
        (None, Some(name)) => check_cookie(name),
        (Some(_), Some(_)) => Err("a rule in traffic.matches names both a header and a cookie; expected one".to_owned()),
        (None, None) => Err("a rule in traffic.matches names neither a header nor a cookie; expected one".to_owned()),
    }
}

fn check_header(name: &str) -> Result<(), String> {
    name.parse::<HeaderName>().map(drop).map_err(|_| format!("{name:?} is not a header name"))
}

fn check_cookie(name: &str) -> Result<(), String> {
    // A cookie's name is a token, as a header's is.
    name.parse::<HeaderName>().map(drop).map_err(|_| format!("{name:?} is not a cookie name"))
}

fn at_most(what: &str, value: u64, limit: u64) -> Result<(), String> {
    match value <= limit {
        true => Ok(()),
        false => Err(format!("{what} is {value}; expected at most {limit}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(release: &str) -> Group {
        Group {
            release: release.to_owned(),
            artifact_digest: format!("sha256:{}", "0".repeat(64)),
            command: vec!["./run".to_owned()],
            env: Default::default(),
            instances: 1,
            readiness: Readiness { path: "/".to_owned(), interval_ms: 100, timeout_ms: 100, successes: 1 },
            stop_timeout_ms: 1000,
        }
    }

    fn traffic(candidate_basis_points: u16) -> Traffic {
        Traffic { candidate_basis_points, matches: Vec::new(), mirror_basis_points: 0, sticky: None, release_header: false }
    }

    fn state() -> DesiredState {
        DesiredState {
            fence: 1,
            operation_key: "k".to_owned(),
            port: 0,
            stable: Some(group("v1")),
            candidate: Some(group("v2")),
            traffic: Some(traffic(500)),
            drain_timeout_ms: 1000,
        }
    }

    /// Changes a good state and expects a sentence that contains `expect`, or none.
    fn after(change: impl FnOnce(&mut DesiredState), expect: Option<&str>) {
        let mut state = state();
        change(&mut state);
        match (super::check(&state), expect) {
            (Ok(()), None) => {}
            (Err(found), Some(expect)) => assert!(found.contains(expect), "expected {expect:?} in {found:?}"),
            (found, expect) => panic!("expected {expect:?}, found {found:?}"),
        }
    }

    #[test]
    fn good_states_pass() {
        after(|_| {}, None);
        after(|s| s.traffic = None, None);
        after(|s| (s.stable, s.candidate) = (None, None), None);
        after(|s| (s.candidate, s.traffic) = (None, Some(traffic(0))), None);
    }

    #[test]
    fn traffic_to_an_absent_side_is_refused() {
        after(|s| s.candidate = None, Some("traffic gives 500 basis points to the candidate side, which is absent"));
        after(|s| s.stable = None, Some("traffic gives 9500 basis points to the stable side, which is absent"));
        let to_nobody = Match { header: Some("x".to_owned()), cookie: None, value: "1".to_owned(), side: Side::Candidate };
        let change = |s: &mut DesiredState| {
            s.candidate = None;
            s.traffic = Some(Traffic { matches: vec![to_nobody], ..traffic(0) });
        };
        after(change, Some("candidate side, which is absent"));
    }

    #[test]
    fn values_out_of_range_are_named_with_the_limit() {
        after(|s| s.traffic = Some(traffic(10_001)), Some("candidateBasisPoints is 10001; expected at most 10000"));
        after(|s| s.stable.as_mut().unwrap().instances = 65, Some("stable: instances is 65; expected 1 to 64"));
        after(|s| s.stable.as_mut().unwrap().artifact_digest = "latest".to_owned(), Some("digest \"latest\" is not valid"));
        after(|s| s.stable.as_mut().unwrap().readiness.path = "healthz".to_owned(), Some("begins with '/'"));
        after(|s| s.stable.as_mut().unwrap().command.clear(), Some("command is empty"));
        let reserved = |s: &mut DesiredState| drop(s.stable.as_mut().unwrap().env.insert("PORT".to_owned(), "1".to_owned()));
        after(reserved, Some("must not set \"PORT\""));
        after(|s| s.candidate = s.stable.clone(), Some("both release v1"));
    }
}
