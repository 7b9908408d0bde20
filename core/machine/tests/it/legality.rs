//! Every command in every situation: what the table says is what `decide` does.

use machine::legality::{Kind, Legality, Situation, TABLE, legality};
use model::{Command, DeploymentId, Fence, OperationKey, Report};

use crate::support::scene::lost;
use crate::support::{Run, Scene, member, plans};

const SITUATIONS: [Situation; 5] = [Situation::Queued, Situation::Forward, Situation::Paused, Situation::Back, Situation::Ended];

fn in_situation(situation: Situation) -> Run {
    let by = member("user:bea");
    let shifting = || Scene::new(plans::canary()).reach("reconcile-2").run;
    let mut run = match situation {
        Situation::Queued => Run::queued(plans::canary()),
        Situation::Forward | Situation::Paused | Situation::Back | Situation::Ended => shifting(),
    };
    match situation {
        Situation::Queued | Situation::Forward => {}
        Situation::Paused => drop(run.tell(Command::Pause { by, reason: "lunch".into() })),
        Situation::Back => drop(run.tell(Command::Rollback { by, reason: "no".into() })),
        Situation::Ended => {
            run.tell(Command::Rollback { by, reason: "no".into() });
            while !run.state.is_terminal() {
                run.reach_deadline();
            }
        }
    }
    assert_eq!(Situation::of(&run.state), situation);
    run
}

fn command(kind: Kind) -> Command {
    let (by, reason) = (member("user:bea"), String::from("because"));
    let key = OperationKey::of(&DeploymentId::new("d-1").unwrap(), "gate-1", 99);
    match kind {
        Kind::Activate => Command::Activate { stable: Some(plans::release(1)), fence: Fence(7) },
        Kind::Report => Command::Report(Report { key, attempt: 1, outcome: lost(true, true), plugin_state: None }),
        Kind::Tick => Command::Tick,
        Kind::Recover => Command::Recover,
        Kind::Pause => Command::Pause { by, reason },
        Kind::Resume => Command::Resume { by },
        Kind::Promote => Command::Promote { by },
        Kind::Abort => Command::Abort { by, reason },
        Kind::Rollback => Command::Rollback { by, reason },
        Kind::Approve => Command::Approve { by, plan: plans::canary().hash },
        Kind::Reject => Command::Reject { by, reason },
        Kind::Supersede => Command::Supersede { by: DeploymentId::new("d-2").unwrap() },
    }
}

#[test]
fn the_table_is_what_happens() {
    for situation in SITUATIONS {
        for (kind, _) in TABLE {
            let run = in_situation(situation);
            let decided = machine::decide(&run.state, &command(kind), run.now);
            let verb = kind.verb();
            match legality(kind, situation) {
                Legality::Absorb => assert_eq!(decided, Ok(Vec::new()), "{verb} in {situation:?}"),
                Legality::Refuse => {
                    let said = decided.expect_err("the table refuses").to_string();
                    assert!(said.starts_with(&format!("cannot {verb} a deployment that is {}", run.phase())), "{said}");
                }
                // Legal is not the same as possible: there may be nothing to do.
                Legality::Take => {
                    let said = decided.err().map(|refusal| refusal.to_string()).unwrap_or_default();
                    assert!(!said.starts_with("cannot"), "{verb} in {situation:?}: {said}");
                }
            }
        }
    }
}

#[test]
fn a_refusal_says_what_was_asked_and_where_the_deployment_is() {
    let mut paused = in_situation(Situation::Paused);
    let said = paused.refused(command(Kind::Pause));
    assert_eq!(said, "cannot pause a deployment that is shifting, paused");
    let mut back = in_situation(Situation::Back);
    assert_eq!(back.refused(command(Kind::Abort)), "cannot abort a deployment that is rolling-back");
}

#[test]
fn what_is_legal_may_still_have_nothing_to_do() {
    let mut shifting = in_situation(Situation::Forward);
    let promote = "nothing to promote: step reconcile-2 is not a watch or a wait; nobody can wait less for it";
    assert_eq!(shifting.refused(command(Kind::Promote)), promote);
    assert_eq!(shifting.refused(command(Kind::Approve)), "nothing to approve: no approval is being asked for");
    assert_eq!(shifting.refused(command(Kind::Reject)), "nothing to reject: no approval is being asked for");
}

#[test]
fn a_plan_that_no_longer_fits_when_its_turn_comes_is_rejected() {
    let check = |plan: model::Plan, stable: Option<u8>, expect: &str| {
        let mut run = Run::queued(plan);
        run.tell(Command::Activate { stable: stable.map(plans::release), fence: Fence(7) });
        let Some(model::Outcome::Rejected { reason }) = run.state.outcome() else { panic!("{:?}", run.state.stage) };
        assert_eq!(reason, expect);
    };
    check(plans::canary(), Some(2), "release release-2 is already stable in production/web");
    check(plans::canary(), None, "planned beside a stable release, but nothing is stable; plan it again");
    check(plans::first(), Some(1), "planned as the first deployment, but release-1 became stable meanwhile; plan it again");
}
