//! What divides the traffic: what is said of it and asked of it, whoever it is.

mod envoy;
mod haproxy;
mod nginx;
pub(crate) mod routes;

use std::collections::BTreeMap;

use serde_json::json;
use towpath_sdk::Context;
use towpath_sdk::target::Call;

use crate::script::{Purpose, Script, plain};
use crate::settings::{BalancerSettings, Settings};

use envoy::EnvoyFiles;
use haproxy::HaproxyApi;
use nginx::NginxFile;
use routes::{Routed, Routes};

/// Something that divides traffic over servers by weights.
pub(crate) trait Balancer {
    /// Returns the hosts that it runs on.
    fn hosts(&self) -> &[String];

    /// Returns a script that has its words and knows what it is called there.
    fn script(&self, purpose: Purpose) -> Script;

    /// Returns whether it looks at a server that comes before that is given requests.
    fn checks_newcomers(&self) -> bool {
        false
    }

    /// Returns what of these routes it cannot serve, if anything.
    fn cannot(&self, _routes: &Routes) -> Option<String> {
        None
    }

    /// Returns the script that looks at it.
    fn look(&self) -> Script {
        self.script(Purpose::Look).then(&["look"])
    }

    /// Returns the beginning of every script that acts there: it holds the fence first.
    fn acting(&self, fence: u64) -> Script {
        self.script(Purpose::Act).with("FENCE", fence.to_string()).then(&["guard"])
    }

    /// Reads what that script said. An error stays until somebody sets it up otherwise.
    fn read(&self, lines: &[String]) -> Result<Seen, String>;

    /// Returns the script that makes the fence known there.
    fn claim(&self, fence: u64) -> Script {
        self.acting(fence).then(&["claim"])
    }

    /// Returns the script that writes down what is ordered, where something new is, and makes these moves in their order, from what was seen.
    fn apply(&self, fence: u64, seen: &Seen, order: Option<&Order>, moves: &[Move]) -> Script;

    /// Returns the script that closes all that is connected to a server; none where it cannot close that and nothing else.
    fn close_connections(&self, _fence: u64, _server: &str) -> Option<Script> {
        None
    }
}

/// What is seen of it on one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The highest fence that was seen there.
    pub(crate) fence: u64,
    /// What was ordered last.
    pub(crate) order: Option<Order>,
    /// Why it does not answer, if it does not.
    pub(crate) silent: Option<String>,
    /// Its servers, by name.
    pub(crate) servers: BTreeMap<String, Server>,
    /// Where requests go that go another way than by weights.
    pub(crate) routed: Routed,
    /// How many requests each server was given since it was moved last, where that is counted.
    pub(crate) given: BTreeMap<String, u64>,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) weight: u32,
    /// Whether it may be given requests.
    pub(crate) open: bool,
    /// Whether it answers, as far as the balancer checks that.
    pub(crate) up: bool,
    /// Whether that is known by a look, where the balancer looks at all: a server counts as up until then.
    pub(crate) checked: bool,
    /// Requests that are on their way.
    pub(crate) sessions: u64,
    /// Where it is, where that is told.
    pub(crate) address: Option<String>,
}

/// What was ordered: how the traffic shall be divided, and what each server is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    /// The candidate's share, in basis points.
    pub(crate) share: u16,
    /// The weight of each server, 0 for none, and the release that it serves.
    pub(crate) servers: BTreeMap<String, (u32, String)>,
    /// Which requests go another way than by weights.
    pub(crate) routes: Routes,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// A server that is not there comes, without traffic.
    Add { server: String, address: String },
    /// A server's weight is another one.
    Weigh { server: String, weight: u32 },
    /// A server may be given requests.
    Open { server: String },
    /// A server is given no more requests; those on their way end.
    Close { server: String },
    /// A server that is closed is no longer there, unless it is still used.
    Remove { server: String },
}

/// Returns what divides the traffic, if anything does.
pub(crate) fn of(call: &Call<Settings>) -> Option<Box<dyn Balancer>> {
    call.settings.balancer.as_ref().map(|settings| match settings {
        BalancerSettings::Haproxy(haproxy) => Box::new(HaproxyApi::new(call, haproxy)) as Box<dyn Balancer>,
        BalancerSettings::Nginx(nginx) => Box::new(NginxFile::new(call, nginx)),
        BalancerSettings::Envoy(envoy) => Box::new(EnvoyFiles::new(call, envoy)),
    })
}

/// Returns a setting with what is deployed in the place of the words that stand for it.
fn placed(text: &str, context: &Context) -> String {
    text.replace("{service}", &context.service).replace("{environment}", &context.environment)
}

/// Returns the rest of the lines that begin with a word.
fn after<'a>(lines: &'a [String], word: &'a str) -> impl Iterator<Item = &'a str> {
    lines.iter().filter_map(move |line| line.strip_prefix(word)?.strip_prefix(' '))
}

/// Returns the servers as they are after the moves.
fn moved(seen: &Seen, moves: &[Move]) -> BTreeMap<String, Server> {
    let mut servers = seen.servers.clone();
    for change in moves {
        match change {
            Move::Add { server, address } => {
                let added =
                    Server { weight: 0, open: false, up: true, checked: true, sessions: 0, address: Some(address.clone()) };
                servers.insert(server.clone(), added);
            }
            Move::Weigh { server, weight } => change_of(&mut servers, server, |server| server.weight = *weight),
            Move::Open { server } => change_of(&mut servers, server, |server| server.open = true),
            Move::Close { server } => change_of(&mut servers, server, |server| server.open = false),
            Move::Remove { server } => {
                servers.remove(server);
            }
        }
    }
    servers
}

fn change_of(servers: &mut BTreeMap<String, Server>, name: &str, change: impl FnOnce(&mut Server)) {
    if let Some(server) = servers.get_mut(name) {
        change(server);
    }
}

/// Returns how many requests came after the ones that were counted at the last move. Where a counter began anew nothing is known of any.
fn since(lines: &[String], now: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let counted =
        |line: &str| line.rsplit_once(' ').and_then(|(name, count)| Some((name.to_owned(), count.parse::<u64>().ok()?)));
    let before: BTreeMap<_, _> = after(lines, "count").filter_map(counted).collect();
    let came = now.iter().map(|(name, count)| Some((name.clone(), count.checked_sub(*before.get(name)?)?)));
    came.collect::<Option<_>>().unwrap_or_default()
}

impl Seen {
    /// Reads what every balancer's script says: the fence, what was ordered, and why there is nothing more.
    fn begin(lines: &[String]) -> Result<Self, String> {
        let fence = after(lines, "fence").next().and_then(|highest| highest.parse().ok());
        Ok(Self {
            fence: fence.ok_or("it does not say which fence it has seen")?,
            order: Order::read(after(lines, "order")),
            silent: after(lines, "silent").next().map(plain),
            servers: BTreeMap::new(),
            routed: Routed::default(),
            given: BTreeMap::new(),
        })
    }

    /// Returns the weights of two groups of servers that are in force, each added up.
    pub(crate) fn weight_of<'a>(&self, servers: impl IntoIterator<Item = &'a str>) -> u64 {
        let in_force = |server: &Server| if server.open { u64::from(server.weight) } else { 0 };
        servers.into_iter().filter_map(|name| self.servers.get(name)).map(in_force).sum()
    }
}

impl Order {
    /// Returns it as lines of a file.
    fn text(&self) -> String {
        let servers = self.servers.iter().map(|(name, (weight, release))| format!("\nserver {name} {weight} {release}"));
        let routes = match self.routes.are_none() {
            true => String::new(),
            false => format!("\nroutes {}", json!(self.routes)),
        };
        format!("share {}{}{routes}", self.share, servers.collect::<String>())
    }

    /// Reads such lines; an order that is not understood is none.
    fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (mut order, mut share) = (Self::default(), None);
        for line in lines {
            if let Some(routes) = line.strip_prefix("routes ") {
                order.routes = serde_json::from_str(routes).ok()?;
                continue;
            }
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["share", basis_points] => share = Some(basis_points.parse().ok()?),
                ["server", name, weight, release] => {
                    order.servers.insert(name.to_owned(), (weight.parse().ok()?, release.to_owned()));
                }
                _ => return None,
            }
        }
        order.share = share?;
        Some(order)
    }
}
