//! Version 1 of the records: every event comes back as it was, and the bytes on disk stay what they are.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::expect_file;
use journal::conformance::samples;
use journal::record::{self, Unreadable};
use model::{CheckRole, Event, HowCompleted, StepKind, WatchSpec};

/// Names the kind of an event. A new kind does not compile here until the samples have one.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Requested { .. } => "requested",
        Event::Activated { .. } => "activated",
        Event::StepEntered { .. } => "step-entered",
        Event::StepCompleted { .. } => "step-completed",
        Event::OperationIntended { .. } => "operation-intended",
        Event::OperationProgressed { .. } => "operation-progressed",
        Event::OperationRetried { .. } => "operation-retried",
        Event::OperationCompleted { .. } => "operation-completed",
        Event::OperationAbandoned { .. } => "operation-abandoned",
        Event::Approved { .. } => "approved",
        Event::Paused { .. } => "paused",
        Event::Resumed { .. } => "resumed",
        Event::CandidatePromoted { .. } => "candidate-promoted",
        Event::PromotionReverted { .. } => "promotion-reverted",
        Event::TurnedBack { .. } => "turned-back",
        Event::BackStepCompleted { .. } => "back-step-completed",
        Event::Ended { .. } => "ended",
    }
}

const KINDS: usize = 17;

#[test]
fn the_samples_have_every_kind_of_event() {
    let kinds: BTreeSet<_> = samples::events().iter().map(kind).collect();
    assert_eq!(kinds.len(), KINDS, "{kinds:?}");
}

#[test]
fn every_event_is_read_back_as_it_was_written() {
    for event in samples::events() {
        let payload = record::write(&event);
        let read = record::read(record::VERSION, &payload);
        assert_eq!(read.unwrap(), event, "{}", String::from_utf8_lossy(&payload));
    }
    let release = samples::release("r-1");
    assert_eq!(record::read_release(&record::write_release(&release)).unwrap(), release);
}

#[test]
fn a_record_from_before_it_was_kept_from_where_is_read() {
    let payload = br#"{"resumed":{"by":{"name":"user:ada","groups":[]},"at":5}}"#;
    let Event::Resumed { by, .. } = record::read(1, payload).unwrap() else { panic!("it is another event") };
    assert_eq!((by.name.as_str(), by.from.as_str()), ("user:ada", ""));
}

#[test]
fn a_watch_from_before_there_were_roles_and_delays_is_read_and_written_as_it_was() {
    let plain = |event: &Event| matches!(event, Event::Requested { plan, .. } if plan.steps.len() > 1);
    let before = samples::events().into_iter().find(plain).unwrap();
    let payload = String::from_utf8(record::write(&before)).unwrap();
    assert!(payload.contains("\"watch\":{"), "{payload}");
    for word in ["role", "startAfter", "untilDecided"] {
        assert!(!payload.contains(word), "{word} is written where it says nothing new: {payload}");
    }
    let Event::Requested { plan, .. } = record::read(1, payload.as_bytes()).unwrap() else { panic!("it is another event") };
    let watches = plan.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Watch(spec) => Some(spec),
        _ => None,
    });
    let usual = |spec: &WatchSpec| !spec.until_decided && spec.checks.iter().all(|check| check.role == CheckRole::Deciding);
    let watches: Vec<&WatchSpec> = watches.collect();
    assert!(!watches.is_empty() && watches.iter().all(|spec| usual(spec)), "{watches:?}");
}

/// What a program does with a field of a later one, which changes what a check means.
#[test]
fn a_check_that_says_more_than_is_understood_is_refused() {
    let event = samples::events().pop().unwrap();
    let payload = String::from_utf8(record::write(&event)).unwrap();
    let later = payload.replacen("\"startAfter\":5000", "\"startBefore\":5000", 1);
    assert_ne!(payload, later);
    let found = record::read(1, later.as_bytes()).unwrap_err().to_string();
    assert!(found.contains("unknown field `startBefore`"), "{found}");
}

/// One line per record, the last a release. `UPDATE_EXPECT=1` writes it anew: only ever before a version is released.
#[test]
fn the_form_on_disk_does_not_drift() {
    let mut lines = String::from("[\n");
    for event in samples::events() {
        writeln!(lines, "{},", String::from_utf8(record::write(&event)).unwrap()).unwrap();
    }
    writeln!(lines, "{}\n]", record::write_release(&samples::release("r-1"))).unwrap();
    expect_file!["../golden/record-v1.json"].assert_eq(&lines);
}

/// Old records stay readable whatever is written today.
#[test]
fn the_golden_records_are_read_as_the_samples() {
    let golden: Vec<serde_json::Value> = serde_json::from_str(include_str!("../golden/record-v1.json")).unwrap();
    let (release, events) = golden.split_last().unwrap();
    let samples = samples::events();
    assert_eq!(events.len(), samples.len());
    for (value, sample) in events.iter().zip(samples) {
        assert_eq!(record::read(1, value.to_string().as_bytes()).unwrap(), sample);
    }
    assert_eq!(record::read_release(&release.to_string()).unwrap(), samples::release("r-1"));
}

#[test]
fn what_is_not_of_the_form_is_refused_with_what_is_wrong() {
    let refused = |version, payload: &str| record::read(version, payload.as_bytes()).unwrap_err().to_string();
    assert_eq!(refused(2, "{}"), "it has form 2, this program knows up to 1");
    for (payload, expected) in [
        (r#"{"evaporated":{"at":1}}"#, "unknown variant `evaporated`"),
        (r#"{"candidate-promoted":{"at":1,"by":"x"}}"#, "unknown field `by`"),
        (r#"{"candidate-promoted":{}}"#, "missing field `at`"),
        (r#"{"resumed":{"by":{"name":"a","groups":[]},"at":"noon"}}"#, "invalid type"),
        (r#"{"operation-abandoned":{"key":"a b","reason":""}}"#, "operation key \"a b\" is not valid"),
        (r#"{"candidate-promoted":{"at":1}"#, "EOF"),
        ("", "EOF"),
    ] {
        let found = refused(1, payload);
        assert!(found.contains(expected), "{payload}: {found}");
    }
    assert!(matches!(record::read_release("{}"), Err(Unreadable::Form(_))));
}

#[test]
fn numbers_beyond_their_range_are_refused() {
    let event =
        samples::events().into_iter().find(|event| matches!(event, Event::OperationProgressed { observation: Some(_), .. }));
    let payload = String::from_utf8(record::write(&event.unwrap())).unwrap();
    assert!(payload.contains("\"candidateWeight\":525"), "{payload}");
    let beyond = payload.replace("\"candidateWeight\":525", "\"candidateWeight\":10001");
    let found = record::read(1, beyond.as_bytes()).unwrap_err().to_string();
    assert!(found.contains("10001 basis points, at most 10000"), "{found}");
}

#[test]
fn the_largest_fence_survives() {
    let event = Event::Activated { stable: None, fence: model::Fence(u64::MAX), at: model::Timestamp(i64::MIN) };
    assert_eq!(record::read(1, &record::write(&event)).unwrap(), event);
    let waived = Event::StepCompleted { step: 0, how: HowCompleted::WaivedBy(samples::actor()), at: model::Timestamp(1) };
    assert_eq!(record::read(1, &record::write(&waived)).unwrap(), waived);
}
