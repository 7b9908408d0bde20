//! What is wanted: which release on which hosts, and how the traffic is divided.

use towpath_sdk::target::{Call, Desired, RequestKey, RouteMatch, SideDesired, Traffic};
use towpath_sdk::{Fault, Side};

use crate::balancer;
use crate::balancer::routes::{Match, Part, Routes, To};
use crate::configuration::{Configuration, fingerprint};
use crate::report::Identity;
use crate::settings::{BalancerSettings, Host, Settings, is_word};

/// How long the name and the value of a match may be, in bytes: what fits into a cookie.
const MATCH_BYTES_MAX: usize = 4_096;

/// Full capacity, in percent.
const FULL: usize = 100;

/// What is wanted.
pub(crate) struct Plan<'a> {
    pub(crate) hosts: Vec<&'a Host>,
    pub(crate) stable: Option<SidePlan>,
    pub(crate) candidate: Option<SidePlan>,
    /// The candidate's share in basis points; none where nobody is served.
    pub(crate) share: Option<u16>,
    /// Which requests go another way than by weights; which servers that means is not known yet.
    pub(crate) routes: Routes,
}

/// What is wanted of one side.
pub(crate) struct SidePlan {
    pub(crate) side: Side,
    pub(crate) identity: Identity,
    /// The artifact's digest, as the power names it.
    pub(crate) artifact: String,
    pub(crate) configuration: Configuration,
    /// The names of the hosts that it shall run on.
    pub(crate) hosts: Vec<String>,
}

impl<'a> Plan<'a> {
    /// Returns what is wanted, or what of it cannot be served.
    pub(crate) fn new(call: &Call<Settings>, hosts: &'a [Host], desired: &Desired) -> Result<Self, Fault> {
        let settings = &call.settings;
        let hosts = settings.used(hosts)?;
        is_word("service", &call.context.service)?;
        is_word("environment", &call.context.environment)?;
        if let Some(traffic) = &desired.traffic {
            can_be_served(settings, traffic)?;
        }
        let plan =
            |side, wanted: &Option<SideDesired>| wanted.as_ref().map(|wanted| SidePlan::new(side, wanted, &hosts)).transpose();
        let (stable, candidate) =
            (plan(Side::Stable, &desired.stable)?.flatten(), plan(Side::Candidate, &desired.candidate)?.flatten());
        if let (Some(stable), Some(candidate)) = (&stable, &candidate)
            && stable.identity == candidate.identity
        {
            return Err(Fault::permanent(format!("both sides shall be release {}", stable.identity.release)));
        }
        let share = desired.traffic.as_ref().map(|traffic| traffic.candidate_basis_points);
        let routes = desired.traffic.as_ref().map_or_else(Routes::default, routes);
        if let Some(why) = balancer::of(call).and_then(|balancer| balancer.cannot(&routes)) {
            return Err(Fault::permanent(why));
        }
        Ok(Self { stable, candidate, share, routes, hosts })
    }

    /// Returns the sides, the stable one first.
    pub(crate) fn sides(&self) -> impl Iterator<Item = &SidePlan> {
        [&self.stable, &self.candidate].into_iter().flatten()
    }

    /// Returns what shall run on a host.
    pub(crate) fn of_host(&self, host: &str) -> impl Iterator<Item = &SidePlan> {
        self.sides().filter(move |side| side.hosts.iter().any(|name| name == host))
    }
}

impl SidePlan {
    /// Returns what is wanted of a side; none where it has no capacity.
    fn new(side: Side, wanted: &SideDesired, hosts: &[&Host]) -> Result<Option<Self>, Fault> {
        is_word("release", &wanted.release)?;
        let digest = wanted.artifact_digest.strip_prefix("sha256:").unwrap_or_default();
        if digest.is_empty() || digest.len() > 64 || !digest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let shown: String = wanted.artifact_digest.chars().take(80).collect();
            return Err(Fault::permanent(format!("{shown:?} is no digest of the form sha256:… that could name a folder")));
        }
        let configuration = Configuration::read(&wanted.configuration)
            .map_err(|why| Fault::permanent(format!("the configuration of release {} does not fit: {why}", wanted.release)))?;
        let count = (usize::from(wanted.capacity_percent) * hosts.len()).div_ceil(FULL).min(hosts.len());
        // The candidate takes the first hosts, the stable side keeps the last ones: where both are partial, they meet as late as can be.
        let chosen = match side {
            Side::Stable => &hosts[hosts.len() - count..],
            Side::Candidate => &hosts[..count],
        };
        let identity = Identity {
            release: wanted.release.clone(),
            digest: digest.to_owned(),
            fingerprint: fingerprint(&wanted.configuration),
        };
        let hosts = chosen.iter().map(|host| host.name.clone()).collect();
        Ok((count > 0).then(|| Self { side, identity, artifact: wanted.artifact_digest.clone(), configuration, hosts }))
    }
}

fn can_be_served(settings: &Settings, traffic: &Traffic) -> Result<(), Fault> {
    let no = |what: &str| Err(Fault::permanent(format!("this target {what}")));
    let has_routes = settings.balancer.as_ref().is_some_and(BalancerSettings::has_routes);
    if !traffic.matches.is_empty() && !has_routes {
        return no(
            "cannot send requests to a side by a header or cookie of theirs: that takes `routes` of nginx or Envoy in the settings",
        );
    }
    if traffic.mirror_basis_points > 0 && !has_routes {
        return no("cannot copy requests: that takes `routes` of nginx or Envoy in the settings");
    }
    traffic.matches.iter().try_for_each(can_be_matched)?;
    let cookie = settings.balancer.as_ref().and_then(BalancerSettings::cookie);
    match (&traffic.sticky, cookie) {
        (None, _) => {}
        (Some(RequestKey::Cookie(wanted)), Some(cookie)) if wanted == cookie => {}
        (Some(_), Some(cookie)) => return no(&format!("keeps callers by the cookie {cookie}, and by nothing else")),
        (Some(_), None) => return no("keeps no caller on a side: the settings name no cookie of the balancer"),
    }
    if settings.balancer.is_none() && traffic.candidate_basis_points > 0 {
        return no(&format!("has no balancer, so nothing gives the candidate {} basis points", traffic.candidate_basis_points));
    }
    Ok(())
}

/// Fails unless a match can stand in a balancer's configuration.
fn can_be_matched(wanted: &RouteMatch) -> Result<(), Fault> {
    let (RequestKey::Header(name) | RequestKey::Cookie(name)) = &wanted.on;
    // What names of headers and cookies are made of: RFC 9110, 5.6.2.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let shown = |text: &str| text.chars().take(80).collect::<String>();
    if name.is_empty() || name.len() > MATCH_BYTES_MAX || !name.bytes().all(is_token) {
        return Err(Fault::permanent(format!("{:?} is no name of a header or cookie", shown(name))));
    }
    if wanted.value.len() > MATCH_BYTES_MAX || wanted.value.chars().any(char::is_control) {
        return Err(Fault::permanent(format!(
            "{:?}, which {name} shall be, is no text of at most {MATCH_BYTES_MAX} bytes in one line",
            shown(&wanted.value)
        )));
    }
    Ok(())
}

/// Returns which requests go another way than by weights.
fn routes(traffic: &Traffic) -> Routes {
    let one = |wanted: &RouteMatch| Match {
        on: match &wanted.on {
            RequestKey::Header(name) => Part::Header(name.to_ascii_lowercase()),
            RequestKey::Cookie(name) => Part::Cookie(name.clone()),
        },
        value: wanted.value.clone(),
        to: match wanted.to {
            Side::Stable => To::Stable,
            Side::Candidate => To::Candidate,
        },
    };
    Routes { mirror: traffic.mirror_basis_points, matches: traffic.matches.iter().map(one).collect(), ..Routes::default() }
}
