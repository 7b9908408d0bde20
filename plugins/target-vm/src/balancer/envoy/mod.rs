//! Envoy: the servers of a cluster, and its routes, stand in files that Envoy reads when they are renamed into their places. Nothing is
//! reloaded, and a restart begins with what was written last. What is in force is what its admin interface says.
//!
//! All requests that go by weights go to one cluster, in which each server has its weight: what is down is given none, and the others take
//! over. Requests that go another way go to clusters of the sides.

mod files;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;
use towpath_sdk::target::Call;

use super::routes::{Routed, Routes, To};
use super::{Balancer, Move, Order, Seen, Server, after, moved, placed, since};
use crate::script::{Purpose, Script, plain};
use crate::settings::{Envoy, Settings};

/// The one policy whose shares are exactly those of the weights: it is what a cluster has that names none.
const POLICY: &str = "ROUND_ROBIN";

/// What a server is called that gets no new request, and one that is gone and only not forgotten.
const DRAINING: &str = "/eds_status_draining";
const GONE: &str = "/pending_dynamic_removal";

/// What a server is called that was not looked at yet.
const UNCHECKED: &str = "/pending_active_hc";

/// What a server is called that lacks nothing.
const HEALTHY: &str = "healthy";

/// Envoy on its hosts.
pub(crate) struct EnvoyFiles {
    settings: Envoy,
    cluster: String,
    folder: String,
    scope: String,
}

/// What shall be in force next, so that no request ever goes to a side that answers nobody.
struct Stage {
    table: Value,
    sides: [Vec<String>; 2],
    /// What is missing until everything is in force that was ordered.
    lacks: Option<To>,
}

impl EnvoyFiles {
    pub(crate) fn new(call: &Call<Settings>, settings: &Envoy) -> Self {
        let root = settings.root.as_deref().unwrap_or(&call.settings.root);
        Self {
            cluster: placed(&settings.cluster, &call.context),
            folder: placed(&settings.folder, &call.context),
            scope: crate::scope(root, &call.context),
            settings: settings.clone(),
        }
    }

    /// Returns the clusters that are needed.
    fn clusters(&self) -> Vec<String> {
        let sides = To::ALL.into_iter().filter(|_| self.settings.routes.is_some());
        std::iter::once(self.cluster.clone()).chain(sides.map(|side| files::of_side(&self.cluster, side))).collect()
    }

    /// Holds a cluster's own configuration against what is needed.
    fn check(&self, name: &str, dumps: &[Value]) -> Result<(), String> {
        let configs = dumps.iter().filter_map(|dump| dump["configs"].as_array()).flatten();
        let cluster = configs.map(|config| &config["cluster"]).find(|cluster| cluster["name"] == name);
        let cluster = cluster.ok_or_else(|| format!("Envoy has no cluster {name}"))?;
        let policy = cluster["lb_policy"].as_str().unwrap_or(POLICY);
        if policy != POLICY {
            return Err(format!(
                "cluster {name} needs the policy {POLICY}, which honours weights exactly; it has {}",
                plain(policy)
            ));
        }
        common(name, &cluster["common_lb_config"])?;
        let source = &cluster["eds_cluster_config"]["eds_config"];
        let found = source["path_config_source"]["path"].as_str().or(source["path"].as_str()).unwrap_or("no file");
        let wanted = format!("{}/{name}.json", self.folder.trim_end_matches('/'));
        match found == wanted {
            true => Ok(()),
            false => Err(format!("cluster {name} has its endpoints from {}, by the settings it is {wanted}", plain(found))),
        }
    }

    /// Returns the part of what is ordered that can be in force next: a route leads to a side only when the side was seen to answer, and a
    /// side keeps its servers as long as a route leads to it.
    fn stage(&self, routes: &Routes, routed: &Routed, servers: &BTreeMap<String, Server>) -> Stage {
        let answers = |side| routes.of(side).iter().any(|name| routed.of(side).get(name) == Some(&true));
        let mut next = routes.clone();
        next.matches.retain(|chosen| answers(chosen.to));
        next.mirror = if answers(To::Candidate) { routes.mirror } else { 0 };
        let is_led_to = |side| routed.table.to_string().contains(&format!("\"{}\"", files::of_side(&self.cluster, side)));
        let members = |side| {
            let mut names = routes.of(side).to_vec();
            if is_led_to(side) && !answers(side) {
                names.extend(routed.of(side).keys().filter(|name| !routes.of(side).contains(name)).cloned());
            }
            names.retain(|name| servers.contains_key(name));
            names.sort();
            names
        };
        Stage {
            table: files::table(&self.cluster, self.settings.routes.as_ref().map_or(0, |routes| routes.timeout_ms), &next),
            sides: To::ALL.map(members),
            lacks: To::ALL.into_iter().find(|side| routes.lead_to(*side) && !answers(*side)),
        }
    }

    /// Reads the routes in force, and holds them against what was ordered.
    fn routed(&self, lines: &[String], sides: [BTreeMap<String, bool>; 2], seen: &Seen) -> Result<Routed, String> {
        let dump = after(lines, "routes").next().unwrap_or_default();
        let dump: Value = serde_json::from_str(dump).map_err(|_| "Envoy's table of routes is not understood".to_owned())?;
        let configs = dump["configs"].as_array().into_iter().flatten();
        let ours = configs.map(|config| &config["route_config"]).find(|config| config["name"] == self.cluster.as_str());
        let ours = ours
            .ok_or_else(|| format!("Envoy has no routes {} from {}/{}-routes.json", self.cluster, self.folder, self.cluster))?;
        let [stable, candidate] = sides;
        let table = ours["virtual_hosts"][0]["routes"].clone();
        let mut routed = Routed { stable, candidate, table, is_due: false, waits: None };
        let Some(order) = &seen.order else { return Ok(routed) };
        let stage = self.stage(&order.routes, &routed, &seen.servers);
        let members = |side| routed.of(side).keys().cloned().collect::<Vec<_>>();
        routed.is_due = !files::contains(&routed.table, &stage.table) || To::ALL.map(members) != stage.sides;
        routed.waits = stage.lacks.map(|side| format!("the balancer does not see the {} side's servers up yet", side.as_str()));
        Ok(routed)
    }
}

impl Balancer for EnvoyFiles {
    fn hosts(&self) -> &[String] {
        &self.settings.hosts
    }

    fn script(&self, purpose: Purpose) -> Script {
        let script = Script::on_envoy(purpose).through_sudo(self.settings.sudo).with("SCOPE", &self.scope);
        let script = script.with("ADMIN", &self.settings.admin).with("CLUSTER", &self.cluster).with("FOLDER", &self.folder);
        script.with("ROUTES", if self.settings.routes.is_some() { "yes" } else { "" })
    }

    fn read(&self, lines: &[String]) -> Result<Seen, String> {
        let mut seen = Seen::begin(lines)?;
        if let Some(why) = &seen.silent {
            seen.silent = Some(format!("Envoy does not say its state: {why}"));
            return Ok(seen);
        }
        let dumps: Vec<Value> = after(lines, "clusters").filter_map(|dump| serde_json::from_str(dump).ok()).collect();
        for cluster in self.clusters() {
            self.check(&cluster, &dumps)?;
        }
        let [stable, candidate] = To::ALL.map(|side| servers(&files::of_side(&self.cluster, side), lines));
        seen.servers = servers(&self.cluster, lines);
        for (name, server) in &mut seen.servers {
            // Copies and chosen requests are requests on their way as well.
            let elsewhere = [&stable, &candidate].into_iter().filter_map(|side| side.get(name));
            server.sessions += elsewhere.map(|server| server.sessions).sum::<u64>();
        }
        seen.given = given(&self.cluster, lines, &seen.servers);
        if self.settings.routes.is_some() {
            let sides = [stable, candidate]
                .map(|side| side.into_iter().map(|(name, server)| (name, server.up && server.checked)).collect());
            seen.routed = self.routed(lines, sides, &seen)?;
        }
        Ok(seen)
    }

    fn apply(&self, fence: u64, seen: &Seen, order: Option<&Order>, moves: &[Move]) -> Script {
        let servers = moved(seen, moves);
        let version = fence.to_string();
        let mut texts = [String::new(), String::new(), String::new()];
        if let Some(order) = order.filter(|_| self.settings.routes.is_some()) {
            let stage = self.stage(&order.routes, &seen.routed, &servers);
            let side = |side, names: &Vec<String>| {
                let members = files::members(names, &servers);
                files::endpoints(
                    &files::of_side(&self.cluster, side),
                    &version,
                    members.iter().map(|(name, server)| (*name, server)),
                )
            };
            let [stable, candidate] = &stage.sides;
            let table = files::routes(&self.cluster, &version, &stage.table);
            texts = [side(To::Stable, stable), side(To::Candidate, candidate), table];
        }
        let [stable, candidate, table] = texts;
        let script = self.acting(fence).with("ORDER", order.map(Order::text).unwrap_or_default()).with("STABLE", stable);
        let script = script.with("CANDIDATE", candidate).with("TABLE", table);
        script.with("SERVERS", files::endpoints(&self.cluster, &version, servers.iter())).then(&["apply"])
    }
}

/// Holds what is common to all policies against what is needed. What is zero is written out for times alone.
fn common(name: &str, found: &Value) -> Result<(), String> {
    // Below that part of healthy servers Envoy gives all of them requests, closed ones too.
    let panics_at = &found["healthy_panic_threshold"];
    let percent = panics_at["value"].as_f64();
    if !panics_at.is_object() || percent.is_some_and(|percent| percent > 0.0) {
        let found = percent.map_or_else(|| "50, which is usual".to_owned(), |percent| percent.to_string());
        return Err(format!(
            "cluster {name} needs `common_lb_config: {{ healthy_panic_threshold: {{ value: 0 }} }}`, or closed servers are given requests; \
             it has {found}"
        ));
    }
    // For so long Envoy's workers know nothing of a change that its admin interface tells already: a server that seems closed is none.
    match found["update_merge_window"].as_str() {
        Some("0s") => Ok(()),
        window => Err(format!(
            "cluster {name} needs `common_lb_config: {{ update_merge_window: 0s }}`, or closed servers are given requests for a while; it \
             has {}",
            plain(window.unwrap_or("1s, which is usual"))
        )),
    }
}

/// Returns how many requests each server of a cluster was given since the last move. They are counted by address.
fn given(cluster: &str, lines: &[String], servers: &BTreeMap<String, Server>) -> BTreeMap<String, u64> {
    let facts = facts(cluster, lines);
    let count = |server: &Server| {
        let address = server.address.clone()?;
        let count = facts.get(address.as_str())?.get("rq_total")?.parse().ok()?;
        Some((address, count))
    };
    let came = since(lines, &servers.values().filter_map(count).collect());
    let of = |(name, server): (&String, &Server)| Some((name.clone(), *came.get(server.address.as_ref()?)?));
    servers.iter().filter_map(of).collect()
}

/// Reads the servers of a cluster, by their names; those that are gone, and those without a name, are nobody's.
fn servers(cluster: &str, lines: &[String]) -> BTreeMap<String, Server> {
    facts(cluster, lines).into_iter().filter_map(|(address, facts)| server(address, &facts)).collect()
}

/// Reads what is told of a cluster's servers, by their addresses.
fn facts<'a>(cluster: &str, lines: &'a [String]) -> BTreeMap<&'a str, BTreeMap<&'a str, &'a str>> {
    let mut facts = BTreeMap::<&str, BTreeMap<&str, &str>>::new();
    for line in after(lines, "host") {
        let fact = line.strip_prefix(cluster).and_then(|rest| rest.strip_prefix("::")).and_then(|rest| rest.rsplit_once("::"));
        let Some((place, value)) = fact else { continue };
        if let Some((address, name)) = place.rsplit_once("::") {
            facts.entry(address).or_default().insert(name, value);
        }
    }
    facts
}

fn server(address: &str, facts: &BTreeMap<&str, &str>) -> Option<(String, Server)> {
    let (name, flags) = (*facts.get("hostname")?, *facts.get("health_flags")?);
    if name.is_empty() || flags.contains(GONE) {
        return None;
    }
    let (open, checked) = (!flags.contains(DRAINING), !flags.contains(UNCHECKED));
    let ails = flags.replace(DRAINING, "").replace(UNCHECKED, "").replace(HEALTHY, "");
    Some((
        name.to_owned(),
        Server {
            weight: facts.get("weight")?.parse().ok()?,
            open,
            up: ails.is_empty(),
            checked,
            sessions: facts.get("rq_active")?.parse().ok()?,
            address: Some(address.to_owned()),
        },
    ))
}
