//! A server whose journal is in PostgreSQL: both of them are killed in the middle, and the deployment ends as if nothing had been.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use test_postgres::{PASSWORD, Server};

use crate::rig::{Callers, Rig, command};

#[test]
fn database_and_server_are_killed_in_the_middle_of_a_canary() {
    let mut database = Server::start();
    let url = database.database();
    let mut rig = Rig::start_with(&["--store", &url]);
    rig.register();
    rig.release("a", "");
    rig.release("b", "");
    let first = rig.deploy("a");
    assert_eq!(rig.wait_for_end(&first)["phase"], "succeeded");
    let address = rig.ask(&["show", &first])["public_endpoint"].as_str().unwrap().to_owned();
    let callers = Callers::start(&address, 2);
    let second = rig.deploy("b");
    rig.wait_for_traffic(&second);
    database.kill();
    database.start_again();
    assert_eq!(rig.wait_for_end(&second)["phase"], "succeeded", "the database was killed");
    let third = rig.deploy("a");
    rig.wait_for_traffic(&third);
    rig.kill_server();
    // Its lease has to run out; then this one takes over.
    rig.start_server_with(&["--store", &url]);
    assert_eq!(rig.wait_for_end(&third)["phase"], "succeeded", "the server was killed");
    let (total, failed) = callers.stop();
    assert!(total > 100 && failed == 0, "{failed} of {total} requests failed");
}

#[test]
fn a_database_that_cannot_be_used_is_said_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable = format!("postgres://towpath:{PASSWORD}@{closed}/towpath");
    let server = Server::start_with(&["fsync=off"]);
    let unsafe_settings = server.database();
    for (url, exit, expected) in [
        (unreachable.as_str(), 75, "TP0406"),
        (unsafe_settings.as_str(), 2, "TP0407"),
        ("mysql://root:not-a-secret@localhost/x", 2, "begins with postgres://"),
    ] {
        let output = command(folder.path(), &["server", "--listen", "127.0.0.1:0", "--store", url]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{said}");
        assert!(said.contains(expected) && !said.contains(PASSWORD), "{said}");
    }
}

/// Returns an authority's certificate, and a certificate and key that it vouches for under the name `localhost`.
fn authority() -> (String, String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let ours = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    (ours, certificate.pem(), key.serialize_pem())
}

#[test]
fn the_way_to_the_database_is_encrypted_and_the_database_proves_itself() {
    let (trusted, certificate, key) = authority();
    let database = Server::start_encrypted(&certificate, &key);
    let plain = database.database();
    let url = format!("{}?sslmode=require", plain.replace("127.0.0.1", "localhost"));
    let folder = tempfile::tempdir().unwrap();
    let ca_file = |name: &str, pem: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let verify = |url: &str, ca_file: Option<&str>| {
        let mut asked = command(folder.path(), &["audit", "verify", "--store", url]);
        asked.args(ca_file.map(|path| ["--ca-file", path]).into_iter().flatten()).output().unwrap()
    };
    let (trusted, other) = (ca_file("trusted.pem", &trusted), ca_file("other.pem", &authority().0));
    for (url, ca_file) in [(url.as_str(), None), (&url, Some(other.as_str())), (plain.as_str(), Some("nowhere.pem"))] {
        let refused = verify(url, ca_file);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && !said.contains(PASSWORD), "{ca_file:?}: {said}");
        assert!(said.contains("certificate") || said.contains("nowhere.pem"), "{ca_file:?}: {said}");
    }
    let _rig = Rig::start_with(&["--store", &url, "--ca-file", &trusted]);
    let verified = verify(&url, Some(&trusted));
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'towpath'";
    assert_eq!(database.sql("test_0", encrypted), "t");
}
