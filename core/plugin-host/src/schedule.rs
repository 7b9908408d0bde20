//! Whose turn it is: calls that run at once are limited for each plugin and in all, and who waits is served fairly.
//!
//! What it is: a fair queue over deployments. Every waiting call has a tag, one more than the tag of the deployment's call before it
//! or of the call that was let in last; the smallest tag whose plugin has room goes next (start-time fair queueing with calls
//! of equal weight). A deployment with a thousand waiting calls thus delays another one's single call by one turn, not by a thousand.
//!
//! A plugin may start another call only while fewer of its calls run than there are free places (dynamic thresholds, Choudhury and Hahne
//! 1998). One that hangs thus gets half of all places, two get a third each, and for k of them as much is left as each has: whoever
//! comes next finds room.
//!
//! What it is not: it knows no time. Whoever waits brings a deadline, and leaves the queue by dropping the future.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::Limits;

/// Lets calls in. One per host.
pub(crate) struct Schedule {
    limits: Turns,
    state: Mutex<State>,
}

/// How many may run and wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turns {
    pub(crate) at_once: u32,
    pub(crate) at_once_per_plugin: u32,
    pub(crate) waiting: u32,
    pub(crate) waiting_per_deployment: u32,
}

/// A call's turn; the next one is let in when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    schedule: Arc<Schedule>,
    plugin: String,
}

/// Too many wait already.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Crowded {
    /// Over all deployments.
    #[error("{limit} calls wait for their turn already, more may not; it can be tried again later")]
    Host {
        /// How many may wait.
        limit: u32,
    },
    /// Of this deployment.
    #[error("{limit} calls of this deployment wait for their turn already, more may not; it can be tried again later")]
    Deployment {
        /// How many may wait.
        limit: u32,
    },
}

#[derive(Default)]
struct State {
    running: u32,
    waiting: u32,
    /// The plugins that run or wait, by digest.
    plugins: HashMap<String, PluginTurns>,
    /// The deployments that wait.
    deployments: HashMap<String, Line>,
    /// The tag of the call that was let in last.
    now: u64,
    /// How many calls ever waited: it orders equal tags.
    arrived: u64,
}

#[derive(Default)]
struct PluginTurns {
    running: u32,
    waiting: BTreeMap<Place, Waiter>,
}

/// A place in the queue: the tag, then the order of arrival.
type Place = (u64, u64);

struct Waiter {
    deployment: String,
    call: oneshot::Sender<Turn>,
}

/// The calls of one deployment that wait.
#[derive(Default)]
struct Line {
    waiting: u32,
    last_tag: u64,
}

/// Somebody in the queue, who leaves it when dropped.
struct Queued<'a> {
    schedule: &'a Schedule,
    plugin: &'a str,
    place: Place,
    turn: oneshot::Receiver<Turn>,
}

impl Turns {
    pub(crate) fn of(limits: &Limits) -> Self {
        Self {
            at_once: limits.calls_at_once,
            at_once_per_plugin: limits.calls_at_once_per_plugin,
            waiting: limits.calls_waiting,
            waiting_per_deployment: limits.calls_waiting_per_deployment,
        }
    }
}

impl Schedule {
    pub(crate) fn new(limits: Turns) -> Arc<Self> {
        Arc::new(Self { limits, state: Mutex::default() })
    }

    /// Waits for the turn of a call that this deployment makes to this plugin.
    pub(crate) async fn turn(self: &Arc<Self>, deployment: &str, plugin: &str) -> Result<Turn, Crowded> {
        let Some(mut queued) = self.arrive(deployment, plugin)? else {
            return Ok(Turn { schedule: Arc::clone(self), plugin: plugin.to_owned() });
        };
        Ok((&mut queued.turn).await.expect("BUG: a place in the queue is left by its own turn alone"))
    }

    /// Returns the place in the queue, or `None` when there is room now.
    fn arrive<'a>(&'a self, deployment: &str, plugin: &'a str) -> Result<Option<Queued<'a>>, Crowded> {
        let mut state = self.lock();
        // Whoever waits while there is room waits for a plugin without room: nobody is overtaken.
        if state.running_of(plugin) < state.room(self.limits) {
            state.let_in(plugin);
            return Ok(None);
        }
        let (place, turn) = state.queue(deployment, plugin, self.limits)?;
        Ok(Some(Queued { schedule: self, plugin, place, turn }))
    }

    /// Lets in as many as there is room for.
    fn serve(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let mut served = Vec::new();
        while state.running < self.limits.at_once {
            let Some((plugin, waiter)) = state.next(self.limits) else { break };
            served.push((waiter.call, Turn { schedule: Arc::clone(self), plugin }));
        }
        // Outside of the lock: the turn of somebody who just left comes back, and is passed on by its own drop.
        drop(state);
        for (call, turn) in served {
            drop(call.send(turn));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns how many calls of one plugin may run now: none where no place is free.
    fn room(&self, limits: Turns) -> u32 {
        limits.at_once.saturating_sub(self.running).min(limits.at_once_per_plugin)
    }

    fn running_of(&self, plugin: &str) -> u32 {
        self.plugins.get(plugin).map_or(0, |turns| turns.running)
    }

    fn let_in(&mut self, plugin: &str) {
        self.running += 1;
        self.plugins.entry(plugin.to_owned()).or_default().running += 1;
    }

    fn queue(&mut self, deployment: &str, plugin: &str, limits: Turns) -> Result<(Place, oneshot::Receiver<Turn>), Crowded> {
        if self.waiting >= limits.waiting {
            return Err(Crowded::Host { limit: limits.waiting });
        }
        let line = self.deployments.entry(deployment.to_owned()).or_default();
        if line.waiting >= limits.waiting_per_deployment {
            return Err(Crowded::Deployment { limit: limits.waiting_per_deployment });
        }
        line.waiting += 1;
        line.last_tag = line.last_tag.max(self.now) + 1;
        self.waiting += 1;
        self.arrived += 1;
        let place = (line.last_tag, self.arrived);
        let (call, turn) = oneshot::channel();
        let waiter = Waiter { deployment: deployment.to_owned(), call };
        self.plugins.entry(plugin.to_owned()).or_default().waiting.insert(place, waiter);
        Ok((place, turn))
    }

    /// Lets in who is next, if anybody waits whose plugin has room.
    fn next(&mut self, limits: Turns) -> Option<(String, Waiter)> {
        let room = self.room(limits);
        let with_room = self.plugins.iter().filter(|(_, turns)| turns.running < room);
        let first = with_room.filter_map(|(plugin, turns)| Some((*turns.waiting.first_key_value()?.0, plugin))).min()?;
        let (place, plugin) = (first.0, first.1.clone());
        self.now = self.now.max(place.0);
        self.let_in(&plugin);
        let waiter = self.leave(&plugin, place)?;
        Some((plugin, waiter))
    }

    /// Takes somebody out of the queue, if they are still in it.
    fn leave(&mut self, plugin: &str, place: Place) -> Option<Waiter> {
        let waiter = self.plugins.get_mut(plugin)?.waiting.remove(&place)?;
        self.waiting -= 1;
        if let Some(line) = self.deployments.get_mut(&waiter.deployment) {
            line.waiting -= 1;
            if line.waiting == 0 {
                self.deployments.remove(&waiter.deployment);
            }
        }
        self.forget_idle(plugin);
        Some(waiter)
    }

    fn forget_idle(&mut self, plugin: &str) {
        if self.plugins.get(plugin).is_some_and(|turns| turns.running == 0 && turns.waiting.is_empty()) {
            self.plugins.remove(plugin);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.schedule.lock();
        state.running -= 1;
        if let Some(turns) = state.plugins.get_mut(&self.plugin) {
            turns.running -= 1;
        }
        state.forget_idle(&self.plugin);
        self.schedule.serve(state);
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        drop(self.schedule.lock().leave(self.plugin, self.place));
    }
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Schedule").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const ROOMY: Turns = Turns { at_once: 4, at_once_per_plugin: 2, waiting: 2_000, waiting_per_deployment: 1_500 };

    type Waiting<'a> = Pin<Box<dyn Future<Output = Result<Turn, Crowded>> + 'a>>;

    /// Asks for a turn; the future has entered the queue, or has its turn already.
    fn ask<'a>(schedule: &'a Arc<Schedule>, deployment: &'a str, plugin: &'a str) -> (Waiting<'a>, Option<Turn>) {
        let mut waiting: Waiting<'a> = Box::pin(schedule.turn(deployment, plugin));
        let turn = poll_turn(&mut waiting);
        (waiting, turn)
    }

    fn poll_turn(waiting: &mut Waiting<'_>) -> Option<Turn> {
        match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn.expect("there is room in the queue")),
            Poll::Pending => None,
        }
    }

    fn taken(schedule: &Arc<Schedule>, deployment: &str, plugin: &str) -> Turn {
        ask(schedule, deployment, plugin).1.expect("there is room")
    }

    #[test]
    fn a_deployment_with_a_thousand_calls_delays_another_by_one_turn() {
        let schedule = Schedule::new(ROOMY);
        let running = [taken(&schedule, "greedy", "p"), taken(&schedule, "greedy", "p")];
        let mut greedy: Vec<_> = (0..1_000).map(|_| ask(&schedule, "greedy", "p").0).collect();
        let mut modest = ask(&schedule, "modest", "p").0;
        drop(running);
        let turns = [poll_turn(&mut greedy[0]), poll_turn(&mut modest), poll_turn(&mut greedy[1])];
        assert!(matches!(turns, [Some(_), Some(_), None]), "{turns:?}");
    }

    #[test]
    fn a_plugin_without_room_holds_up_no_other() {
        let schedule = Schedule::new(ROOMY);
        let _running = [taken(&schedule, "a", "slow"), taken(&schedule, "a", "slow")];
        let (_waiting, none) = ask(&schedule, "a", "slow");
        assert!(none.is_none());
        taken(&schedule, "a", "quick");
    }

    #[test]
    fn plugins_that_hang_leave_as_much_room_as_each_of_them_has() {
        for (hanging, each) in [(1, 32), (2, 21), (3, 16), (7, 8)] {
            let schedule = Schedule::new(Turns { at_once: 64, at_once_per_plugin: 64, ..ROOMY });
            let names: Vec<_> = (0..hanging).map(|number| format!("hangs-{number}")).collect();
            // Each asks for more again and again, as long as anybody gets something.
            let mut running = Vec::new();
            loop {
                let before = running.len();
                running.extend(names.iter().filter_map(|name| ask(&schedule, "a", name).1));
                if running.len() == before {
                    break;
                }
            }
            let state = schedule.lock();
            let least = names.iter().map(|name| state.running_of(name)).min();
            assert!(least >= Some(each), "{hanging} plugins: {least:?}");
            assert!(64 - state.running >= each, "{hanging} plugins: {} places are left", 64 - state.running);
        }
    }

    #[test]
    fn who_goes_away_leaves_no_trace() {
        let schedule = Schedule::new(Turns { at_once: 1, ..ROOMY });
        let running = taken(&schedule, "a", "p");
        let (gone, _) = ask(&schedule, "a", "p");
        let (mut next, _) = ask(&schedule, "b", "q");
        drop(gone);
        drop(running);
        drop(poll_turn(&mut next).expect("its turn has come"));
        drop(next);
        let state = schedule.lock();
        assert_eq!((state.running, state.waiting), (0, 0));
        assert!(state.plugins.is_empty() && state.deployments.is_empty());
    }

    #[test]
    fn a_turn_that_came_too_late_is_passed_on() {
        let schedule = Schedule::new(Turns { at_once: 1, ..ROOMY });
        let running = taken(&schedule, "a", "p");
        let (late, _) = ask(&schedule, "a", "p");
        let (mut next, _) = ask(&schedule, "a", "p");
        drop(running);
        // Its turn has come, and nobody looked before it went away.
        drop(late);
        assert!(poll_turn(&mut next).is_some());
    }

    #[test]
    fn the_queue_is_bounded() {
        let schedule = Schedule::new(Turns { at_once: 1, at_once_per_plugin: 1, waiting: 2, waiting_per_deployment: 1 });
        let _running = taken(&schedule, "a", "p");
        let _waiting = [ask(&schedule, "a", "p"), ask(&schedule, "b", "p")];
        let refused = |deployment| schedule.arrive(deployment, "p").err();
        assert_eq!(refused("c"), Some(Crowded::Host { limit: 2 }));
        let schedule = Schedule::new(Turns { at_once: 1, at_once_per_plugin: 1, waiting: 9, waiting_per_deployment: 1 });
        let _running = taken(&schedule, "a", "p");
        let _waiting = ask(&schedule, "a", "p");
        assert_eq!(schedule.arrive("a", "p").err(), Some(Crowded::Deployment { limit: 1 }));
    }
}
