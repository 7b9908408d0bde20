//! Conditions: what is read, what is refused and where, and what they come to.

use super::*;

fn condition(text: &str) -> Condition {
    text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn check(text: &str, known: Known, expect: Truth) {
    assert_eq!(condition(text).truth(known), expect, "{text} with {known:?}");
}

fn refused(text: &str) -> String {
    text.parse::<Condition>().expect_err("it is refused")
}

#[test]
fn numbers_are_compared_as_people_mean_it() {
    let known = [Some(0.02), Some(0.01), None];
    check("candidate < 0.01", known, Truth::No);
    check("candidate < 0.01 || candidate <= 2 * stable", known, Truth::Yes);
    check("candidate > 1 / 100", known, Truth::Yes);
    check("candidate - stable > 1 ? true : candidate >= 0.02", known, Truth::Yes);
    check("!(candidate > stable) && candidate < 1", known, Truth::No);
    check("candidate == 0.02 && -candidate != 2", known, Truth::Yes);
    check("[0.5, 2 * stable].exists(bound, candidate <= bound)", known, Truth::Yes);
    check("[0.001, stable].all(bound, candidate <= bound)", known, Truth::No);
    check("candidate > 3u", [Some(4.0), None, None], Truth::Yes);
}

#[test]
fn a_number_that_is_not_known_matters_where_the_others_do_not_decide() {
    let alone = [Some(0.02), None, None];
    check("candidate < 1.5 * stable", alone, Truth::Unknown);
    check("candidate < 0.05 || candidate < 1.5 * stable", alone, Truth::Yes);
    check("candidate < 1.5 * stable || candidate < 0.05", alone, Truth::Yes);
    check("candidate < 0.01 || candidate < 1.5 * stable", alone, Truth::Unknown);
    check("candidate < 1.5 * stable || candidate < 0.01", alone, Truth::Unknown);
    check("candidate < 0.01 && candidate < 1.5 * baseline", alone, Truth::No);
    check("candidate < 1.5 * baseline && candidate < 0.01", alone, Truth::No);
    check("candidate < 0.05 && candidate < 1.5 * baseline", alone, Truth::Unknown);
    check("candidate < 1", [None, Some(1.0), Some(1.0)], Truth::Unknown);
    check("candidate == candidate", [None, Some(1.0), Some(1.0)], Truth::Unknown);
}

#[test]
fn a_typing_error_is_found_with_its_place() {
    let said = refused("candidate < 0.01 |");
    assert!(said.starts_with("the condition `candidate < 0.01 |` cannot be read at column 18"), "{said}");
    let said = refused("candidate <\n 0.01 &&");
    assert!(said.contains("cannot be read at line 2, column"), "{said}");
    assert_eq!(
        refused("candidat < 0.01"),
        "the condition `candidat < 0.01` speaks of \"candidat\", known are candidate, stable, baseline"
    );
    assert!(refused("max(candidate, stable) < 1").contains("calls \"max\", known are size, double, int"));
    assert!(refused("stable < 0.01").contains("does not speak of the candidate"));
    for text in ["", " ", "candidate <", "candidate < < 1", "candidate < 0.01 or stable", "candidate > 5%"] {
        assert!(refused(text).contains("cannot be read"), "{text:?}: {}", refused(text));
    }
    for text in ["candidate", "candidate + 1", "candidate < 'a'", "candidate && true", "candidate > 1 ? 1 : 2", "[candidate]"] {
        let said = refused(text);
        assert!(!said.contains("cannot be read"), "{text:?}: {said}");
    }
    for text in ["candidate.value < 1", "{'a': candidate} == {}", "has(candidate.value)"] {
        assert!(refused(text).contains("neither a number nor a comparison"), "{text:?}: {}", refused(text));
    }
}

#[test]
fn what_costs_too_much_is_refused() {
    assert!(refused(&format!("candidate < {}", "1".repeat(600))).contains("612 bytes, at most 600"));
    for part in ["(", "[", "!(", "true?"] {
        let text = format!("{}candidate < 1", part.repeat(580 / part.len()));
        assert!(text.parse::<Condition>().is_err(), "{part}");
    }
    let deep = format!("candidate < {}1{}", "(1 + ".repeat(30), ")".repeat(30));
    assert!(refused(&deep).contains("recursion limit exceeded: 24"), "{}", refused(&deep));
    let long = format!("candidate < 1{}", " + 1".repeat(100));
    assert!(refused(&long).contains("nested deeper than 24 levels"), "{}", refused(&long));
    let loops = "[1].exists(a, [2].exists(b, [3].exists(c, candidate < a + b + c)))";
    assert!(refused(loops).contains("loops more than 2 times"), "{}", refused(loops));
}

#[test]
fn whatever_is_written_is_no_reason_to_panic() {
    let good = "candidate < 0.01 || [1.5 * stable, 0.5].exists(b, candidate < b) ? true : !(baseline > 1)";
    for at in 0..good.len() {
        let _ = good[..at].parse::<Condition>();
        for with in ["\"", "\\", "{", "`", "\u{0}", "ü", "9e999", "?:"] {
            let _ = [&good[..at], with, &good[at..]].concat().parse::<Condition>();
        }
    }
    for sign in ["-", "!", "- ", "!-"] {
        let _ = format!("candidate < {}1", sign.repeat(500 / sign.len())).parse::<Condition>();
    }
    let _ = "candidate < 999999999999999999999999".parse::<Condition>();
    check("candidate < 9.9e307 * 100", [Some(1.0), None, None], Truth::Yes);
    check("candidate / 0 > 1", [Some(1.0), None, None], Truth::Yes);
    check("candidate / 0 > 1", [Some(0.0), None, None], Truth::Unknown);
    check("candidate > 5 || candidate / 0 > 1", [Some(0.0), None, None], Truth::Unknown);
    check("candidate / 0 > 1 || candidate < 5", [Some(0.0), None, None], Truth::Yes);
}

#[test]
fn the_limit_is_what_the_candidate_is_compared_with_once() {
    let limit = |text: &str| condition(text).limit([Some(1.0), Some(0.25), None]);
    assert_eq!(limit("candidate < 0.01"), Some(0.01));
    assert_eq!(limit("5 < candidate"), Some(5.0));
    assert_eq!(limit("candidate > 2 * stable"), Some(0.5));
    assert_eq!(limit("candidate < 10 && stable < 3"), Some(10.0));
    assert_eq!(limit("candidate < 10 && candidate > 3"), None);
    assert_eq!(limit("candidate > 2 * baseline"), None);
    assert_eq!(limit("candidate / stable > 2"), None);
    assert_eq!(limit("candidate < 1 / 0"), None);
    assert_eq!(condition("  candidate\n <  1 ").text(), "candidate < 1");
}

#[test]
fn both_parsers_give_the_same_trees() {
    for text in [
        "candidate < 0.01 || candidate < 1.5 * stable",
        "candidate > 0.05 && candidate > 2 * stable && !(baseline >= 1e-3)",
        "candidate - stable > 1 ? true : candidate >= 0.02",
        "-candidate != -2 && candidate / 3 % 2 == 1u",
        "[0.5, 2 * stable].exists(bound, candidate <= bound) || [1].all(b, candidate in [b])",
        "(((candidate)) < ((1 + 2) * 3 - 4 / 5))",
    ] {
        let first = cel::Program::compile(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        let mut trees = [first.expression().clone(), parse(text).unwrap()];
        trees.iter_mut().for_each(without_numbers);
        let [first, second] = trees;
        assert_eq!(first, second, "{text}");
    }
}

/// Parsers number the parts of a tree in orders of their own.
fn without_numbers(tree: &mut IdedExpr) {
    tree.id = 0;
    match &mut tree.expr {
        Expr::Call(call) => call.target.iter_mut().map(AsMut::as_mut).chain(&mut call.args).for_each(without_numbers),
        Expr::List(list) => list.elements.iter_mut().for_each(without_numbers),
        Expr::Comprehension(each) => {
            let each = each.as_mut();
            let parts = [&mut each.iter_range, &mut each.accu_init, &mut each.loop_cond, &mut each.loop_step, &mut each.result];
            parts.into_iter().for_each(without_numbers);
        }
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) | Expr::Map(_) | Expr::Select(_) | Expr::Struct(_) => {}
    }
}
