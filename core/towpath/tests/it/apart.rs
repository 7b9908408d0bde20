//! Two servers on one PostgreSQL with a data folder each: what an operator did at one holds at the other.

use serde_json::Value;
use test_postgres::Server;

use crate::pins::watch_for_long;
use crate::plugins::install_as;
use crate::rig::{Replica, Rig, wait_for};

const POWERS: &str = r#"{"http": {"subjects": true}}"#;

/// Two servers, of which the first was told to install a health check, to grant it what it needs and to know a service.
struct Pair {
    database: Server,
    rig: Rig,
    replicas: Vec<Replica>,
    digest: String,
    apart: std::path::PathBuf,
}

impl Pair {
    fn start() -> Self {
        let database = Server::start();
        let url = database.database();
        let mut rig = Rig::start_runtime();
        let first = rig.start_replica(&url);
        let (second, apart) = rig.start_replica_apart(&url);
        rig.server_address = Some(first.address.clone());
        let installed = install_as(&rig, "health-http", "probe", "1.0.0", None);
        rig.ask(&["plugin", "grant", "probe", "--environment", "local", "--powers", POWERS]);
        rig.register_changed(|path| path.replace("use: health-http", "use: probe"));
        let digest = installed["digest"].as_str().unwrap().to_owned();
        Self { database, rig, replicas: vec![first, second], digest, apart }
    }

    fn speak_to(&mut self, index: usize) {
        self.rig.server_address = Some(self.replicas[index].address.clone());
    }

    /// Returns the health check's page at the server that is spoken to, once it knows it.
    fn page(&self) -> Value {
        wait_for("the plugin at this server", || {
            let page: Value = serde_json::from_slice(&self.rig.run(&["plugin", "inspect", "probe"]).stdout).ok()?;
            (page["state"] == "current").then_some(page)
        })
    }

    fn refused(&self) -> u64 {
        let page = self.page();
        let usage = page["usage"].as_array().and_then(|usage| usage.iter().find(|usage| usage["power"] == "http").cloned());
        usage.map_or(0, |usage| usage["refused"].as_u64().unwrap())
    }

    /// Returns which server takes care of the one deployment.
    fn owner(&self) -> Option<usize> {
        let sql = "SELECT DISTINCT l.owner FROM leases l JOIN journal j ON j.epoch = l.epoch WHERE l.shard = 6";
        let pid: u32 = self.database.sql("test_0", sql).split('-').nth(1)?.parse().ok()?;
        self.replicas.iter().position(|replica| replica.pid() == pid)
    }
}

#[test]
fn a_component_that_was_installed_at_one_server_is_used_at_the_other() {
    let mut pair = Pair::start();
    pair.rig.release("a", "");
    // The machine of the first is gone, and its disk with it.
    drop(pair.replicas.remove(0));
    std::fs::remove_dir_all(pair.rig.data().join("plugins")).unwrap();
    pair.speak_to(0);
    assert_eq!(pair.page()["digest"], pair.digest.as_str());
    // The second takes over when the lease of the first has run out.
    let id = wait_for("a server for the service", || {
        let output = pair.rig.run(&["deploy", "web", "local", "--release", "a", "--yes"]);
        let started: Value = serde_json::from_slice(&output.stdout).ok()?;
        started["deployment_id"].as_str().map(str::to_owned)
    });
    assert_eq!(pair.rig.wait_for_end(&id)["phase"], "succeeded");
    let file = pair.apart.join("plugins").join(format!("{}.wasm", pair.digest.replace(':', "-")));
    assert!(file.is_file(), "it is kept where it was used");
    assert!(pair.page()["calls"].as_u64().unwrap() > 0, "{}", pair.page());
}

#[test]
fn a_grant_that_is_revoked_at_one_server_is_refused_at_the_other() {
    let mut pair = Pair::start();
    watch_for_long(&pair.rig);
    pair.rig.release("a", "");
    let id = pair.rig.deploy("a");
    pair.rig.run(&["show", &id]);
    let owner = wait_for("a server that takes care of it", || pair.owner());
    pair.speak_to(owner);
    wait_for("its first look", || (pair.page()["calls"].as_u64().unwrap() > 0).then_some(()));
    assert_eq!(pair.refused(), 0, "up to here it is granted");
    pair.speak_to(1 - owner);
    pair.rig.ask(&["plugin", "revoke", "probe", "--environment", "local"]);
    pair.speak_to(owner);
    wait_for("the first refusal at the other server", || (pair.refused() > 0).then_some(()));
    pair.rig.run(&["abort", &id]);
    assert_ne!(pair.rig.wait_for_end(&id)["phase"], "succeeded");
}
