//! What is said about plugins, and what the server is asked for.

use cli::Exit;

use crate::fake::Fake;

#[tokio::test]
async fn nothing_is_installed_that_was_not_shown_and_agreed_to() {
    let fake = Fake::start().await;
    let (exit, out, err) = fake.run("plugin install /srv/probe.wasm").await;
    assert_eq!(exit, Exit::Refused, "nobody can be asked here: {err}");
    assert!(out.contains("power     http (new): to ask\\u{1b}[2J the service"), "{out}");
    assert!(out.contains("signed by nobody that was verified"), "{out}");
    let asked: Vec<bool> = fake.script.installs.lock().unwrap().drain(..).map(|install| install.check_only).collect();
    assert_eq!(asked, [true]);
    let (exit, out, _) = fake.run("plugin install /srv/probe.wasm --yes").await;
    assert_eq!(exit, Exit::Done);
    assert!(out.ends_with("it asks for more than the one before (http) and waits: towpath plugin approve probe\n"), "{out}");
    let installed = fake.script.installs.lock().unwrap().pop().unwrap();
    assert_eq!((installed.check_only, installed.digest.as_str()), (false, "sha256:90ab"), "exactly what was shown");
}

#[tokio::test]
async fn a_grant_names_its_place_its_powers_and_its_end() {
    let fake = Fake::start().await;
    let powers = fake.folder.path().join("powers.json");
    std::fs::write(&powers, r#"{"runtime": true}"#).unwrap();
    let line = format!("plugin grant probe --environment local --powers @{} --expires 1d", powers.display());
    let (exit, out, _) = fake.run(&line).await;
    assert_eq!(exit, Exit::Done);
    assert!(out.contains("everywhere, until it is revoked, by user:ada: to try it {\"runtime\":true}"), "{out}");
    let (exit, _, _) = fake.run("plugin grant probe --everywhere --powers {}").await;
    assert_eq!(exit, Exit::Done);
    let grants = fake.script.grants.lock().unwrap().clone();
    assert_eq!((grants[0].environment.as_str(), grants[0].powers.as_str()), ("local", r#"{"runtime": true}"#));
    assert!(grants[0].expires_at_ms > 86_400_000 && grants[1].expires_at_ms == 0);
    assert_eq!((grants[1].environment.as_str(), grants[1].powers.as_str()), ("", "{}"));
    fake.run("plugin revoke probe --environment local --power http").await;
    let revoked = fake.script.revocations.lock().unwrap().pop().unwrap();
    assert_eq!((revoked.name.as_str(), revoked.environment.as_str(), revoked.power.as_str()), ("probe", "local", "http"));
}

#[tokio::test]
async fn plugins_are_listed_shown_and_removed() {
    let fake = Fake::start().await;
    let (_, out, _) = fake.run("plugin list").await;
    assert!(out.contains("probe  2.0.0    waiting  health  http    sha256:90ab"), "{out}");
    for verb in ["inspect", "get"] {
        let (_, out, _) = fake.run(&format!("plugin {verb} probe")).await;
        assert!(out.contains("from      file:///srv/probe.wasm"), "{out}");
        assert!(out.contains("made of   10 parts, as spdx lists them (m1, m2, m3, m4, m5, …; --json shows them)"), "{out}");
        assert!(out.contains("settings of the gate\n{}\nsettings of the health\n[]\n"), "{out}");
        let latest = out.lines().find(|line| line.starts_with("latest ")).unwrap();
        let used = r"ago http GET http://a:80/\u{1b}[2J (failed: no answer in time, 7 us) for web in local, d-1";
        assert!(latest.ends_with(used), "{out}");
    }
    let (exit, out, _) = fake.run("plugin remove probe").await;
    assert_eq!((exit, out.as_str()), (Exit::Refused, ""));
    let (_, out, _) = fake.run("plugin remove probe --yes").await;
    assert_eq!(out, "removed probe sha256:90ab\n");
}
