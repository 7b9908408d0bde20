//! A runtime that is killed leaves processes behind; the next one ends them and brings its state back.

use std::process::{Child, Command, Stdio};

use runtime::client::Client;

use crate::stage::{Caller, SERVICE, Stage, is_alive, weight};

struct OtherProcess(Child);

impl Drop for OtherProcess {
    fn drop(&mut self) {
        // Gone already is fine; not waiting would leave a zombie.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(stage: &Stage) -> OtherProcess {
    let options = stage.options();
    let arguments = ["runtime".as_ref(), options.data_dir.as_os_str(), options.artifacts_dir.as_os_str()];
    OtherProcess(Command::new(SERVICE).args(arguments).stdout(Stdio::null()).spawn().unwrap())
}

async fn answers(client: &Client) {
    while client.health().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_runtime_leaves_behind_is_ended_and_replaced() {
    let mut stage = Stage::new().await;
    stage.shutdown().await;
    let other = start(&stage);
    answers(&stage.client).await;
    let v1 = stage.release("v1", &["stubborn"]);
    let before = stage.bring(Some(&v1), None, weight(0)).await;
    let pid = Caller::connect(before.public_endpoint.as_ref().unwrap()).await.get("/pid").await.1;
    drop(other);
    assert!(is_alive(&pid), "a process survives its killed runtime, or this test shows nothing");
    stage.start().await;
    assert!(!is_alive(&pid), "ended before anything new was started");
    let after = stage.status_when(|status| status.converged).await;
    assert_eq!(after.public_endpoint, before.public_endpoint);
    assert_ne!(Caller::connect(after.public_endpoint.as_ref().unwrap()).await.get("/pid").await.1, pid);
}
