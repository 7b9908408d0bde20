//! SIGKILL in the middle of writing: what was acknowledged is there, whole and chained.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use journal::Store;
use journal::conformance::samples;
use model::Committed;

use crate::support::{Place, acknowledged, child_arguments, lease, open, step};

/// Tells the test binary to be the process that is killed.
const CHILD: &str = "JOURNAL_SQL_TEST_KILLED";

/// Kills in each run of the tests; each takes some tens of milliseconds.
const KILLS: u64 = 20;

/// Names another number of kills.
const FAULTS: &str = "FAULTS";

/// Deployments that are written at once, so that commits have more than one append in them.
const DEPLOYMENTS: u32 = 6;

/// Not a test of its own: in the child it appends until it is killed, and says each append once it is acknowledged.
#[tokio::test]
async fn child_that_appends_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "how the parent speaks to the child")]
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = Arc::new(open(path.as_ref()));
    let lease = lease(&*store).await;
    let mut tasks = tokio::task::JoinSet::new();
    for deployment in 1..=DEPLOYMENTS {
        let (store, lease) = (Arc::clone(&store), lease.clone());
        tasks.spawn(async move {
            let loaded = store.load(&samples::deployment(deployment)).await.unwrap();
            let head = loaded.map_or(0, |loaded| loaded.receipt.head());
            for head in head + 1.. {
                store.append(step(&lease, deployment, head)).await.unwrap();
                println!("acknowledged {deployment} {head}");
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let place = Place::new();
    let mut durable = BTreeMap::new();
    #[expect(clippy::disallowed_methods, reason = "how a person asks for more kills")]
    let kills = std::env::var(FAULTS).map_or(KILLS, |kills| kills.parse().expect("FAULTS is a number"));
    for kill in 0..kills {
        run_until_killed(&place, Duration::from_micros(700 * kill), &mut durable);
        let store = place.open();
        for (deployment, head) in &mut durable {
            // Loading checks the chain, and that it ends where the row says.
            let loaded = store.load(&samples::deployment(*deployment)).await.unwrap().unwrap();
            let found = loaded.receipt.head();
            assert!(found >= *head, "after kill {kill} deployment {deployment} is at {found}, {head} was acknowledged");
            assert!(
                found <= *head + 1,
                "after kill {kill} deployment {deployment} is at {found}, nobody asked beyond {head} + 1"
            );
            // What was read is as durable as what was acknowledged.
            *head = found;
        }
    }
    assert_eq!(durable.len(), DEPLOYMENTS as usize);
    assert!(durable.values().sum::<u64>() > KILLS, "{durable:?}");
}

/// Runs the child until `after` its first word, and notes all that it said by then.
fn run_until_killed(place: &Place, after: Duration, heads: &mut BTreeMap<u32, u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(child_arguments("kill::child_that_appends_until_it_is_killed"))
        .env(CHILD, &place.path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut killer = None;
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        let Some((deployment, head)) = acknowledged(&line) else { continue };
        heads.insert(deployment, head);
        killer.get_or_insert_with(|| kill_after(&child, after));
    }
    killer.expect("the child wrote").join().unwrap();
    child.wait().unwrap();
}

fn kill_after(child: &Child, after: Duration) -> JoinHandle<()> {
    let id = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    std::thread::spawn(move || {
        std::thread::sleep(after); // tidy: the moment of the kill
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGKILL).unwrap();
    })
}
