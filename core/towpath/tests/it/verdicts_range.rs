//! A policy over a range of a real Prometheus decides as it does over a record of the same numbers.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Output;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use test_observability::Prometheus;

use crate::rig::command;
use crate::verdicts::{BEGIN_S, FAULT_S, record};

/// How many seconds there are data of.
const SECONDS: u64 = 300;

/// Nothing is scraped: all there is are samples of the past.
const CONFIGURATION: &str = "global: {}";

/// The second at which one of the candidate's two instances is started again, and counts from zero.
const RESTART_S: u64 = 60;

/// Returns the numbers of a record as counters. The candidate has two instances that take turns, one of which is started again, and failures
/// of stable appear with the first one.
fn counters(record: &str) -> String {
    let mut counted = [[0_u64; 2]; 3];
    let mut samples = [const { String::new() }; 6];
    let sample = |text: &mut String, name: &str, release: &str, instance: usize, count: u64, at: u64| {
        writeln!(text, "{name}_total{{release=\"{release}\",instance=\"{instance}\"}} {count} {at}").unwrap();
    };
    let before = BEGIN_S - 1;
    for (place, (release, instance)) in [("v2", 0), ("v2", 1), ("v1", 0)].into_iter().enumerate() {
        if release == "v2" {
            sample(&mut samples[place], "failures", release, instance, 0, before);
        }
        sample(&mut samples[place + 3], "requests", release, instance, 0, before);
    }
    for row in record.lines().skip(1) {
        let fields: Vec<_> = row.split(',').collect();
        let [at, events, trials] = [0, 3, 4].map(|field| fields[field].parse::<u64>().unwrap());
        if at == BEGIN_S + RESTART_S {
            counted[0] = [0; 2];
        }
        let turn = usize::try_from(at % 2).unwrap();
        let place = if fields[2] == "candidate" { turn } else { 2 };
        counted[place] = [counted[place][0] + events, counted[place][1] + trials];
        for (place, [failures, requests]) in
            counted.into_iter().enumerate().filter(|(place, _)| (*place == 2) == (fields[2] == "stable"))
        {
            let (release, instance) = if place == 2 { ("v1", 0) } else { ("v2", place) };
            if release == "v2" || failures > 0 {
                sample(&mut samples[place], "failures", release, instance, failures, at);
            }
            sample(&mut samples[place + 3], "requests", release, instance, requests, at);
        }
    }
    let [a, b, c, d, e, f] = samples;
    format!("# TYPE failures counter\n{a}{b}{c}# TYPE requests counter\n{d}{e}{f}# EOF\n")
}

fn policy() -> Value {
    let of = |release: &str| json!({ "events": format!("failures_total{{release=\"{release}\"}}"), "trials": format!("requests_total{{release=\"{release}\"}}") });
    json!({ "metrics": [{ "name": "error rate", "role": "critical", "shares": {}, "prometheus": { "candidate": of("v2"), "stable": of("v1") } }] })
}

/// Replays, and returns how it ended.
fn replay(folder: &Path, policy: &Value, more: &[&str], secrets: &[(&str, &str)]) -> Output {
    fs::write(folder.join("policy.json"), policy.to_string()).unwrap();
    let policy = folder.join("policy.json").display().to_string();
    let mut command = command(folder, &[&["verdict", "replay", "--json", "--policy", &policy], more].concat());
    command.envs(secrets.iter().copied()).output().unwrap()
}

fn range(url: &str) -> Vec<String> {
    let (from, to) = ((BEGIN_S - 1).to_string(), (BEGIN_S + SECONDS - 1).to_string());
    ["--prometheus", url, "--from", &from, "--to", &to, "--step", "1s"].map(str::to_owned).to_vec()
}

fn texts(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

fn found(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn a_range_is_decided_as_its_record_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = record(SECONDS, Some(FAULT_S));
    let mut prometheus = Prometheus::start_with_history(CONFIGURATION, &counters(&text));
    let url = prometheus.url() + "/";
    let saved = folder.path().join("saved.csv").display().to_string();
    let of_range = replay(folder.path(), &policy(), &[&texts(&range(&url))[..], &["--save", &saved]].concat(), &[]);
    assert_eq!(of_range.status.code(), Some(1), "{}", String::from_utf8_lossy(&of_range.stderr));
    let decided = found(&of_range);
    assert_eq!(decided["last"]["outcome"], "Unhealthy", "{decided}");

    let csv = folder.path().join("record.csv").display().to_string();
    fs::write(&csv, &text).unwrap();
    assert_eq!(decided, found(&replay(folder.path(), &policy(), &[&csv], &[])), "the same numbers");

    // What was saved needs no server any more.
    prometheus.kill();
    assert_eq!(decided, found(&replay(folder.path(), &policy(), &[&saved], &[])), "{}", fs::read_to_string(&saved).unwrap());
    let gone = replay(folder.path(), &policy(), &texts(&range(&url)), &[]);
    let said = String::from_utf8_lossy(&gone.stderr);
    assert!(gone.status.code() == Some(6) && said.contains("TP0702") && said.contains("cannot be asked: "), "{said}");
}

#[test]
fn values_are_taken_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = "# TYPE size gauge\n".to_owned();
    for (release, size) in [("v1", 40), ("v2", 90)] {
        for second in 0..SECONDS {
            writeln!(history, "size{{release=\"{release}\"}} {size} {}", BEGIN_S + second).unwrap();
        }
    }
    let prometheus = Prometheus::start_with_history(CONFIGURATION, &format!("{history}# EOF\n"));
    let value = |release: &str| json!({ "value": format!("size{{release=\"{release}\"}}") });
    let policy = json!({ "metrics": [{
        "name": "size", "mean": { "low": 0, "high": 100, "tolerance": 5, "margin": 20 }, "prometheus": { "candidate": value("v2"), "stable": value("v1") },
    }] });
    let replayed = replay(folder.path(), &policy, &texts(&range(&prometheus.url())), &[]);
    let last = &found(&replayed)["last"];
    assert_eq!(
        (last["outcome"].as_str(), last["findings"][0]["candidate_size"].as_u64()),
        (Some("Unhealthy"), Some(SECONDS)),
        "{last}"
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let prometheus = Prometheus::start_with_history(CONFIGURATION, &counters(&record(10, None)));
    let url = prometheus.url();
    let refused = |policy: &Value, url: &str, more: &[&str], code: i32, why: &str| {
        let output = replay(folder.path(), policy, &[&texts(&range(url))[..], more].concat(), &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && said.contains(why), "{code} {why}: {:?} {said}", output.status.code());
    };
    let mut bad = policy();
    bad["metrics"][0]["prometheus"]["stable"]["trials"] = json!("requests_total{");
    refused(&bad, &url, &[], 6, "metric \"error rate\" of stable: trials: Prometheus says bad_data: ");
    let mut nothing = policy();
    nothing["metrics"][0]["prometheus"] =
        json!({ "candidate": { "events": "a", "trials": "b" }, "stable": { "events": "a", "trials": "b" } });
    refused(&nothing, &url, &[], 6, "has nothing of what is asked for in that range, and no data is not healthy");
    let mut more_events = policy();
    more_events["metrics"][0]["prometheus"]["stable"] =
        json!({ "events": "requests_total", "trials": "requests_total{release=\"v1\"}" });
    refused(&more_events, &url, &[], 6, "events among 90 trials");
    let mut silent = policy();
    silent["metrics"][0].as_object_mut().unwrap().remove("prometheus");
    refused(&silent, &url, &[], 2, "metric \"error rate\" says nothing of prometheus");
    refused(&policy(), &format!("{url}/elsewhere"), &[], 6, "status 404");
    refused(&policy(), "127.0.0.1:9090", &[], 2, "expected one that begins with http:// or https://");
    refused(&policy(), "http://reader:secret@127.0.0.1", &[], 2, "which everybody sees who lists processes");
    let token = folder.path().join("token").display().to_string();
    fs::write(&token, "a-token\n").unwrap();
    refused(&policy(), "http://prometheus.example:9090", &["--bearer-file", &token], 2, "credentials would travel in the open");
    refused(&policy(), &url, &["--user", "reader"], 2, "--user is given without --password-file");
    refused(&policy(), &url, &["--save", "/nowhere/saved.csv"], 6, "/nowhere/saved.csv cannot be written");
    for (from, to, step, why) in [
        ("tomorrow", "2", "1s", "--from is \"tomorrow\""),
        ("2", "1", "1s", "--from is 1970-01-01T00:00:02.000Z and --to 1970-01-01T00:00:01.000Z"),
        ("1", "2", "0s", "--step is \"0s\""),
        ("1", "1000000000", "1s", "at most 100000 are read"),
    ] {
        let output = replay(folder.path(), &policy(), &["--prometheus", &url, "--from", from, "--to", to, "--step", step], &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(why), "{why}: {said}");
    }
}

/// A user whose password is [`PASSWORD`], as Prometheus keeps it (bcrypt of the least cost: the test's time is not the point).
const USERS: &str = "basic_auth_users:\n  reader: $2y$04$JfqYnMnXofvwimBQS5XL1ebhXD/i2CGULOKe3J56iKCduDGH55nQO\n";

const PASSWORD: &str = "not-a-secret-word";

#[test]
fn a_server_that_wants_proof_and_gives_it_is_read_over_https() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority_file = write("ca.pem", &params.self_signed(&key).unwrap().pem());
    let authority = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap().pem();
    let web = format!("tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n{USERS}");
    let files = [("server.pem", certificate.as_str()), ("server.key", &key.serialize_pem())];
    let prometheus = Prometheus::start_guarded(&counters(&record(SECONDS, Some(FAULT_S))), &web, &files);
    let url = format!("https://localhost:{}", prometheus.address().port());
    let ask = |more: &[&str], secrets: &[(&str, &str)]| {
        replay(folder.path(), &policy(), &[&texts(&range(&url))[..], more].concat(), secrets)
    };

    let password = write("password", &format!("{PASSWORD}\n"));
    let trusting = ["--ca-file", &authority_file, "--user", "reader"];
    let by_file = ask(&[&trusting[..], &["--password-file", &password]].concat(), &[]);
    let by_variable = ask(&trusting, &[("TOWPATH_PROMETHEUS_PASSWORD", PASSWORD)]);
    assert_eq!(found(&by_file), found(&by_variable));
    assert_eq!(found(&by_file)["last"]["outcome"], "Unhealthy");
    for (more, secrets, why) in [
        (&trusting[..], &[("TOWPATH_PROMETHEUS_PASSWORD", "another-word")][..], "status 401"),
        (&trusting[..2], &[("TOWPATH_PROMETHEUS_TOKEN", "a-token-of-nobody")][..], "status 401"),
        (&trusting[..2], &[][..], "status 401"),
        (&["--user", "reader", "--password-file", &password][..], &[][..], "cannot be asked: invalid peer certificate"),
    ] {
        let said = String::from_utf8(ask(more, secrets).stderr).unwrap();
        assert!(said.contains("TP0702") && said.contains(why), "{why}: {said}");
        assert!(!said.contains("another-word") && !said.contains("a-token-of-nobody") && !said.contains(PASSWORD), "{said}");
    }
}
