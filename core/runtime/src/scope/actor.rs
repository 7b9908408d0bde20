//! The task of one scope: takes desired states, stores them, and reconciles whenever something changed.

use std::cmp::Ordering;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::Scope;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::counters::ReleaseCounters;
use crate::limits::LISTEN_RETRY;
use crate::options::Options;
use crate::protocol::{DesiredState, Side, Status};
use crate::route::choice::Rules;
use crate::route::listener::Listener;
use crate::route::table::{PublicRoute, Table};
use crate::scope::departed::DepartedReleases;
use crate::scope::group::RunningGroup;
use crate::scope::handle::{ApplyError, Message};
use crate::scope::identity;
use crate::scope::plan::{Action, Seen, Verification, Wanted, plan};
use crate::scope::report::{Reading, View};
use crate::store::{StateStore, Stored};
use crate::supervise::leftovers::Records;
use crate::supervise::logs;
use crate::supervise::ports::Ports;

/// What all scopes of a runtime share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) artifacts: artifact::Store,
    pub(crate) states: StateStore,
    pub(crate) ports: Ports,
    pub(crate) records: Records,
}

/// The task's state.
pub(crate) struct Actor {
    scope: Scope,
    shared: Arc<Shared>,
    /// The state in force; absent before the first.
    desired: Option<DesiredState>,
    /// The port that this scope keeps; 0 before the first.
    public_port: u16,
    listener: Option<Listener>,
    port_trouble: Option<String>,
    route: Arc<PublicRoute>,
    groups: Vec<RunningGroup>,
    departed: DepartedReleases,
    /// The number of the instance that was started last. Two instances of a scope never have one number, whatever their sides.
    last_instance: u32,
    changed: Arc<Notify>,
    inbox: mpsc::WeakSender<Message>,
    logs: PathBuf,
    /// Who waits for everything to be stopped.
    down: Option<oneshot::Sender<()>>,
}

impl Actor {
    pub(crate) fn new(
        scope: Scope,
        stored: Option<Stored>,
        shared: Arc<Shared>,
        inbox: mpsc::WeakSender<Message>,
        logs: PathBuf,
    ) -> Self {
        Self {
            scope,
            route: Arc::new(PublicRoute::new(shared.options.response_head_timeout)),
            shared,
            public_port: stored.as_ref().map_or(0, |s| s.public_port),
            desired: stored.map(|s| s.desired),
            listener: None,
            port_trouble: None,
            groups: Vec::new(),
            departed: DepartedReleases::default(),
            last_instance: 0,
            changed: Arc::new(Notify::new()),
            inbox,
            logs,
            down: None,
        }
    }

    /// Runs until nobody holds the handle any more, or until a shutdown is done.
    pub(crate) async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        self.ask_groups();
        self.reopen().await;
        self.reconcile();
        // Outside the loop: a busy scope must not push its next attempt away again and again.
        let mut attempts = tokio::time::interval(LISTEN_RETRY);
        attempts.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let retry = self.port_trouble.is_some();
            let changed = self.changed.clone();
            tokio::select! {
                message = messages.recv() => match message {
                    Some(message) => self.take(message).await,
                    None => return,
                },
                () = changed.notified() => {}
                _ = attempts.tick(), if retry => self.reopen().await,
            }
            self.reconcile();
            if self.down.is_some() && self.groups.is_empty() {
                break;
            }
        }
        if let Some(down) = self.down.take() {
            let _ = down.send(());
        }
    }

    async fn take(&mut self, message: Message) {
        match message {
            Message::Apply(desired, answer) => {
                let taken = self.apply(*desired).await;
                self.reconcile();
                let status = taken.and_then(|()| self.status().ok_or(ApplyError::ShuttingDown));
                let _ = answer.send(status);
            }
            Message::Status(answer) => {
                let _ = answer.send(self.status());
            }
            Message::Reading(answer) => {
                let _ = answer.send(self.reading());
            }
            Message::Verified { group, result } => self.verified(&group, result),
            Message::Shutdown(answer) => {
                let drain = self.drain();
                self.down = Some(answer);
                if let Some(listener) = self.listener.take() {
                    listener.close(drain).await;
                }
            }
        }
    }

    async fn apply(&mut self, desired: DesiredState) -> Result<(), ApplyError> {
        if self.down.is_some() {
            return Err(ApplyError::ShuttingDown);
        }
        if let Some(known) = &self.desired {
            if desired == *known {
                // A retry, or somebody asking whether it is done: it is stored, so it only has to be looked at again.
                self.ask_groups();
                return Ok(());
            }
            refuse_old(known, &desired)?;
        }
        // Taking a port can fail and changes nothing yet, so it comes first; nobody is accepted before the state is stored.
        let socket = self.take_port(&desired).await?;
        let public_port = match &socket {
            Some(socket) => socket.local_addr().map_or(self.public_port, |a| a.port()),
            None => self.public_port,
        };
        let stored = Stored::new(public_port, desired);
        let desired = stored.desired.clone();
        let (states, scope) = (self.shared.states.clone(), self.scope.clone());
        let saved = tokio::task::spawn_blocking(move || states.save(&scope, &stored)).await;
        saved.unwrap_or_else(|e| Err(io::Error::other(e))).map_err(ApplyError::Store)?;
        let open = is_open(&desired);
        (self.desired, self.public_port) = (Some(desired), public_port);
        self.ask_groups();
        self.switch_port(socket, open);
        Ok(())
    }

    /// Returns a newly taken port where the state needs another than the open one.
    async fn take_port(&self, desired: &DesiredState) -> Result<Option<TcpListener>, ApplyError> {
        let wanted = if desired.port == 0 { self.public_port } else { desired.port };
        let open = self.listener.as_ref().map(|listener| listener.address().port());
        if !is_open(desired) || (open.is_some() && open == Some(wanted)) {
            return Ok(None);
        }
        let host = self.shared.options.listen_host;
        let taken = Listener::bind(host, wanted).await;
        taken.map(Some).map_err(|source| ApplyError::Port { address: format!("{host}:{wanted}"), source })
    }

    fn switch_port(&mut self, socket: Option<TcpListener>, open: bool) {
        if (socket.is_some() || !open)
            && let Some(old) = self.listener.take()
        {
            // In its own time: the new port is served from now on.
            tokio::spawn(old.close(self.drain()));
        }
        if let Some(socket) = socket {
            self.serve(socket);
        }
        if !open {
            self.port_trouble = None;
        }
    }

    fn serve(&mut self, socket: TcpListener) {
        match Listener::serve(socket, self.route.clone()) {
            Ok(listener) => (self.listener, self.port_trouble) = (Some(listener), None),
            Err(error) => self.port_trouble = Some(format!("cannot listen: {error}")),
        }
    }

    /// Opens the port of a stored state; after a restart somebody else may have it.
    async fn reopen(&mut self) {
        let Some(desired) = self.desired.as_ref().filter(|desired| is_open(desired) && self.listener.is_none()) else { return };
        match self.take_port(desired).await {
            Ok(Some(socket)) => self.serve(socket),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(scope = %self.scope, %error, "the public port is not open");
                self.port_trouble = Some(error.to_string());
            }
        }
    }

    /// Makes every wanted group known and tells the known ones what changed.
    fn ask_groups(&mut self) {
        let Some(desired) = &self.desired else { return };
        for wanted in [Side::Stable, Side::Candidate].iter().filter_map(|side| desired.group(*side)) {
            let id = identity(wanted);
            if let Some(group) = self.groups.iter_mut().find(|group| group.id == id) {
                group.ask(wanted);
                continue;
            }
            logs::prune(&self.logs);
            // The same release may run already, with another environment or command; then both count together.
            let known = self.groups.iter().find(|group| group.wanted.release == wanted.release);
            let counters = known.map(|group| group.counters.clone()).or_else(|| self.departed.take(&wanted.release));
            let counters = counters.unwrap_or_else(|| Arc::new(ReleaseCounters::new()));
            self.groups.push(RunningGroup::new(&id, wanted, &self.logs, counters));
        }
    }

    fn verified(&mut self, group: &str, result: Result<(), String>) {
        if let Err(why) = &result {
            tracing::error!(scope = %self.scope, %why, "a release was refused");
        }
        for known in self.groups.iter_mut().filter(|known| known.id == group) {
            known.verified(result.clone());
        }
    }

    fn status(&self) -> Option<Status> {
        self.view().map(|view| view.status())
    }

    fn reading(&self) -> Option<Reading> {
        self.view().map(|view| view.reading(self.departed.lately()))
    }

    fn view(&self) -> Option<View<'_>> {
        Some(View {
            desired: self.desired.as_ref()?,
            groups: &self.groups,
            public_endpoint: self.listener.as_ref().map(|listener| listener.address().to_string()),
            port_trouble: self.port_trouble.as_deref(),
            unserved: self.route.unserved(),
        })
    }

    fn drain(&self) -> Duration {
        Duration::from_millis(self.desired.as_ref().map_or(0, |desired| desired.drain_timeout_ms))
    }

    fn wanted(&self) -> Vec<Wanted> {
        let Some(desired) = self.desired.as_ref().filter(|_| self.down.is_none()) else { return Vec::new() };
        let groups = [Side::Stable, Side::Candidate].into_iter().filter_map(|side| desired.group(side));
        groups.map(|group| Wanted { group: identity(group), instances: usize::from(group.instances) }).collect()
    }

    /// Does what is to be done. The table is replaced before anything is told to stop, so that nothing new arrives there.
    fn reconcile(&mut self) {
        let seen: Vec<Seen> = self.groups.iter().map(RunningGroup::seen).collect();
        let actions = plan(&self.wanted(), &seen);
        self.route.publish(self.table(&actions));
        let drain = self.drain();
        for action in actions {
            self.perform(action, drain);
        }
    }

    fn table(&self, actions: &[Action]) -> Table {
        let Some(desired) = &self.desired else { return Table::default() };
        let side = |side: Side| {
            let id = identity(desired.group(side)?);
            let group = self.groups.iter().find(|group| group.id == id)?;
            let leaving = actions.iter().filter_map(|action| match action {
                Action::Retire { group, instance } if *group == id => Some(*instance),
                Action::Retire { .. } | Action::Verify { .. } | Action::Start { .. } => None,
                Action::Bury { .. } | Action::Forget { .. } => None,
            });
            Some(group.side_route(side, &leaving.collect::<Vec<_>>()))
        };
        Table { rules: desired.traffic.as_ref().map(Rules::new), stable: side(Side::Stable), candidate: side(Side::Candidate) }
    }

    fn perform(&mut self, action: Action, drain: Duration) {
        match action {
            Action::Verify { group } => self.verify(&group),
            Action::Start { group, count } => {
                let (scope, shared, changed) = (self.scope.clone(), self.shared.clone(), self.changed.clone());
                let numbers: Vec<u32> = (self.last_instance + 1..).take(count).collect();
                self.last_instance = numbers.last().copied().unwrap_or(self.last_instance);
                self.with(&group, |g| g.start(&numbers, &scope, &shared, &changed));
            }
            Action::Retire { group, instance } => self.with(&group, |g| g.retire(instance, drain)),
            Action::Bury { group, instance } => self.with(&group, |g| g.bury(instance)),
            Action::Forget { group } => self.forget(&group),
        }
    }

    fn with(&mut self, id: &str, action: impl FnOnce(&mut RunningGroup)) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.id == id) {
            action(group);
        }
    }

    fn verify(&mut self, id: &str) {
        let (artifacts, inbox, group) = (self.shared.artifacts.clone(), self.inbox.clone(), id.to_owned());
        self.with(id, |known| {
            known.verification = Verification::Running;
            let digest = model::Digest::parse(&known.wanted.artifact_digest);
            tokio::spawn(async move {
                let check = move || artifacts.verify(&digest.map_err(|e| e.to_string())?).map_err(|e| chain(&e));
                let result = tokio::task::spawn_blocking(check).await.unwrap_or_else(|e| Err(e.to_string()));
                if let Some(inbox) = inbox.upgrade() {
                    let _ = inbox.send(Message::Verified { group, result }).await;
                }
            });
        });
    }

    fn forget(&mut self, id: &str) {
        let Some(at) = self.groups.iter().position(|group| group.id == id) else { return };
        let RunningGroup { wanted, counters, .. } = self.groups.remove(at);
        if self.groups.iter().all(|group| group.wanted.release != wanted.release) {
            self.departed.keep(wanted.release, counters);
        }
    }
}

/// Refuses a state that is older than the one in force, or that has its fence and says something else.
fn refuse_old(known: &DesiredState, found: &DesiredState) -> Result<(), ApplyError> {
    match found.fence.cmp(&known.fence) {
        Ordering::Less => Err(ApplyError::Superseded { highest: known.fence }),
        Ordering::Equal => Err(ApplyError::OtherContent {
            fence: found.fence,
            known: known.operation_key.clone(),
            found: found.operation_key.clone(),
        }),
        Ordering::Greater => Ok(()),
    }
}

/// Whether the public port is open: as long as anything is wanted, even if nobody is served at the moment.
fn is_open(desired: &DesiredState) -> bool {
    desired.stable.is_some() || desired.candidate.is_some()
}

/// Returns an error with everything that led to it: it becomes one line of a status.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
