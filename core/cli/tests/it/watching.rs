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

/// Returns an update after which two checks were asked so many times.
fn asked(version: u64, traffic: u32, probe: u32) -> v1::DeploymentUpdate {
    let mut update = update(version, "shifting", "operation-completed", "a look");
    let rate = v1::Measurement {
        name: "error-rate".to_owned(),
        value: 0.25,
        unit: "ratio".to_owned(),
        side: v1::Side::Candidate.into(),
        limit: Some(0.01),
        samples: Some(40),
        interval: Some(v1::Interval { low: 0.1, high: 0.5 }),
        test: "exact".to_owned(),
    };
    let check = |name: &str, looks: u32, verdict: &str, sentence: &str, measurements: &[v1::Measurement]| v1::CheckStatus {
        name: name.to_owned(),
        looks,
        verdict: if looks > 0 { verdict } else { "" }.to_owned(),
        sentence: sentence.to_owned(),
        measurements: measurements.to_vec(),
        step: "watch-5".to_owned(),
        ..v1::CheckStatus::default()
    };
    let checks = [
        check("traffic", traffic, "unhealthy", "10 of 40, at most 1 %", &[rate]),
        check("probe", probe, "healthy", "=it answers\x07", &[]),
    ];
    update.deployment.as_mut().unwrap().checks = checks.to_vec();
    update
}

#[tokio::test]
async fn every_look_is_listed_once_with_what_it_rests_on() {
    let story =
        || vec![update(1, "queued", "requested", "asked"), asked(2, 0, 1), asked(3, 0, 1), asked(4, 1, 1), asked(5, 1, 2)];
    let run = async |line: &str| {
        let fake = Fake::start().await;
        // The deployment goes on: what comes after this moment is not waited for.
        fake.script.watches.lock().unwrap().push_back((story(), None));
        let (exit, out, err) = fake.run(line).await;
        assert_eq!((exit, err.as_str()), (Exit::Done, ""));
        out
    };
    let people = "\
00:00:02  watch-5       probe             healthy       =it answers\\u{7}
00:00:04  watch-5       traffic           unhealthy     10 of 40, at most 1 %
            candidate error-rate 0.25 ratio, limit 0.01, within 0.1 to 0.5, 40 samples, exact
00:00:05  watch-5       probe             healthy       =it answers\\u{7}
";
    assert_eq!(run("looks d-1").await, people);
    let csv = "\
at_unix_ms,step,look,check,verdict,sentence,metric,side,value,unit,limit,low,high,samples
2000,watch-5,1,probe,healthy,'=it answers\\u{7},,,,,,,,
4000,watch-5,1,traffic,unhealthy,\"10 of 40, at most 1 %\",error-rate,candidate,0.25,ratio,0.01,0.1,0.5,40
5000,watch-5,2,probe,healthy,'=it answers\\u{7},,,,,,,,
";
    assert_eq!(run("looks d-1 --csv").await, csv);
    let json = run("looks d-1 --json").await;
    let looks: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(looks.len(), 3);
    assert_eq!((&looks[1]["check"], &looks[1]["measurements"][0]["interval"]["high"]), (&"traffic".into(), &0.5.into()));
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
