//! The engine is killed or put to sleep at moments all over a canary; each time it ends as if nothing had been.

use std::time::Duration;

use model::{EnvironmentName, Scope, ServiceName};
use nix::sys::signal::Signal;
use runtime::client::Client;
use runtime::protocol::Side;

use crate::rig::{Callers, Rig, faults};

/// Faults in each run of the tests.
const FAULTS: u64 = 50;

/// Every so many faults it is put to sleep instead of killed: for longer than a look at the health, and than a caller's patience.
const SLEEP_EVERY: u64 = 10;
const SLEEP: Duration = Duration::from_secs(4);

/// A canary of the rig takes about this long; the kills are spread over it.
const CANARY_MS: u64 = 3_000;

/// Spreads the kills over the canary: a step that shares no factor with its length meets all parts of it.
const STEP_MS: u64 = 787;

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_killed_at_any_moment_loses_nothing_and_fails_no_request() {
    let mut rig = tokio::task::block_in_place(Rig::start);
    rig.register();
    rig.release("a", "");
    rig.release("b", "");
    let first = rig.deploy("a");
    assert_eq!(rig.wait_for_end(&first)["phase"], "succeeded");
    let address = rig.ask(&["show", &first])["public_endpoint"].as_str().unwrap().to_owned();
    let callers = Callers::start(&address, 4);
    let runtime = Client::new(runtime::Options::default_control_socket(&rig.data().join("runtime")));
    let scope = Scope { service: ServiceName::new("web").unwrap(), environment: EnvironmentName::new("local").unwrap() };
    let mut highest_fence = 0;
    let faults = faults(FAULTS);
    for kill in 0..faults {
        let label = if kill % 2 == 0 { "b" } else { "a" };
        let id = rig.deploy(label);
        std::thread::sleep(Duration::from_millis(kill * STEP_MS % CANARY_MS)); // tidy: the moment of the kill
        if kill % SLEEP_EVERY == SLEEP_EVERY - 1 {
            rig.signal_server(Signal::SIGSTOP);
            std::thread::sleep(SLEEP); // tidy: the sleep
            rig.signal_server(Signal::SIGCONT);
        } else {
            rig.kill_server();
            rig.start_server();
        }
        let ended = rig.wait_for_end(&id);
        assert_eq!(ended["phase"], "succeeded", "kill {kill}: {}", ended["outcome"]);
        let status = runtime.status(&scope).await.unwrap().unwrap();
        let groups: Vec<_> = status.groups.iter().map(|group| (group.side, group.release.clone())).collect();
        assert_eq!(groups.len(), 1, "kill {kill}: {groups:?}");
        assert_eq!(groups[0].0, Side::Stable, "kill {kill}");
        assert_eq!(groups[0].1, ended["release"].as_str().unwrap(), "kill {kill}: what runs is not what was deployed");
        assert!(status.fence > highest_fence, "kill {kill}: fence {} after {highest_fence}", status.fence);
        highest_fence = status.fence;
    }
    let (total, failed) = callers.stop();
    println!("{faults} faults, {total} requests, {failed} failed");
    assert!(total > 1_000, "{total} requests are too few to say anything");
    assert_eq!(failed, 0, "{failed} of {total} requests failed");
}
