//! When a slot's program may be ended: nothing new comes to it, its requests have had their time, and what stays connected for longer, a
//! WebSocket, a stream of events or a long download, has had its own.
//!
//! What is still connected then is closed by the balancer, where it can, before the program is ended: a program that holds on to what it
//! has holds nobody up.

use crate::act::Act;
use crate::balancer::Seen;
use crate::configuration::Configuration;
use crate::fleet::server;
use crate::memory::Memory;
use crate::plan::SidePlan;
use crate::report::Slot;
use crate::step::Scene;

/// How long connections that the balancer was told to close may still be counted, in milliseconds; then the program's end closes them.
const CLOSING_MS: u64 = 3_000;

/// How long what is on its way in a slot is waited for, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patience {
    /// For requests.
    requests_ms: u64,
    /// From then on for what is still connected; none: it is not told from requests, and ends with the program.
    connections_ms: Option<u64>,
}

/// Whether a slot's program may be ended.
pub(crate) enum Ending {
    Now,
    Later(String),
    /// The balancers close what is connected first.
    Close(Vec<Act>),
}

/// What becomes of a server that left and has had its time.
pub(crate) enum Late {
    /// Its balancer closes what is connected to it.
    Closed(Act),
    /// That was asked a moment ago.
    Closing,
    /// It stays as it is.
    Over,
}

impl Ending {
    /// Returns what is done now: the end itself, or what comes before it. What is waited for is added.
    pub(crate) fn acts(self, waits: &mut Vec<String>, end: impl FnOnce() -> Act) -> Vec<Act> {
        match self {
            Self::Now => vec![end()],
            Self::Later(why) => {
                waits.push(why);
                Vec::new()
            }
            Self::Close(acts) => acts,
        }
    }
}

impl Patience {
    fn of(configuration: &Configuration) -> Self {
        Self { requests_ms: configuration.drain_timeout_ms, connections_ms: configuration.long_lived_timeout_ms }
    }

    /// Returns the same for a slot that something else needs. A release that shall be the stable one may be the way back, and that waits for
    /// nobody's download: what is connected is closed at once.
    pub(crate) fn for_place(side: &SidePlan) -> Self {
        let patience = Self::of(&side.configuration);
        match side.side {
            towpath_sdk::Side::Stable => Self { connections_ms: patience.connections_ms.map(|_| 0), ..patience },
            towpath_sdk::Side::Candidate => patience,
        }
    }

    /// Returns after how long nobody is waited for any more.
    pub(crate) fn all_ms(self) -> u64 {
        self.requests_ms.saturating_add(self.connections_ms.unwrap_or(0))
    }

    /// Returns whether what stays connected is closed in the end.
    pub(crate) fn closes(self) -> bool {
        self.connections_ms.is_some()
    }

    /// Returns what is waited for after so long, if anything is.
    pub(crate) fn wait(self, server: &str, sessions: u64, waited_ms: u64) -> Option<String> {
        if waited_ms < self.requests_ms {
            return Some(format!("{sessions} requests are on their way in {server}"));
        }
        let left_ms = self.all_ms().saturating_sub(waited_ms);
        let left = left_ms.div_ceil(1_000);
        (left_ms > 0).then(|| format!("{sessions} long-lived connections in {server} have {left} s left"))
    }
}

impl Scene<'_> {
    /// Returns how long the most patient side waits.
    pub(crate) fn patience(&self) -> Patience {
        let sides = self.plan.sides().map(|side| Patience::of(&side.configuration));
        sides.fold(Patience::default(), |one, other| Patience {
            requests_ms: one.requests_ms.max(other.requests_ms),
            connections_ms: one.connections_ms.max(other.connections_ms),
        })
    }

    /// Returns whether a slot's program may be ended.
    pub(crate) fn ending(&self, host: &str, slot: Slot, patience: Patience, memory: &mut Memory) -> Ending {
        if self.fleet.is_drained(host, slot) {
            return Ending::Now;
        }
        let (name, now_ms) = (server(host, slot), self.call.context.now_ms);
        if self.fleet.is_open(host, slot) {
            return Ending::Later(format!("{name} still has traffic"));
        }
        let (sessions, key) = (self.fleet.sessions(host, slot), format!("drain-{}", slot.as_str()));
        if let Some(why) = patience.wait(&name, sessions, memory.waited_ms(host, &key, now_ms)) {
            return Ending::Later(why);
        }
        let closes = if patience.closes() { self.closes(&name) } else { Vec::new() };
        if closes.is_empty() {
            return Ending::Now;
        }
        let key = format!("close-{}", slot.as_str());
        if memory.urges(host, &key) {
            return Ending::Close(closes);
        }
        match memory.waited_ms(host, &key, now_ms) < CLOSING_MS {
            true => Ending::Later(format!("{sessions} connections in {name} are being closed")),
            false => Ending::Now,
        }
    }

    /// Returns what becomes of a server that left and has had its time.
    pub(crate) fn late(&self, host: &str, seen: &Seen, name: &str, patience: Patience, memory: &mut Memory) -> Late {
        if !patience.closes() {
            return Late::Over;
        }
        let key = format!("close-{name}");
        match self.close(host, seen, name).filter(|_| memory.urges(host, &key)) {
            Some(act) => Late::Closed(act),
            None if memory.waited_ms(host, &key, self.call.context.now_ms) < CLOSING_MS => Late::Closing,
            None => Late::Over,
        }
    }

    /// Returns what has the balancers close all that is connected to a server; nothing where they cannot.
    fn closes(&self, name: &str) -> Vec<Act> {
        self.fleet.balancers.iter().filter_map(|(host, seen)| self.close(host, seen, name)).collect()
    }

    /// Returns what has a balancer close all that is connected to a server that gets nothing new; none where nothing is, or it cannot.
    fn close(&self, host: &str, seen: &Seen, name: &str) -> Option<Act> {
        seen.servers.get(name).filter(|server| server.sessions > 0 && !server.open)?;
        let script = self.balancer?.close_connections(self.call.context.fence, name)?;
        Some(Act { host: host.to_owned(), script, release: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_first_and_then_what_is_long_lived_and_nobody_is_waited_for_for_ever() {
        let wait = |connections_ms, waited_ms| Patience { requests_ms: 5_000, connections_ms }.wait("web-1-b", 3, waited_ms);
        let requests = Some("3 requests are on their way in web-1-b".to_owned());
        let connections = |seconds: u64| Some(format!("3 long-lived connections in web-1-b have {seconds} s left"));
        for stated in [None, Some(0), Some(60_000)] {
            assert_eq!(wait(stated, 4_999), requests);
        }
        assert_eq!((wait(None, 5_000), wait(Some(0), 5_000)), (None, None));
        assert_eq!((wait(Some(60_000), 5_000), wait(Some(60_000), 64_001)), (connections(60), connections(1)));
        assert_eq!((wait(Some(60_000), 65_000), wait(Some(u64::MAX), u64::MAX)), (None, None));
    }
}
