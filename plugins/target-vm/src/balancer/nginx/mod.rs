//! nginx: the servers of an upstream stand in a file of their own, which is renamed into its place; a reload follows, since nginx knows no
//! change while it runs. What was loaded is known by the workers that began with it. Requests that go another way than by weights are told by
//! variables in a second file.

mod routes;

use std::collections::BTreeMap;

use towpath_sdk::target::Call;

use super::routes::{Routed, Routes};
use super::{Balancer, Move, Order, Seen, Server, after, moved, placed};
use crate::script::{Purpose, Script, plain};
use crate::settings::{Nginx, Settings};

/// What makes an upstream divide requests otherwise than by their weights in turn.
const OTHER_METHODS: [&str; 5] = ["least_conn", "ip_hash", "hash", "random", "least_time"];

/// The line of a file without servers: nginx refuses an upstream that is empty.
const NOBODY: &str = "server 127.0.0.1:1 down;";

/// nginx on its hosts.
pub(crate) struct NginxFile {
    settings: Nginx,
    upstream: String,
    include: String,
    /// The file with the routes, where they are ours.
    routes: Option<String>,
    scope: String,
}

impl NginxFile {
    pub(crate) fn new(call: &Call<Settings>, settings: &Nginx) -> Self {
        let root = settings.root.as_deref().unwrap_or(&call.settings.root);
        Self {
            upstream: placed(&settings.upstream, &call.context),
            include: placed(&settings.include, &call.context),
            routes: settings.routes.as_deref().map(|file| placed(file, &call.context)),
            scope: crate::scope(root, &call.context),
            settings: settings.clone(),
        }
    }

    /// Holds the upstream's block against what is needed.
    fn check<'a>(&self, block: impl Iterator<Item = &'a str>) -> Result<(), String> {
        let (name, include) = (&self.upstream, &self.include);
        let (mut begun, mut included) = (false, false);
        for line in block {
            begun = true;
            let directive: Vec<_> = line.trim().trim_end_matches(';').split_whitespace().collect();
            included |= matches!(directive[..], ["include", file] if file.trim_matches('"') == include);
            if let Some(method) = directive.first().filter(|word| OTHER_METHODS.contains(word)) {
                return Err(format!("upstream {name} needs nginx's own method, which honours weights exactly; it has {method}"));
            }
        }
        match (begun, included) {
            (true, true) => Ok(()),
            (false, _) => Err(format!("nginx's configuration has no upstream {name}")),
            (true, false) => Err(format!("upstream {name} does not include {include}")),
        }
    }

    /// Reads the routes in force, and holds them against what was ordered.
    fn routed(&self, lines: &[String], is_loaded: bool, seen: &Seen) -> Result<Routed, String> {
        let Some(file) = &self.routes else { return Ok(Routed::default()) };
        if let Some(what) = after(lines, "lacks").next() {
            return Err(format!("nginx's configuration has no {} for the routes of {file}", plain(what)));
        }
        let found: Vec<_> = after(lines, "route").collect();
        let Some(order) = &seen.order else { return Ok(Routed::default()) };
        let wanted = routes::file(&self.upstream, &order.routes, &seen.servers)?;
        Ok(Routed { is_due: !is_loaded || found.join("\n") != wanted, ..Routed::default() })
    }
}

impl Balancer for NginxFile {
    fn hosts(&self) -> &[String] {
        &self.settings.hosts
    }

    fn cannot(&self, wanted: &Routes) -> Option<String> {
        routes::file(&self.upstream, wanted, &BTreeMap::new()).err()
    }

    fn script(&self, purpose: Purpose) -> Script {
        let Nginx { program, configuration, pid_file, sudo, .. } = &self.settings;
        let script = Script::on_nginx(purpose).through_sudo(*sudo).with("SCOPE", &self.scope).with("PROGRAM", program);
        let script = script.with("CONFIGURATION", configuration.as_deref().unwrap_or_default()).with("PIDFILE", pid_file);
        let script = script.with("UPSTREAM", &self.upstream).with("INCLUDE", &self.include);
        script.with("ROUTES", self.routes.as_deref().unwrap_or_default()).with("VARIABLE", routes::variable(&self.upstream))
    }

    fn read(&self, lines: &[String]) -> Result<Seen, String> {
        let mut seen = Seen::begin(lines)?;
        if seen.silent.is_some() {
            return Ok(seen);
        }
        self.check(after(lines, "block"))?;
        let ending =
            after(lines, "ending").next().and_then(|count| count.parse().ok()).ok_or("it does not say how many workers end")?;
        // What nginx has not loaded gives nobody a request.
        let loaded = !lines.iter().any(|line| line == "unloaded");
        for line in after(lines, "server") {
            if let Some((name, mut server)) = server(line) {
                server.open &= loaded;
                // Requests of the past are counted by the workers that finish them; whose they are is not known.
                server.sessions = if server.open { 0 } else { ending };
                seen.servers.insert(name, server);
            }
        }
        seen.routed = self.routed(lines, loaded, &seen)?;
        Ok(seen)
    }

    fn apply(&self, fence: u64, seen: &Seen, order: Option<&Order>, moves: &[Move]) -> Script {
        let servers = moved(seen, moves);
        let nothing = Routes::default();
        let ordered = order.map_or_else(|| seen.order.as_ref().map_or(&nothing, |order| &order.routes), |order| &order.routes);
        // What cannot be written was refused when it was planned.
        let table = self.routes.as_ref().and_then(|_| routes::file(&self.upstream, ordered, &servers).ok());
        let script = self.acting(fence).with("ORDER", order.map(Order::text).unwrap_or_default());
        script.with("TABLE", table.unwrap_or_default()).with("SERVERS", file(&servers)).then(&["apply"])
    }
}

/// Returns the file: a line for each server, with its name behind it.
fn file(servers: &BTreeMap<String, Server>) -> String {
    let line = |(name, server): (&String, &Server)| {
        let down = if server.open { "" } else { " down" };
        Some(format!("server {} weight={}{down}; # {name}", server.address.as_ref()?, server.weight.max(1)))
    };
    let lines: Vec<_> = servers.iter().filter_map(line).collect();
    if lines.is_empty() { NOBODY.to_owned() } else { lines.join("\n") }
}

/// Reads such a line; others are nobody's.
fn server(line: &str) -> Option<(String, Server)> {
    let (directive, name) = line.split_once("; # ")?;
    let words: Vec<_> = directive.split(' ').collect();
    let (address, weight, open) = match words[..] {
        [address, weight] => (address, weight, true),
        [address, weight, "down"] => (address, weight, false),
        _ => return None,
    };
    let weight = weight.strip_prefix("weight=")?.parse().ok()?;
    Some((name.to_owned(), Server { weight, open, up: true, checked: true, sessions: 0, address: Some(address.to_owned()) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_as_it_was_written_and_other_lines_are_nobodys() {
        let address = |port: u16| format!("10.0.0.1:{port}");
        let moves = [
            Move::Add { server: "web-1-a".to_owned(), address: address(1) },
            Move::Weigh { server: "web-1-a".to_owned(), weight: 19 },
            Move::Open { server: "web-1-a".to_owned() },
            Move::Add { server: "web-1-b".to_owned(), address: address(2) },
            Move::Close { server: "web-1-b".to_owned() },
            Move::Weigh { server: "web-9-a".to_owned(), weight: 7 },
            Move::Add { server: "web-0-a".to_owned(), address: address(3) },
            Move::Remove { server: "web-0-a".to_owned() },
        ];
        let servers = moved(&Seen::default(), &moves);
        let text = file(&servers);
        assert_eq!(text, "server 10.0.0.1:1 weight=19; # web-1-a\nserver 10.0.0.1:2 weight=1 down; # web-1-b");
        let read: Vec<_> = text.lines().filter_map(|line| server(line.strip_prefix("server ")?)).collect();
        assert_eq!((read[0].0.as_str(), read[0].1.weight, read[0].1.open, read[1].1.open), ("web-1-a", 19, true, false));
        for foreign in ["10.0.0.1:1 weight=1;", "10.0.0.1:1 weight=x; # a", "10.0.0.1:1; # a", "10.0.0.1:1 weight=1 backup; # a"]
        {
            assert!(server(foreign).is_none(), "{foreign}");
        }
        assert_eq!(file(&BTreeMap::new()), NOBODY);
    }
}
