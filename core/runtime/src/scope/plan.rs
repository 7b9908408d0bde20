//! From what is wanted and what is seen to what is to be done. Pure: the same two inputs give the same list.

/// A group that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) group: String,
    pub(crate) instances: usize,
}

/// A group that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) group: String,
    pub(crate) verification: Verification,
    pub(crate) instances: Vec<SeenInstance>,
}

/// Whether a group's folder is what was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    /// Nobody looked yet.
    Unknown,
    /// Somebody is reading it now.
    Running,
    /// It is.
    Good,
    /// It is not, or could not be read.
    Bad,
}

/// One instance of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeenInstance {
    pub(crate) id: u32,
    pub(crate) ready: bool,
    pub(crate) retiring: bool,
    pub(crate) gone: bool,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Compare the folder of a group with its digest.
    Verify { group: String },
    /// Start so many instances.
    Start { group: String, count: usize },
    /// Take an instance out of routing, let it finish, stop it.
    Retire { group: String, instance: u32 },
    /// Drop an instance that is gone.
    Bury { group: String, instance: u32 },
    /// Drop a group that nobody wants and that has no instances.
    Forget { group: String },
}

/// Returns what is to be done now. What has to wait for something is not listed; it comes when that something is seen.
pub(crate) fn plan(wanted: &[Wanted], seen: &[Seen]) -> Vec<Action> {
    seen.iter()
        .flat_map(|group| plan_group(wanted.iter().find(|w| w.group == group.group).map_or(0, |w| w.instances), group))
        .collect()
}

fn plan_group(wanted: usize, seen: &Seen) -> Vec<Action> {
    let group = || seen.group.clone();
    let mut actions: Vec<Action> =
        seen.instances.iter().filter(|i| i.gone).map(|i| Action::Bury { group: group(), instance: i.id }).collect();
    let mut active: Vec<SeenInstance> = seen.instances.iter().filter(|i| !i.retiring && !i.gone).copied().collect();
    if active.len() > wanted {
        // Those that serve stay; among equals the oldest, whose caches are warm.
        active.sort_by_key(|i| (!i.ready, i.id));
        actions.extend(active[wanted..].iter().map(|i| Action::Retire { group: group(), instance: i.id }));
    }
    if active.len() < wanted {
        match seen.verification {
            Verification::Unknown => actions.push(Action::Verify { group: group() }),
            Verification::Good => actions.push(Action::Start { group: group(), count: wanted - active.len() }),
            Verification::Running | Verification::Bad => {}
        }
    }
    // A folder that is being read is still somebody's: the group goes after the answer came.
    if wanted == 0 && seen.verification != Verification::Running && seen.instances.iter().all(|i| i.gone) {
        actions.push(Action::Forget { group: group() });
    }
    actions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(id: u32, state: &str) -> SeenInstance {
        SeenInstance { id, ready: state == "ready", retiring: state == "retiring", gone: state == "gone" }
    }

    /// Plans for one group "g" and says what is to be done in words.
    fn check(wanted: usize, verification: Verification, instances: &[(u32, &str)], expect: &[&str]) {
        let wanted = [Wanted { group: "g".to_owned(), instances: wanted }];
        let instances = instances.iter().map(|(id, state)| instance(*id, state)).collect();
        let seen = [Seen { group: "g".to_owned(), verification, instances }];
        let found: Vec<String> = plan(&wanted, &seen).iter().map(words).collect();
        assert_eq!(found, expect, "{wanted:?} {seen:?}");
    }

    fn words(action: &Action) -> String {
        match action {
            Action::Verify { .. } => "verify".to_owned(),
            Action::Start { count, .. } => format!("start {count}"),
            Action::Retire { instance, .. } => format!("retire {instance}"),
            Action::Bury { instance, .. } => format!("bury {instance}"),
            Action::Forget { .. } => "forget".to_owned(),
        }
    }

    #[test]
    fn nothing_starts_before_the_folder_was_verified() {
        check(2, Verification::Unknown, &[], &["verify"]);
        check(2, Verification::Running, &[], &[]);
        check(2, Verification::Bad, &[], &[]);
        check(2, Verification::Good, &[], &["start 2"]);
    }

    #[test]
    fn missing_instances_start_and_surplus_ones_retire() {
        check(3, Verification::Good, &[(1, "ready")], &["start 2"]);
        check(1, Verification::Good, &[(1, "starting"), (2, "ready"), (3, "ready")], &["retire 3", "retire 1"]);
        check(2, Verification::Good, &[(1, "ready"), (2, "ready")], &[]);
    }

    #[test]
    fn an_instance_on_its_way_out_does_not_count() {
        check(1, Verification::Good, &[(1, "retiring")], &["start 1"]);
        check(1, Verification::Good, &[(1, "gone"), (2, "ready")], &["bury 1"]);
    }

    #[test]
    fn a_group_nobody_wants_is_emptied_and_then_forgotten() {
        check(0, Verification::Good, &[(1, "ready"), (2, "retiring")], &["retire 1"]);
        check(0, Verification::Good, &[(2, "retiring")], &[]);
        check(0, Verification::Good, &[(2, "gone")], &["bury 2", "forget"]);
        check(0, Verification::Running, &[], &[]);
        check(0, Verification::Bad, &[], &["forget"]);
    }
}
