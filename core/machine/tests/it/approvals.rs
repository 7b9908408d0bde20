//! People who are asked: who may answer, how many it takes, and how long they have.

use model::{Command, Millis, PlanHash};

use crate::support::plans::{self, APPROVAL_EXPIRES};
use crate::support::{Run, Scene, actor, member};

fn asking() -> Run {
    let run = Scene::new(plans::guarded()).reach("approval-1").run;
    assert_eq!(run.phase(), "awaiting-approval");
    run
}

fn approve(who: &str) -> Command {
    Command::Approve { by: member(who), plan: plans::guarded().hash }
}

#[test]
fn it_goes_on_when_enough_have_answered() {
    let mut run = asking();
    assert_eq!(run.waits_for(), "2 more approval(s) from group:managers");
    run.tell(approve("user:bea"));
    assert_eq!((run.step(), run.waits_for().as_str()), ("approval-1", "1 more approval(s) from group:managers"));
    run.tell(approve("user:cem"));
    assert_eq!(run.step(), "action-1");
}

#[test]
fn an_answer_that_does_not_count_says_why() {
    let check = |command: Command, expect: &str| {
        let mut run = asking();
        run.tell(approve("user:bea"));
        assert_eq!(run.refused(command), expect);
    };
    check(approve("user:bea"), "user:bea may not answer: this person has answered already");
    check(approve("user:ada"), "user:ada may not answer: the path does not let the requester answer");
    let outsider = Command::Approve { by: actor("user:eve"), plan: plans::guarded().hash };
    check(outsider, "user:eve may not answer: the path asks group:managers");
    let other = Command::Approve { by: member("user:cem"), plan: PlanHash::new("plan-0").unwrap() };
    check(other, "the plan in force is plan-1, the one approved was plan-0");
    let no = Command::Reject { by: actor("user:eve"), reason: "no".into() };
    check(no, "user:eve may not answer: the path asks group:managers");
}

#[test]
fn nobody_in_time_means_expired() {
    let mut run = asking();
    run.tell(approve("user:bea"));
    run.reach_deadline();
    assert_eq!(run.phase(), "expired");
    let Some(model::Outcome::Expired { waiting_for }) = run.state.outcome() else { unreachable!("it is expired") };
    assert_eq!(waiting_for, "1 more approval(s) from group:managers");
}

#[test]
fn an_answer_after_the_expiry_does_not_count_even_before_anybody_noticed() {
    let mut run = asking();
    run.tell(approve("user:bea"));
    assert_eq!(run.after(APPROVAL_EXPIRES).refused(approve("user:cem")), "nothing to approve: the time to answer is over");
}

#[test]
fn a_pause_suspends_the_time_to_answer() {
    let mut run = asking();
    run.after(Millis::hours(3)).tell(Command::Pause { by: member("user:cem"), reason: "lunch".into() });
    run.after(Millis::hours(2)).tell(approve("user:bea"));
    run.tell(approve("user:cem"));
    assert_eq!(run.step(), "approval-1", "nothing goes on in a pause");
    run.tell(Command::Resume { by: member("user:cem") });
    assert_eq!(run.step(), "action-1");
}

#[test]
fn one_no_is_enough_and_the_requester_s_counts() {
    for by in [member("user:bea"), actor("user:ada")] {
        let mut run = asking();
        run.tell(Command::Reject { by: by.clone(), reason: "not on a Friday".into() });
        assert_eq!(run.phase(), "rejected");
        let Some(model::Outcome::Rejected { reason }) = run.state.outcome() else { unreachable!("it is rejected") };
        assert_eq!(*reason, format!("step approval-1 failed: rejected by {}: not on a Friday", by.name));
    }
}

#[test]
fn an_answer_counts_for_its_step_only() {
    let twice = plans::Builder::new(model::Strategy::Canary).approval(1).approval(1);
    let plan = twice.sides(100, 100, plans::weight(0)).sides(100, 100, plans::weight(100)).promote().finish();
    let mut run = Run::active(plan);
    run.tell(approve("user:bea"));
    assert_eq!(run.step(), "approval-2");
    run.tell(approve("user:bea"));
    assert_eq!(run.step(), "reconcile-1");
}
