//! A crash, a hang or a flood fails its own call with a clear error and touches nothing else.

use std::time::Duration;

use plugin_host::{CallErrorKind, Grants, HealthVerdict, Kind, Limited, Limits, LogLevel};

use crate::fixture::{PATIENCE, assess, assess_within, context, plugin};

/// Runs the hostile plugin, then shows that the next call is well.
async fn check(limits: Limits, settings: &str, expect: impl Fn(&CallErrorKind) -> bool) {
    let plugin = plugin(limits);
    let error = assess(&plugin, settings, &Grants::default()).await.expect_err(settings);
    assert!(expect(&error.kind), "{settings}: {error:?}");
    assert!(!error.outcome_unknown, "nothing left the host");
    let after = assess(&plugin, r#"{"behave":null}"#, &Grants::default()).await.expect("the next call has a fresh instance");
    assert_eq!(after.answer.verdict, HealthVerdict::Healthy);
}

#[tokio::test]
async fn a_crash_is_an_error_of_its_call() {
    check(Limits::default(), r#"{"trap":null}"#, |kind| matches!(kind, CallErrorKind::Trap { .. })).await;
}

#[tokio::test]
async fn a_panic_leaves_its_message_in_the_log() {
    let error = assess(&plugin(Limits::default()), r#"{"trap":null}"#, &Grants::default()).await.expect_err("it crashes");
    let [line] = error.log.as_slice() else { panic!("{:?}", error.log) };
    assert!(line.level == LogLevel::Warn && line.message.contains("told to"), "{}", line.message);
}

#[tokio::test]
async fn endless_recursion_hits_the_stack_limit() {
    check(Limits::default(), r#"{"recurse":null}"#, |kind| matches!(kind, CallErrorKind::Limit { what: Limited::Stack, .. }))
        .await;
}

#[tokio::test]
async fn hunger_hits_the_memory_limit() {
    let limits = Limits { memory_bytes: 16 << 20, ..Limits::default() };
    check(limits, r#"{"eatMemory":null}"#, |kind| *kind == CallErrorKind::Limit { what: Limited::Memory, limit: 16 << 20 }).await;
}

#[tokio::test]
async fn a_large_answer_hits_the_output_limit() {
    let limits = Limits { output_bytes: 1 << 20, ..Limits::default() };
    check(limits, r#"{"talk":2000000}"#, |kind| *kind == CallErrorKind::Limit { what: Limited::Output, limit: 1 << 20 }).await;
}

#[tokio::test]
async fn a_flood_hits_the_limit_of_host_calls() {
    let limits = Limits { host_calls: 500, ..Limits::default() };
    check(limits, r#"{"log":1000000}"#, |kind| *kind == CallErrorKind::Limit { what: Limited::HostCalls, limit: 500 }).await;
}

#[tokio::test]
async fn an_answer_that_breaks_the_contract_is_malformed() {
    check(Limits::default(), r#"{"notANumber":null}"#, |kind| matches!(kind, CallErrorKind::Malformed { .. })).await;
    check(Limits::default(), r#"{"remember":100000}"#, |kind| matches!(kind, CallErrorKind::Malformed { .. })).await;
}

#[tokio::test]
async fn a_loop_ends_at_the_deadline_and_leaves_the_thread_to_others() {
    let plugin = plugin(Limits::default());
    let (grants, time) = (Grants::default(), Duration::from_millis(200));
    // One thread runs both: the loop must give way for the other to finish.
    let (looping, behaving) = tokio::join!(
        assess_within(&plugin, r#"{"loop":null}"#, &grants, time),
        assess_within(&plugin, r#"{"behave":null}"#, &grants, Duration::from_secs(10)),
    );
    let error = looping.expect_err("it loops");
    assert!(matches!(error.kind, CallErrorKind::Deadline { milliseconds: 1..=200 }), "{error:?}");
    behaving.expect("it behaves");
}

#[tokio::test]
async fn a_wait_in_the_host_ends_at_the_deadline() {
    let plugin = plugin(Limits::default());
    let grants = Grants::default();
    let waiting = assess_within(&plugin, r#"{"wait":4000000}"#, &grants, Duration::from_millis(100));
    let waited = tokio::time::timeout(PATIENCE, waiting).await.expect("it does not wait for an hour");
    // The wait is cut to the deadline; which of the two is noticed first does not matter, and what was waited for is told either way.
    let uses = match waited {
        Ok(called) => called.uses,
        Err(error) => {
            assert!(matches!(error.kind, CallErrorKind::Deadline { .. }), "{error:?}");
            error.uses
        }
    };
    assert!(uses.traced.iter().all(|used| used.what == "a wait of 4000000 ms" && used.elapsed_us < 4_000_000_000), "{uses:?}");
}

#[tokio::test]
async fn a_deadline_in_the_past_runs_nothing() {
    let plugin = plugin(Limits::default());
    let error =
        assess_within(&plugin, r#"{"loop":null}"#, &Grants::default(), Duration::ZERO).await.expect_err("no time is left");
    assert_eq!(error.kind, CallErrorKind::Deadline { milliseconds: 0 });
}

#[tokio::test]
async fn a_long_log_is_cut_and_counted() {
    let plugin = plugin(Limits { log_lines: 3, ..Limits::default() });
    let called = assess(&plugin, r#"{"log":10}"#, &Grants::default()).await.expect("ten lines are no flood");
    let lines: Vec<_> = called.log.iter().map(|line| (line.level, line.message.as_str())).collect();
    let info = LogLevel::Info;
    assert_eq!(lines, [(info, "line 0"), (info, "line 1"), (info, "line 2"), (LogLevel::Warn, "7 more lines were cut")]);
    assert_eq!(called.measurements.len(), 1);
}

#[tokio::test]
async fn nothing_stays_between_calls() {
    let plugin = plugin(Limits::default());
    for _ in 0..3 {
        let called = assess(&plugin, r#"{"count":null}"#, &Grants::default()).await.expect("it counts");
        assert_eq!(called.answer.sentence, "1");
    }
}

#[tokio::test]
async fn a_plugin_of_another_kind_is_named() {
    let plugin = plugin(Limits::default());
    let error = plugin
        .evaluate(&context(r#"{"behave":null}"#, Duration::from_secs(1)), &[], &Grants::default())
        .await
        .expect_err("no gate");
    assert_eq!(error.kind, CallErrorKind::Kind { wanted: Kind::Gate, found: vec![Kind::Health, Kind::Target] });
    assert_eq!(error.to_string(), "the plugin is no gate, it is of kind health, target");
}

#[tokio::test]
async fn more_calls_than_the_pool_has_room_for_wait_their_turn() {
    let plugin = plugin(Limits { calls_at_once: 2, ..Limits::default() });
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let plugin = plugin.clone();
            tokio::spawn(async move { assess(&plugin, r#"{"wait":5}"#, &Grants::default()).await })
        })
        .collect();
    for call in calls {
        call.await.expect("no panic").expect("there is room in the end");
    }
}
