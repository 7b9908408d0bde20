//! Several servers on one PostgreSQL: one sleeps for longer than its lease, any of them is killed at any moment, and so is the
//! database.

use std::time::Duration;

use nix::sys::signal::Signal;
use test_postgres::Server;

use crate::rig::{Callers, Replica, Rig, faults, now, wait_for};

/// The shard of the rig's service: its hash is the same for every server and release of ours.
const SHARD: u32 = 6;

/// Faults in each run of the tests: one of each kind.
const FAULTS: u64 = 6;

/// A canary of the rig takes about this long; the faults are spread over it, by a step that shares no factor with it.
const CANARY_MS: u64 = 3_000;
const STEP_MS: u64 = 787;

/// Longer than a lease.
const SLEEP: Duration = Duration::from_secs(7);

/// A database, three servers on it, and a service with two releases of which the first is deployed.
struct Fleet {
    database: Server,
    rig: Rig,
    url: String,
    replicas: Vec<Replica>,
}

impl Fleet {
    fn start() -> Self {
        let database = Server::start();
        let url = database.database();
        let rig = Rig::start_runtime();
        let replicas = (0..3).map(|_| rig.start_replica(&url)).collect();
        let mut fleet = Self { database, rig, url, replicas };
        fleet.speak_to(0);
        fleet.rig.register();
        fleet.rig.release("a", "");
        fleet.rig.release("b", "");
        fleet.deploy_and_wait("a");
        fleet
    }

    /// Has every command go to one server.
    fn speak_to(&mut self, index: usize) {
        self.rig.server_address = Some(self.replicas[index].address.clone());
    }

    fn deploy_and_wait(&self, label: &str) -> serde_json::Value {
        let id = self.rig.deploy(label);
        self.rig.wait_for_end(&id)
    }

    fn callers(&self) -> Callers {
        let shown = self.rig.ask(&["list"]);
        let id = shown["deployments"][0]["id"].as_str().unwrap_or_else(|| panic!("no deployment in {shown}"));
        Callers::start(self.rig.ask(&["show", id])["public_endpoint"].as_str().unwrap(), 2)
    }

    /// Returns which server holds the service's shard now.
    fn owner(&self) -> Option<usize> {
        let now = "floor(extract(epoch FROM clock_timestamp()) * 1000)";
        let sql = format!("SELECT owner FROM leases WHERE shard = {SHARD} AND expires_at > {now}");
        let found = self.database.sql("test_0", &sql);
        let pid: u32 = found.split('-').nth(1)?.parse().ok()?;
        self.replicas.iter().position(|replica| replica.pid() == pid)
    }

    /// Returns whether a server holds any lease now.
    fn is_seated(&self, index: usize) -> bool {
        let pid = self.replicas[index].pid();
        let now = "floor(extract(epoch FROM clock_timestamp()) * 1000)";
        let sql = format!("SELECT count(*) FROM leases WHERE owner LIKE 'server-{pid}-%' AND expires_at > {now}");
        self.database.sql("test_0", &sql) != "0"
    }

    /// Returns how many records were written under each epoch, and asserts that within a deployment no later one has an earlier epoch.
    fn epochs(&self) -> String {
        let fell = "SELECT count(*) FROM (SELECT epoch < lag(epoch) OVER (PARTITION BY deployment ORDER BY seq) AS fell FROM journal) r \
                    WHERE fell";
        assert_eq!(self.database.sql("test_0", fell), "0", "somebody wrote whose time was over");
        self.database.sql("test_0", "SELECT epoch, count(*) FROM journal GROUP BY epoch ORDER BY epoch")
    }

    fn replace(&mut self, index: usize) {
        drop(self.replicas.remove(index));
        let fresh = self.rig.start_replica(&self.url);
        self.replicas.push(fresh);
        self.speak_to(0);
    }
}

#[test]
fn a_server_that_sleeps_longer_than_its_lease_changes_nothing_when_it_wakes() {
    let mut fleet = Fleet::start();
    let callers = fleet.callers();
    let id = fleet.rig.deploy("b");
    fleet.rig.wait_for_traffic(&id);
    let sleeper = fleet.owner().expect("somebody has it");
    fleet.replicas[sleeper].signal(Signal::SIGSTOP);
    let stopped = now();
    fleet.speak_to((sleeper + 1) % 3);
    wait_for("another owner", || fleet.owner().filter(|owner| *owner != sleeper));
    println!("taken over {} ms after its owner was stopped", stopped.elapsed().as_millis());
    assert_eq!(fleet.rig.wait_for_end(&id)["phase"], "succeeded");
    wait_for("the end of the sleeper's last lease", || (!fleet.is_seated(sleeper)).then_some(()));
    let before = fleet.epochs();
    fleet.replicas[sleeper].signal(Signal::SIGCONT);
    // When it is among the others again, all that it had begun in its sleep is behind it.
    wait_for("the sleeper's return", || fleet.is_seated(sleeper).then_some(()));
    assert_eq!(fleet.epochs(), before, "the sleeper wrote something");
    // It is as good as the others again.
    fleet.speak_to(sleeper);
    assert_eq!(fleet.deploy_and_wait("a")["phase"], "succeeded");
    let (total, failed) = callers.stop();
    assert!(total > 100 && failed == 0, "{failed} of {total} requests failed");
}

#[test]
fn servers_and_database_that_die_at_any_moment_lose_nothing_and_fail_no_request() {
    let faults = faults(FAULTS);
    let mut fleet = Fleet::start();
    let callers = fleet.callers();
    for fault in 0..faults {
        fleet.speak_to(0);
        let label = if fault % 2 == 0 { "b" } else { "a" };
        let id = fleet.rig.deploy(label);
        std::thread::sleep(Duration::from_millis(fault * STEP_MS % CANARY_MS)); // tidy: the moment of the fault
        let owner = fleet.owner().unwrap_or(0);
        match fault % 6 {
            0 | 3 => fleet.replace(owner),
            1 => {
                fleet.database.kill();
                fleet.database.start_again();
            }
            2 => fleet.replace((owner + 1) % 3),
            4 => {
                fleet.replicas[owner].signal(Signal::SIGSTOP);
                std::thread::sleep(SLEEP); // tidy: what a lease cannot survive
                fleet.replicas[owner].signal(Signal::SIGCONT);
            }
            _ => {
                // Both at once.
                fleet.database.kill();
                fleet.replicas.remove(owner);
                fleet.database.start_again();
                let fresh = fleet.rig.start_replica(&fleet.url);
                fleet.replicas.push(fresh);
                fleet.speak_to(0);
            }
        }
        let ended = fleet.rig.wait_for_end(&id);
        assert_eq!(ended["phase"], "succeeded", "fault {fault}: {}", ended["outcome"]);
        fleet.epochs();
    }
    let verified = fleet.rig.run(&["audit", "verify", "--store", &fleet.url]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let (total, failed) = callers.stop();
    println!("{faults} faults, {total} requests, {failed} failed");
    assert!(total > 100 && failed == 0, "{failed} of {total} requests failed");
}
