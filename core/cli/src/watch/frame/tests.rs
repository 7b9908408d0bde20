use super::*;

fn step(id: &str, state: StepState) -> v1::StepStatus {
    v1::StepStatus {
        id: id.to_owned(),
        state: state.into(),
        does: format!("do {id}"),
        entered_at_ms: 1_000,
        ..v1::StepStatus::default()
    }
}

fn deployment() -> v1::Deployment {
    let measured = v1::Measurement {
        name: "error-rate".to_owned(),
        value: 0.25,
        side: v1::Side::Candidate.into(),
        unit: "ratio".to_owned(),
        limit: Some(0.01),
        samples: Some(1_290),
        interval: Some(v1::Interval { low: 0.2, high: 0.3 }),
        test: "sequential test of shares".to_owned(),
    };
    v1::Deployment {
        scope: Some(v1::Scope { service: "hello".to_owned(), environment: "local".to_owned() }),
        release_label: "v2".to_owned(),
        stable_label: "v1".to_owned(),
        phase: "shifting".to_owned(),
        path: "web-canary@1.0.0".to_owned(),
        strategy: "canary".to_owned(),
        steps: vec![step("provision", StepState::Done), step("shift-5", StepState::Running), step("finish", StepState::Pending)],
        traffic: Some(v1::Traffic {
            open: true,
            candidate_basis_points: 500,
            stable_capacity_percent: 100,
            candidate_capacity_percent: 20,
        }),
        checks: vec![v1::CheckStatus {
            name: "health-traffic".to_owned(),
            verdict: "unhealthy".to_owned(),
            sentence: "a quarter of its requests failed".to_owned(),
            measurements: vec![measured],
            ..v1::CheckStatus::default()
        }],
        waiting: "the target to converge".to_owned(),
        deadline_ms: 31_000,
        ..v1::Deployment::default()
    }
}

fn drawn(deployment: &v1::Deployment, width: usize, height: usize) -> Vec<String> {
    draw(deployment, "it goes on", 1_000, Size { width, height }, Paint { on: false })
}

#[test]
fn a_picture_says_what_happens_and_why() {
    let expected = [
        "hello → local: v1 → v2  shifting  1.0s  [web-canary@1.0.0 canary]",
        "traffic  [█···················] candidate 5% (capacity 20%), stable 95% (capacity 100%)",
        "  ✓ provision          0ms  do provision",
        "  ▶ shift-5            0ms  do shift-5",
        "  · finish             0ms  do finish",
        "  health-traffic   unhealthy  a quarter of its requests failed",
        "      candidate error-rate 0.25 ratio, limit 0.01, within 0.2 to 0.3, 1290 samples, sequential test of shares",
        "waits for the target to converge (at most 30s)",
        "» it goes on",
    ];
    assert_eq!(drawn(&deployment(), 120, 40), expected);
    let short = drawn(&deployment(), 120, 9);
    assert!(short.len() == 8 && !short.iter().any(|line| line.contains("samples")), "{short:?}");
}

#[test]
fn it_is_never_larger_than_the_terminal() {
    let mut deployment = deployment();
    deployment.steps = (0..60).map(|index| step(&format!("step-{index}"), StepState::Done)).collect();
    deployment.steps[30].state = StepState::Running.into();
    for later in &mut deployment.steps[31..] {
        later.state = StepState::Pending.into();
    }
    for height in 1..30 {
        for width in [1, 10, 40, 200] {
            let lines = drawn(&deployment, width, height);
            assert!(lines.len() < height.max(2), "{} lines on {height}", lines.len());
            assert!(lines.iter().all(|line| line.chars().count() < width.max(2)), "{lines:?} on {width}");
        }
    }
    let shown = drawn(&deployment, 80, 14).join("\n");
    assert!(shown.contains("▶ step-30"), "{shown}");
}

#[test]
fn nothing_from_outside_reaches_the_terminal_raw() {
    let mut deployment = deployment();
    deployment.checks[0].measurements.clear();
    deployment.checks[0].sentence = "\x1b[2J\x07gone".to_owned();
    let text = drawn(&deployment, 120, 40).concat();
    assert!(text.contains(r"\u{1b}[2J\u{7}gone") && !text.contains('\x1b'), "{text}");
}
