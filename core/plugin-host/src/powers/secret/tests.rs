//! Secrets that were named in the grant, and no others.

use crate::call::{CallState, testing};
use crate::error::CallErrorKind;
use crate::v0_3::bindings::powers::towpath::plugin::secret::{Error, Host};
use crate::{Grants, Options, ServerEnvironment};

fn state(rules: &str) -> CallState {
    let grants: Grants = serde_json::from_str(&format!(r#"{{"secret":{{"allow":[{rules}]}}}}"#)).expect("a grant");
    let environment: ServerEnvironment = [("TOKEN".to_owned(), "from the environment".to_owned())].into_iter().collect();
    testing::state_on(grants, Options { environment, ..Options::default() })
}

async fn reveal(state: &mut CallState, name: &str) -> Result<String, Error> {
    state.reveal(name.to_owned()).await.expect("no trap")
}

#[tokio::test]
async fn a_secret_comes_from_where_the_grant_says_each_time_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "first\n").expect("written");
    let rules = format!(r#"{{"name":"a","file":{file:?}}},{{"name":"b","environment":"TOKEN"}}"#);
    let mut state = state(&rules);
    assert_eq!(reveal(&mut state, "a").await.expect("granted"), "first");
    std::fs::write(&file, "second").expect("written");
    assert_eq!(reveal(&mut state, "a").await.expect("granted"), "second");
    assert_eq!(reveal(&mut state, "b").await.expect("granted"), "from the environment");
    let uses = format!("{:?}", state.transcript.take_uses());
    assert!(!uses.contains("second") && !uses.contains("environment"), "{uses}");
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_said_with_its_place() {
    let mut state =
        state(r#"{"name":"a","file":"/nowhere/at/all"},{"name":"b","environment":"UNSET"},{"name":"c","file":"relative"}"#);
    for (name, expect) in [("a", "/nowhere/at/all"), ("b", "UNSET"), ("c", "not absolute")] {
        let answer = reveal(&mut state, name).await;
        assert!(matches!(&answer, Err(Error::Unavailable(why)) if why.contains(expect)), "{answer:?}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_in_the_grant_fails_the_call() {
    let mut state = state(r#"{"name":"a","environment":"TOKEN"}"#);
    let answer = reveal(&mut state, "b").await;
    assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
    let Some(CallErrorKind::Refused { power: "secret", line, .. }) = state.transcript.stopped() else { panic!("not refused") };
    serde_json::from_str::<Grants>(&line).expect("the line is a grant");
}

#[test]
fn a_rule_names_one_place() {
    for rule in [r#"{"name":"a"}"#, r#"{"name":"a","file":"/x","environment":"X"}"#] {
        let error = serde_json::from_str::<Grants>(&format!(r#"{{"secret":{{"allow":[{rule}]}}}}"#)).expect_err(rule);
        assert!(error.to_string().contains("exactly one of file, environment, secretsManager"), "{error}");
    }
    let rule = r#"{"secret":{"allow":[{"name":"a","file":"/x"}]}}"#;
    let grants: Grants = serde_json::from_str(rule).expect("a grant");
    assert!(serde_json::to_string(&grants).expect("JSON").contains(r#"[{"name":"a","file":"/x"}]"#));
}
