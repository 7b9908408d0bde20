//! Following a deployment, also over a connection that breaks.

use cli::Exit;
use tonic::{Code, Status};
use towpath_proto::v1;

use crate::fake::{Fake, refusal, update};

#[tokio::test]
async fn plain_lines_tell_the_story_once() {
    let fake = Fake::start().await;
    let story = vec![
        update(1, "queued", "requested", "user:ada asked to deploy v2"),
        update(2, "shifting", "step-entered", "shift-5: 5% of traffic to the candidate"),
        update(3, "shifting", "operation-intended", "asking the target"),
        update(4, "shifting", "operation-progressed", "not there yet"),
        update(5, "shifting", "operation-progressed", "not there yet"),
        update(6, "shifting", "step-completed", "shift-5 is done"),
        update(7, "succeeded", "ended", "succeeded: \x07it is stable"),
    ];
    fake.script.watches.lock().unwrap().push_back((story, None));
    let (exit, out, err) = fake.run("watch d-1").await;
    let expected = "\
00:00:01  queued             user:ada asked to deploy v2
00:00:02  shifting           shift-5: 5% of traffic to the candidate
00:00:04  shifting           not there yet
00:00:07  succeeded          succeeded: \\u{7}it is stable
";
    assert_eq!((exit, out.as_str(), err.as_str()), (Exit::Done, expected, ""));
}

#[tokio::test]
async fn a_look_is_told_when_its_verdict_is_another() {
    let fake = Fake::start().await;
    let look = |version, verdict: &str| {
        let mut update = update(version, "shifting", "operation-completed", &format!("{verdict}: look {version}"));
        let deployment = update.deployment.as_mut().unwrap();
        deployment.waiting_kind = "verdict".to_owned();
        deployment.checks =
            vec![v1::CheckStatus { name: "probe".to_owned(), verdict: verdict.to_owned(), ..v1::CheckStatus::default() }];
        update
    };
    let story = vec![
        look(1, "healthy"),
        look(2, "healthy"),
        look(3, "unhealthy"),
        look(4, "unhealthy"),
        look(5, "healthy"),
        update(6, "succeeded", "ended", "over"),
    ];
    fake.script.watches.lock().unwrap().push_back((story, None));
    let (_, out, _) = fake.run("watch d-1").await;
    let told: Vec<&str> = out.lines().map(|line| line.rsplit("  ").next().unwrap()).collect();
    assert_eq!(told, ["healthy: look 1", "unhealthy: look 3", "healthy: look 5", "over"]);
}

#[tokio::test]
async fn a_broken_watch_is_resumed_behind_what_was_seen() {
    let fake = Fake::start().await;
    let first = vec![update(1, "queued", "requested", "asked"), update(2, "shifting", "activated", "its turn")];
    let rest = vec![update(3, "rolled-back", "ended", "rolled-back: half of all requests fail")];
    fake.script.watches.lock().unwrap().extend([
        (first, Some(Status::unavailable("the server is stopping"))),
        (Vec::new(), Some(Status::unavailable("the server is stopping"))),
        (rest, None),
    ]);
    let (exit, out, err) = fake.run("watch d-1 --json").await;
    let versions: Vec<u64> =
        out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["version"].as_u64().unwrap()).collect();
    assert_eq!((exit, versions), (Exit::NotSucceeded, vec![1, 2, 3]));
    assert_eq!(*fake.script.resumed_after.lock().unwrap(), [0, 2, 2]);
    assert_eq!(err.lines().count(), 1, "only the first break is news: {err}");
}

#[tokio::test]
async fn a_watch_that_is_refused_is_not_tried_again() {
    let fake = Fake::start().await;
    let refused = refusal(Code::NotFound, "there is no deployment d-1", "TP0111", "`towpath list` shows the deployments");
    fake.script.watches.lock().unwrap().push_back((Vec::new(), Some(refused)));
    let (exit, _, err) = fake.run("watch d-1").await;
    assert_eq!(exit, Exit::Refused);
    assert!(err.starts_with("error[TP0111]: there is no deployment d-1"), "{err}");
    assert_eq!(fake.script.resumed_after.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_exit_code_tells_how_a_watched_deployment_ended() {
    let fake = Fake::start().await;
    for (phase, expected) in [
        ("succeeded", Exit::Done),
        ("rolled-back", Exit::NotSucceeded),
        ("aborted", Exit::NotSucceeded),
        ("blocked", Exit::NotSucceeded),
    ] {
        fake.script.watches.lock().unwrap().push_back((vec![update(1, phase, "ended", "over")], None));
        let (exit, out, _) = fake.run("deploy hello local --release v2 --yes --watch").await;
        assert_eq!(exit, expected, "{phase}: {out}");
    }
}
