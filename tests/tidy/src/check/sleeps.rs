//! Tests wait for a condition, never for a time: a sleep is too long on every good day and too short on one bad day.

use crate::{File, Finding, Tree};

/// How sleeping is written.
const SLEEPS: [&str; 4] = ["thread::sleep", "time::sleep", "sleep_until(", " sleep("];

/// A function that is called like this polls a condition until a deadline, and may sleep between two looks.
const WAITERS: [&str; 5] = ["wait", "poll", "until", "when", "eventually"];

/// How tokio's sleeps are written: in virtual time they take none, and are exact.
const VIRTUAL: &str = "time::sleep";

/// Says that a test runs in virtual time.
const PAUSED: &str = "start_paused = true";

/// Says above or behind the line why time itself is what the test is about.
const REASON: &str = "// tidy: ";

/// Returns a finding for each sleep in test code that neither polls nor says why.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.rust() {
        let tests_from = if file.is_test() { Some(1) } else { source.tests_from() };
        let Some(tests_from) = tests_from else { continue };
        let (mut before, in_virtual_time) = (String::new(), in_virtual_time(tree, file));
        for (line, code) in source.lines() {
            let sleeps =
                line >= tests_from && !code.trim_start().starts_with("use ") && SLEEPS.iter().any(|sleep| code.contains(sleep));
            let is_virtual = in_virtual_time && code.contains(VIRTUAL);
            let asks = std::mem::replace(&mut before, code).trim_start().starts_with("while ");
            let polls = || asks || source.function_around(line).is_some_and(|function| polls(&function.name));
            if sleeps && !is_virtual && !has_reason(file, line) && !polls() {
                let mend = "poll the condition: in a function called wait_… or in `while !condition {`; or say `// tidy: why` on the line";
                findings.push(Finding::new(&file.path, line, "a test sleeps", mend));
            }
        }
    }
    findings
}

fn polls(name: &str) -> bool {
    name.split('_').any(|word| WAITERS.iter().any(|waiter| word.starts_with(waiter)))
}

/// Returns whether the test binary that a file belongs to runs its tests in virtual time.
fn in_virtual_time(tree: &Tree, file: &File) -> bool {
    let binary = file.path.rfind("/tests/").map_or(file.path.as_str(), |at| &file.path[..at + "/tests/".len()]);
    tree.files().any(|other| other.path.starts_with(binary) && other.text.contains(PAUSED))
}

fn has_reason(file: &File, line: usize) -> bool {
    let mut near = file.text.lines().skip(line.saturating_sub(2)).take(2);
    near.any(|text| text.contains(REASON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn lines(path: &str, text: &str, expected: &[usize]) {
        let findings = check(&Tree::of([(path, text)]));
        assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_sleep_in_a_test_is_found() {
        lines("core/a/tests/it/b.rs", "fn b() {\n    std::thread::sleep(c);\n}\n", &[2]);
        lines("core/a/src/b.rs", "fn b() {\n    std::thread::sleep(c);\n}\n", &[]);
        lines("core/a/src/b.rs", "#[cfg(test)]\nmod tests {\n    fn b() {\n        sleep(c);\n    }\n}\n", &[4]);
    }

    #[test]
    fn sleeps_in_virtual_time_are_fine() {
        let paused = "#[tokio::test(start_paused = true)]\nasync fn b() {\n    tokio::time::sleep(c).await;\n    std::thread::sleep(c);\n}\n";
        lines("core/a/tests/it/b.rs", paused, &[4]);
    }

    #[test]
    fn polling_and_reasons_are_fine() {
        lines("core/a/tests/it/b.rs", "fn b() {\n    while !c() {\n        sleep(d);\n    }\n}\n", &[]);
        lines("core/a/tests/it/b.rs", "fn wait_for_it() {\n    std::thread::sleep(c);\n}\n", &[]);
        lines("core/a/tests/it/b.rs", "fn b() {\n    std::thread::sleep(c); // tidy: the moment of the kill\n}\n", &[]);
        lines("core/a/tests/it/b.rs", "fn b() {\n    // tidy: the moment of the kill\n    std::thread::sleep(c);\n}\n", &[]);
    }
}
