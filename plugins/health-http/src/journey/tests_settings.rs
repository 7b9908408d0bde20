//! Settings of journeys that make no sense.

use serde_json::{Value, json};
use towpath_sdk::health::{self, Subjects, Verdict, Window};
use towpath_sdk::powers::http::Response;
use towpath_sdk::testing::context;

use super::tests::{assess, expecting, one_step};
use crate::HealthHttp;

#[track_caller]
fn refused(settings: &Value, sentence: &str) {
    let (found, asked) = assess(settings, |_| Ok(Response::new(200, "")));
    assert_eq!(found.sentence, sentence);
    assert!(found.verdict == Verdict::Error && asked.is_empty(), "nothing is asked");
}

#[test]
fn settings_that_make_no_sense_are_an_error() {
    let step = |step: Value| one_step(&step);
    let says = |why: &str| format!("journey \"buy\": step 1: {why}");
    refused(
        &json!({ "path": "/a", "journeys": [{ "name": "a", "steps": [] }] }),
        "path is \"/a\" beside journeys; make it a journey of one step",
    );
    refused(
        &json!({ "expectStatus": 418, "journeys": [{ "name": "a", "steps": [] }] }),
        "expectStatus is 418 beside journeys; say it of a step",
    );
    refused(&json!({ "journeys": [{ "name": "a", "steps": [] }] }), "journey \"a\": it has 0 steps, expected 1 to 20");
    let name = "its name must have small letters, digits and hyphens, at most 40, and begin with a letter";
    refused(&json!({ "journeys": [{ "name": "A b", "steps": [] }] }), &format!("journey \"A b\": {name}"));
    let twice = json!({ "name": "a", "steps": [{ "path": "/" }] });
    refused(&json!({ "journeys": [twice, twice] }), "two journeys are called \"a\"");
    refused(&json!({ "journeys": vec![twice; 11] }), "there are 11 journeys, at most 10 may be");
    let long = json!({ "name": "a", "attempts": 5, "steps": vec![json!({ "path": "/" }); 20] });
    refused(
        &json!({ "journeys": [long, long] }),
        "the journeys have 200 requests with all attempts, at most 100 may be in a look",
    );
    refused(&step(json!({ "path": "a" })), &says("path is \"a\", expected one that begins with a slash and has no blanks"));
    refused(&step(json!({ "path": "/", "method": "get" })), &says("method is \"get\", expected one in capital letters"));
    refused(
        &step(json!({ "path": "/", "body": "", "json": 1 })),
        &says("it has both body and json, expected at most one of them"),
    );
    refused(&step(json!({ "path": "/", "headers": { "a b": "" } })), &says("\"a b\" is no name of a header"));
    let unknown = "$token is used, and no earlier step captures \"token\"; write $$ for a dollar sign";
    refused(&step(json!({ "path": "/$token", "capture": { "token": { "json": "$.a" } } })), &says(unknown));
    refused(&step(json!({ "path": "/", "json": [{ "a": "$token" }] })), &says(unknown));
    let days = "certificateDaysMin is 3, and over http there is no certificate; say `scheme: https`";
    refused(&step(json!({ "path": "/", "expect": { "certificateDaysMin": 3 } })), &says(days));
    let samples = "timeSamplesMin is 5, and there is no timeMsMax to hold times against";
    refused(&step(json!({ "path": "/", "expect": { "timeSamplesMin": 5 } })), &says(samples));
    refused(
        &step(json!({ "path": "/", "expect": { "status": [] } })),
        &says("expect.status is empty, so that no answer could be right"),
    );
    refused(
        &step(json!({ "path": "/", "expect": { "body": {} } })),
        &says("nothing is expected of \"body\"; say equals, contains or matches"),
    );
    let nothing = "nothing is expected of $.a; say equals, exists, min, max or matches";
    refused(&step(expecting(json!({}))), &says(nothing));
    refused(&step(expecting(json!({ "exists": false, "min": 1 }))), &says("$.a is expected to be absent and to have a value"));
    refused(&step(expecting(json!({ "min": 2, "max": 1 }))), &says("$.a is expected to be at least 2 and at most 1"));
    let both = "\"a\" is captured from json and from a header, expected one of them";
    refused(&step(json!({ "path": "/", "capture": { "a": { "json": "$.a", "header": "b" } } })), &says(both));
}

#[test]
fn words_that_cannot_be_read_are_refused_with_the_settings() {
    let said = |step: Value| {
        let context = context(&one_step(&step).to_string());
        let subjects = Subjects { stable: None, candidate: None, public_endpoint: None };
        health::assess::<HealthHttp>(context, subjects, Window { started_ms: 0, ends_ms: 0 })
    };
    for (step, why) in [
        (expecting(json!({ "matches": "(" })), "the regular expression \"(\" cannot be read"),
        (expecting(json!({ "matches": "((a{999}){999}){999}" })), "cannot be read"),
        (expecting(json!({ "matches": "x".repeat(501) })), "a regular expression has 501 bytes, at most 500 may be"),
        (expecting(json!({ "path": "$[" })), "the JSONPath \"$[\" cannot be read"),
        (expecting(json!({ "path": format!("$[?{}", "(".repeat(490)) })), "cannot be read"),
        (json!({ "path": "/", "expect": { "status": [99] } }), "expected a status code from 100 to 599"),
        (json!({ "path": "/", "expect": { "status": ["6xx"] } }), "or a class of them like \"2xx\""),
    ] {
        let found = said(step);
        assert!(found.verdict == Verdict::Error && found.sentence.contains(why), "{}", found.sentence);
        assert!(found.sentence.contains("journeys[0].steps[0].expect"), "{}", found.sentence);
    }
}
