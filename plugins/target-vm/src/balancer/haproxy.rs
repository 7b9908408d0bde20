//! HAProxy, through its runtime API: no reload, and what was in force is read back.

use std::collections::BTreeMap;

use towpath_sdk::target::Call;

use super::{Balancer, Move, Order, Seen, Server, after, placed, since};
use crate::script::{Purpose, Script, plain};
use crate::settings::{Haproxy, Settings};

/// The one algorithm whose shares are exactly those of the weights, and whose weights can be changed while it runs. `random` draws twice
/// and is off by a tenth, `leastconn` by more, `static-rr` takes no change, and the hashing ones divide callers, not requests.
const ALGORITHM: &str = "roundrobin";

/// How many commands are in one line: what HAProxy reads at once is 16 KiB.
const COMMANDS_MAX: usize = 50;

/// HAProxy on its hosts.
pub(crate) struct HaproxyApi {
    settings: Haproxy,
    backend: String,
    scope: String,
}

impl HaproxyApi {
    pub(crate) fn new(call: &Call<Settings>, settings: &Haproxy) -> Self {
        let root = settings.root.as_deref().unwrap_or(&call.settings.root);
        Self {
            settings: settings.clone(),
            backend: placed(&settings.backend, &call.context),
            scope: crate::scope(root, &call.context),
        }
    }

    fn command(&self, change: &Move) -> String {
        let backend = &self.backend;
        match change {
            Move::Add { server, address } => self.addition(server, address),
            Move::Weigh { server, weight } => format!("set weight {backend}/{server} {weight}"),
            Move::Open { server } => format!("set server {backend}/{server} state ready"),
            Move::Close { server } => format!("set server {backend}/{server} state maint"),
            Move::Remove { server } => format!("del server {backend}/{server}"),
        }
    }

    /// Returns the commands that bring a server: it is closed at first, checks nobody, and knows nothing of `default-server`.
    fn addition(&self, server: &str, address: &str) -> String {
        let (backend, words) = (&self.backend, &self.settings.new_server);
        let cookie = self.settings.cookie.as_ref().map_or_else(String::new, |_| format!(" cookie {server}"));
        let is_checked = words.split(' ').any(|word| word == "check");
        let health = if is_checked { format!("enable health {backend}/{server};") } else { String::new() };
        format!(
            "add server {backend}/{server} {address} weight 0 {words}{cookie};{health}set server {backend}/{server} state ready"
        )
    }

    /// Holds what the backend says of itself against what is needed.
    fn check(&self, backend: &BTreeMap<&str, &str>) -> Result<(), String> {
        let (name, algorithm) = (&self.backend, backend.get("algo").copied().unwrap_or_default());
        if algorithm != ALGORITHM {
            let found =
                if matches!(algorithm, "" | "unknown") { "another one, or a socket below level admin" } else { algorithm };
            return Err(format!(
                "backend {name} needs `balance {ALGORITHM}`, which honours weights exactly; it has {}",
                plain(found)
            ));
        }
        let cookie = backend.get("cookie").copied().unwrap_or_default();
        match &self.settings.cookie {
            Some(wanted) if wanted != cookie => {
                Err(format!("backend {name} keeps callers by the cookie {:?}, the settings say {wanted:?}", plain(cookie)))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Balancer for HaproxyApi {
    fn hosts(&self) -> &[String] {
        &self.settings.hosts
    }

    fn script(&self, purpose: Purpose) -> Script {
        let script = Script::on_haproxy(purpose)
            .through_sudo(self.settings.sudo)
            .with("SCOPE", &self.scope)
            .with("SOCKET", &self.settings.socket);
        script.with("BACKEND", &self.backend).with("STATE", self.settings.state_file.as_deref().unwrap_or_default())
    }

    fn checks_newcomers(&self) -> bool {
        true
    }

    fn read(&self, lines: &[String]) -> Result<Seen, String> {
        let mut seen = Seen::begin(lines)?;
        if let Some(why) = &seen.silent {
            seen.silent = Some(format!("HAProxy does not say its state: {why}"));
            return Ok(seen);
        }
        let mut rows = after(lines, "stat").filter(|row| !row.is_empty());
        let header: Vec<_> = rows.next().unwrap_or_default().trim_start_matches("# ").split(',').collect();
        let (mut checked, mut counts) = (false, BTreeMap::new());
        for row in rows {
            let row: BTreeMap<_, _> = header.iter().copied().zip(row.split(',')).collect();
            match row.get("svname").copied() {
                Some("BACKEND") => {
                    self.check(&row)?;
                    checked = true;
                }
                Some(name) if row.get("pxname") == Some(&self.backend.as_str()) => {
                    let server =
                        server(&row).ok_or_else(|| format!("HAProxy's row of server {} is not understood", plain(name)))?;
                    counts.extend(row.get("stot").and_then(|count| Some((name.to_owned(), count.parse().ok()?))));
                    seen.servers.insert(name.to_owned(), server);
                }
                Some(_) | None => return Err("HAProxy's table of servers is not understood".to_owned()),
            }
        }
        seen.given = since(lines, &counts);
        if checked { Ok(seen) } else { Err(format!("HAProxy has no backend {}", self.backend)) }
    }

    fn apply(&self, fence: u64, _seen: &Seen, order: Option<&Order>, moves: &[Move]) -> Script {
        let commands =
            moves.chunks(COMMANDS_MAX).map(|some| some.iter().map(|change| self.command(change)).collect::<Vec<_>>().join(";"));
        let commands: Vec<_> = commands.collect();
        let order = order.map(Order::text).unwrap_or_default();
        self.acting(fence).with("ORDER", order).with("COMMANDS", commands.join("\n")).then(&["apply"])
    }

    fn close_connections(&self, fence: u64, server: &str) -> Option<Script> {
        let command = format!("shutdown sessions server {}/{server}", self.backend);
        Some(self.acting(fence).with("ORDER", "").with("COMMANDS", command).then(&["apply"]))
    }
}

fn server(row: &BTreeMap<&str, &str>) -> Option<Server> {
    let status = *row.get("status")?;
    let closed = ["MAINT", "DRAIN", "NOLB"].iter().any(|state| status.starts_with(state));
    Some(Server {
        weight: row.get("weight")?.parse().ok()?,
        open: !closed,
        up: status.starts_with("UP") || status == "no check",
        checked: row.get("check_status") != Some(&"INI"),
        sessions: row.get("scur")?.parse().ok()?,
        address: row.get("addr").filter(|address| !address.is_empty()).map(|address| (*address).to_owned()),
    })
}
