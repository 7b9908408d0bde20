//! The mode `kayenta` against the vectors taken from that judge's own suites.

use serde_json::Value;
use verdict::kayenta::{
    Classifier, Direction, Effect, Label, Missing, Outliers, Shifted, Summary, classify_run, cohen_d, mean_ratio,
    outliers_by_deviation, outliers_by_quartiles, without_missing,
};
use verdict::kayenta::{ScoreVerdict, Scored, classify_score, score};
use verdict::{rank, sample};

use crate::vectors::{near, number, numbers, read};

fn cases(file: &Value, key: &str) -> Vec<Value> {
    let cases = file[key].as_array().expect("a list of cases").clone();
    assert!(!cases.is_empty(), "no case under {key}");
    cases
}

fn of_kind(kind: &str) -> Vec<Value> {
    let all = cases(&read("kayenta_mannwhitney.json"), "cases");
    let found: Vec<Value> = all.into_iter().filter(|case| case["kind"] == kind).collect();
    assert!(!found.is_empty(), "no case of kind {kind}");
    found
}

#[test]
fn normal_quantiles_are_those_of_r() {
    for case in of_kind("normal_ppf") {
        assert!(near(verdict::normal_quantile(number(&case, "p")), number(&case, "expect"), 1e-6), "{case}");
    }
}

#[test]
fn the_statistic_is_that_of_r() {
    for case in of_kind("wilcoxon_diff") {
        let samples = Shifted::new(&numbers(&case, "x"), &numbers(&case, "y")).unwrap();
        for expect in case["expect"].as_array().unwrap() {
            let found = samples.statistic(number(expect, "mu"), number(expect, "quantile")).unwrap();
            assert!(near(found, number(expect, "value"), 1e-6), "found {found}, expected {expect}");
        }
    }
}

#[test]
fn intervals_by_root_finding_are_those_of_the_judge() {
    for case in of_kind("mw_ci") {
        let samples = Shifted::new(&numbers(&case, "experiment"), &numbers(&case, "control")).unwrap();
        let found = samples.solve(number(&case, "conf")).unwrap();
        let expected = numbers(&case, "ci");
        let id = &case["id"];
        // The small case of the suite is stated without the residue, the others with it.
        let tolerance = if id == "mw-small" { 1e-4 } else { 1e-6 };
        assert!(near(found.interval.low, expected[0], tolerance), "{id}: found {found:?}, expected {expected:?}");
        assert!(near(found.interval.high, expected[1], tolerance), "{id}: found {found:?}, expected {expected:?}");
        let tolerance = number(&case, "estimate_tol");
        assert!(
            near(found.estimate, number(&case, "estimate"), tolerance),
            "{id}: found {found:?}, expected {}",
            case["estimate"]
        );
    }
}

#[test]
fn exact_intervals_are_those_of_r_without_its_residue() {
    for case in of_kind("mw_ci") {
        let found = rank::compare(&numbers(&case, "experiment"), &numbers(&case, "control"), number(&case, "conf")).unwrap();
        let expected = numbers(&case, "ci");
        // R looks for roots to 1e-4.
        for (found, expected) in
            [(found.interval.low, expected[0]), (found.interval.high, expected[1]), (found.shift, number(&case, "estimate"))]
        {
            assert!(near(found, expected, 1.0001e-4), "{}: found {found}, expected {expected}", case["id"]);
        }
    }
}

#[test]
fn intermediate_values_are_those_of_the_judge() {
    for case in of_kind("mw_intermediate") {
        let samples = Shifted::new(&numbers(&case, "x"), &numbers(&case, "y")).unwrap();
        let (low, high) = samples.range();
        let (lower, upper) = (number(&case, "zq_lower"), number(&case, "zq_upper"));
        let found = samples.solve(number(&case, "conf")).unwrap();
        for (found, key) in [
            (low, "mu_min"),
            (high, "mu_max"),
            (verdict::normal_quantile(0.975), "zq_lower"),
            (samples.statistic(low, lower).unwrap(), "f_lower1"),
            (samples.statistic(high, lower).unwrap(), "f_upper1"),
            (samples.statistic(low, upper).unwrap(), "f_lower2"),
            (samples.statistic(high, upper).unwrap(), "f_upper2"),
            (found.interval.low, "brent_ci_lower"),
            (found.interval.high, "brent_ci_upper"),
            (found.estimate, "brent_estimate"),
        ] {
            assert!(near(found, number(&case, key), 1e-6), "{key}: found {found}, expected {}", case[key]);
        }
    }
}

#[test]
fn percentiles_are_those_of_r() {
    for case in cases(&read("kayenta_statistics.json"), "percentile") {
        let found = sample::percentile(&sample::sorted(&numbers(&case, "values")), number(&case, "p") / 100.0).unwrap();
        let tolerance = case["tol"].as_f64().unwrap_or(1e-9);
        assert!(near(found, number(&case, "expect"), tolerance), "found {found}, expected {}", case["expect"]);
    }
}

#[test]
fn descriptions_and_effect_sizes_are_those_of_the_judge() {
    let file = read("kayenta_statistics.json");
    for case in cases(&file, "summary") {
        let found = Summary::of(&numbers(&case, "values"));
        let found = [found.min, found.max, found.mean, found.deviation, found.count as f64];
        for (found, key) in found.into_iter().zip(["min", "max", "mean", "std", "count"]) {
            assert!(near(found, number(&case, key), 1e-4), "{key}: found {found}, expected {}", case[key]);
        }
    }
    let check = |found: f64, case: &Value| {
        let tolerance = case["tol"].as_f64().unwrap_or(1e-9);
        assert!(near(found, number(case, "expect"), tolerance), "found {found}, expected {}", case["expect"]);
    };
    for case in cases(&file, "mean_ratio") {
        check(mean_ratio(&numbers(&case, "experiment"), &numbers(&case, "control")), &case);
    }
    for case in cases(&file, "cohen_d") {
        check(cohen_d(&numbers(&case, "a"), &numbers(&case, "b")), &case);
    }
    for case in cases(&file, "cles") {
        check(rank::greater_share(&numbers(&case, "experiment"), &numbers(&case, "control")).unwrap(), &case);
    }
}

#[test]
fn outliers_are_those_of_the_judge() {
    let file = read("kayenta_detectors.json");
    for case in cases(&file, "cases") {
        let values = numbers(&case, "values");
        let outside = match case["detector"].as_str().unwrap() {
            "ksigma" => outliers_by_deviation(&values, number(&case, "k")),
            "iqr" => outliers_by_quartiles(&values, number(&case, "factor"), false),
            other => panic!("no detector is called {other}"),
        };
        let found: Vec<f64> = (0..values.len()).filter(|place| outside[*place]).map(|place| place as f64).collect();
        assert_eq!(found, numbers(&case, "outlier_indices"), "{case}");
    }
    for (key, rule) in [("remove_nan", Missing::Remove), ("replace_nan_0", Missing::Replace)] {
        for case in cases(&file, key) {
            assert_eq!(without_missing(&numbers(&case, "in"), rule), numbers(&case, "out"));
        }
    }
}

fn classifier_of(case: &Value) -> Classifier {
    let pair = |key: &str| {
        let pair = numbers(case, key);
        (pair[0], pair[1])
    };
    Classifier {
        tolerance: number(case, "tolerance"),
        confidence: number(case, "conf"),
        effect: if case["effect_size_measure"] == "cles" { Effect::CommonLanguage } else { Effect::MeanRatio },
        allowed: pair("effect_size_thresholds"),
        critical_beyond: pair("critical_thresholds"),
        direction: match case["direction"].as_str().unwrap() {
            "Increase" => Direction::Increase,
            "Decrease" => Direction::Decrease,
            "Either" => Direction::Either,
            other => panic!("no direction is called {other}"),
        },
        missing: if case["nan_strategy"] == "Replace" { Missing::Replace } else { Missing::Remove },
        outliers: Outliers::Keep,
        critical: case["is_critical"] == true,
        must_have_data: false,
    }
}

#[test]
fn every_case_of_the_classifier_set_is_classified_as_by_the_judge() {
    let all = cases(&read("kayenta_classifier.json"), "cases");
    assert_eq!(all.len(), 37);
    for case in all {
        let classifier = classifier_of(&case);
        let (experiment, control) = (numbers(&case, "experiment"), numbers(&case, "control"));
        let found = match case["classifier"].as_str().unwrap() {
            "MannWhitney" => classifier.classify(&experiment, &control),
            "MeanInequality" => classifier.classify_means(&experiment, &control),
            other => panic!("no classifier is called {other}"),
        };
        let expect = &case["expect"];
        let id = &case["id"];
        if let Some(label) = expect["classification"].as_str() {
            let label = match label {
                "Pass" => Label::Pass,
                "High" => Label::High,
                "Low" => Label::Low,
                "Nodata" => Label::NoData,
                other => panic!("no label is called {other}"),
            };
            assert_eq!(found.label, label, "{id}: {found:?}");
        }
        if let Some(critical) = expect["critical"].as_bool() {
            assert_eq!(found.critical, critical, "{id}: {found:?}");
        }
        if expect.get("deviation").is_some() {
            assert!(near(found.deviation, number(expect, "deviation"), 1e-9), "{id}: {found:?}");
        }
        assert!(!found.reason.is_empty(), "{id}");
    }
}

fn metric(group: &str, label: Label, critical: bool) -> Scored {
    Scored { groups: vec![group.to_owned()], label, critical, muted: false }
}

#[test]
fn scores_follow_the_judges_rules() {
    let pass = |group: &str| metric(group, Label::Pass, false);
    let high = |group: &str| metric(group, Label::High, false);
    let none = |group: &str| metric(group, Label::NoData, false);
    let weights = |list: &[(&str, f64)]| list.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect::<Vec<_>>();
    for (metrics, given, expected) in [
        (vec![pass("a"), pass("a"), high("a")], weights(&[]), 66.67),
        (vec![pass("a"), high("b")], weights(&[]), 50.0),
        (vec![pass("a"), high("b")], weights(&[("a", 75.0)]), 75.0),
        (vec![pass("a"), metric("b", Label::NoDataFail, false)], weights(&[("a", 80.0), ("b", 20.0)]), 80.0),
        // A group without data counts as 100: fail-open, and reproduced.
        (vec![pass("a"), pass("a"), none("b")], weights(&[]), 100.0),
        // An error is left out of the denominator: fail-open, and reproduced.
        (vec![pass("a"), metric("a", Label::Error, false)], weights(&[]), 100.0),
        (vec![pass("a"), none("a")], weights(&[]), 0.0),
        (vec![pass("a"), metric("a", Label::High, true)], weights(&[]), 0.0),
        (vec![pass("a"), Scored { muted: true, ..metric("a", Label::High, true) }], weights(&[]), 100.0),
        (vec![], weights(&[]), 0.0),
    ] {
        assert_eq!(score(&metrics, &given).score, expected, "{metrics:?} {given:?}");
    }
    assert_eq!(classify_score(95.0, 95.0, 75.0), ScoreVerdict::Pass);
    assert_eq!(classify_score(75.0, 95.0, 75.0), ScoreVerdict::Marginal);
    assert_eq!(classify_score(74.99, 95.0, 75.0), ScoreVerdict::Fail);
    assert_eq!(classify_run(&[80.0, 75.0, 100.0], 95.0, 75.0), Some((ScoreVerdict::Fail, 2)));
    assert_eq!(classify_run(&[80.0, 76.0, 100.0], 95.0, 75.0), Some((ScoreVerdict::Pass, 3)));
    assert_eq!(classify_run(&[], 95.0, 75.0), None);
}
