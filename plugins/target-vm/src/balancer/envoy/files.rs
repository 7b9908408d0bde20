//! The files that Envoy reads: the endpoints of a cluster, and a table of routes, each one answer of its discovery.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::balancer::Server;
use crate::balancer::routes::{Match, Part, Routes, To};

/// Milliseconds of a second.
const SECOND_MS: u32 = 1_000;

/// Returns a cluster's endpoints as a file: each server with its weight, and whoever shall be given no request as draining, which leaves the
/// requests that are on their way alone.
pub(super) fn endpoints<'a>(cluster: &str, version: &str, servers: impl Iterator<Item = (&'a String, &'a Server)>) -> String {
    let endpoints: Vec<_> = servers.filter_map(|(name, server)| endpoint(name, server)).collect();
    let resource = json!({
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": cluster,
        "endpoints": [{ "lb_endpoints": endpoints }],
    });
    json!({ "version_info": version, "resources": [resource] }).to_string()
}

fn endpoint(name: &str, server: &Server) -> Option<Value> {
    let address: SocketAddr = server.address.as_ref()?.parse().ok()?;
    let socket = json!({ "address": address.ip().to_string(), "port_value": address.port() });
    let mut endpoint = json!({
        "endpoint": { "address": { "socket_address": socket }, "hostname": name },
        "load_balancing_weight": server.weight.max(1),
    });
    if !server.open {
        endpoint["health_status"] = json!("DRAINING");
    }
    Some(endpoint)
}

/// Returns a table of routes as a file.
pub(super) fn routes(name: &str, version: &str, table: &Value) -> String {
    let resource = json!({
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": name,
        "virtual_hosts": [{ "name": name, "domains": ["*"], "routes": table }],
    });
    json!({ "version_info": version, "resources": [resource] }).to_string()
}

/// Returns the routes of a cluster: chosen requests to the clusters of the sides, and all others by weights.
pub(super) fn table(cluster: &str, timeout_ms: u32, routes: &Routes) -> Value {
    let to = |cluster: String| {
        json!({
            "cluster": cluster, "timeout": duration(timeout_ms),
            // A server that took nothing of a request has done nothing with it: another one may have it.
            "retry_policy": { "retry_on": "connect-failure,refused-stream", "num_retries": 1 },
        })
    };
    let chosen = |chosen: &Match| {
        let matched = json!({ "prefix": "/", "headers": [header(chosen)] });
        json!({ "match": matched, "route": to(of_side(cluster, chosen.to)) })
    };
    let mut all = to(cluster.to_owned());
    if routes.mirror > 0 {
        let fraction = json!({ "default_value": { "numerator": routes.mirror, "denominator": "TEN_THOUSAND" } });
        all["request_mirror_policies"] = json!([{ "cluster": of_side(cluster, To::Candidate), "runtime_fraction": fraction }]);
    }
    let others = json!({ "match": { "prefix": "/" }, "route": all });
    routes.matches.iter().map(chosen).chain([others]).collect()
}

/// Returns the cluster of a side's servers.
pub(super) fn of_side(cluster: &str, side: To) -> String {
    format!("{cluster}-{}", side.as_str())
}

fn header(chosen: &Match) -> Value {
    match &chosen.on {
        Part::Header(name) => json!({ "name": name, "string_match": { "exact": chosen.value } }),
        Part::Cookie(name) => {
            let regex = format!("(.*; *)?{}={}(;.*)?", literal(name), literal(&chosen.value));
            json!({ "name": "cookie", "string_match": { "safe_regex": { "regex": regex } } })
        }
    }
}

/// Returns a text as a regular expression that fits nothing else.
fn literal(text: &str) -> String {
    let escaped = |character: char| match character.is_ascii_punctuation() {
        true => format!("\\{character}"),
        false => character.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// Returns a time as Envoy writes it: with three digits behind the point, or none.
fn duration(ms: u32) -> String {
    match ms % SECOND_MS {
        0 => format!("{}s", ms / SECOND_MS),
        rest => format!("{}.{rest:03}s", ms / SECOND_MS),
    }
}

/// Returns whether everything that was written is found, whatever is found beside it in objects.
pub(super) fn contains(found: &Value, written: &Value) -> bool {
    match (found, written) {
        (Value::Object(found), Value::Object(written)) => {
            written.iter().all(|(name, value)| found.get(name).is_some_and(|found| contains(found, value)))
        }
        (Value::Array(found), Value::Array(written)) => {
            found.len() == written.len() && found.iter().zip(written).all(|(found, written)| contains(found, written))
        }
        (found, written) => found == written,
    }
}

/// Returns the servers of these names, as members of a side's cluster: all alike.
pub(super) fn members<'a>(names: &'a [String], servers: &BTreeMap<String, Server>) -> BTreeMap<&'a String, Server> {
    let member = |name: &'a String| Some((name, Server { weight: 1, open: true, ..servers.get(name)?.clone() }));
    names.iter().filter_map(member).collect()
}
