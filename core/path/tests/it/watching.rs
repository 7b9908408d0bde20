//! `WATCHING.md` is true: each of its fragments compiles, and its plan says what the page says it does.

use path::render_plan;

use crate::support::World;

const PAGE: &str = include_str!("../../WATCHING.md");

/// What a fragment leaves out.
const STRATEGY: &str = "strategy:\n  canary:\n    steps:\n      - { weight: 5%, watch: 5m }\n";
const HEALTH: &str = "health:\n  - { use: health-http }\n";

/// Returns the blocks of a kind with what comes behind each.
fn blocks(kind: &str) -> Vec<(&'static str, &'static str)> {
    let fence = format!("```{kind}\n");
    let begins = PAGE.match_indices(&fence).map(|(at, _)| &PAGE[at + fence.len()..]);
    begins.map(|rest| rest.split_once("```").expect("a block has an end")).collect()
}

fn whole(fragment: &str) -> String {
    let head = "apiVersion: towpath.dev/v1\nkind: GoldenPath\nmetadata:\n  name: page\n  version: 1.0.0\n\
                parameters:\n  type: object\n  properties:\n    command: { type: array }\n    port: { type: integer }\n\
                run: { command: \"${parameters.command}\", port: \"${parameters.port}\" }\n";
    let missing = |key: &str, text: &'static str| if fragment.contains(&format!("{key}:\n")) { "" } else { text };
    format!("{head}{}{}{fragment}", missing("strategy", STRATEGY), missing("health", HEALTH))
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_fragment_becomes_the_plan_that_the_page_shows() {
    let fragments = blocks("yaml");
    assert_eq!(fragments.len(), PAGE.matches("\n```yaml").count());
    assert!(fragments.len() >= 7, "one for each policy, found {}", fragments.len());
    for (fragment, behind) in fragments {
        let shown = behind.trim_start().strip_prefix("```text\n").and_then(|rest| rest.split_once("```"));
        let (shown, _) = shown.unwrap_or_else(|| panic!("what the plan says follows:\n{fragment}"));
        let plan = in_one_line(&render_plan(&World::plain(&whole(fragment)).plan()));
        for line in shown.lines() {
            assert!(plan.contains(line), "the plan does not say {line:?}:\n{fragment}\n{plan}");
        }
    }
}

#[test]
fn every_word_of_a_check_has_a_fragment() {
    let fragments: String = blocks("yaml").into_iter().map(|(fragment, _)| fragment).collect();
    for word in [
        "every",
        "failures",
        "errors",
        "first",
        "dryRun",
        "critical",
        "startAfter",
        "atLeast",
        "atMost",
        "soak",
        "onInconclusive",
    ] {
        assert!(fragments.contains(&format!("{word}:")), "no fragment uses {word}");
    }
}
