//! Secrets that AWS Secrets Manager keeps, from a server that answers as it does and checks every signature.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plugin_host::{Grants, Limits, Plugin};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{PATIENCE, Server, assess, plugin};

const REGION: &str = "eu-central-1";

/// Makes a user who may read secrets, three secrets, and has signatures checked from then on; prints the user's keys.
const PREPARE: &str = r#"
import json, sys, urllib.request
import boto3

address, region = sys.argv[1:]
client = lambda service: boto3.client(service, endpoint_url=address, region_name=region, aws_access_key_id="x", aws_secret_access_key="x")
iam, secrets = client("iam"), client("secretsmanager")
iam.create_user(UserName="towpath")
reading = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
policy = json.dumps({"Version": "2012-10-17", "Statement": [reading]})
iam.put_user_policy(UserName="towpath", PolicyName="read", PolicyDocument=policy)
keys = iam.create_access_key(UserName="towpath")["AccessKey"]
secrets.create_secret(Name="team/token", SecretString="drowssap")
secrets.create_secret(Name="team/object", SecretString=json.dumps({"password": "dleif"}))
secrets.create_secret(Name="team/bytes", SecretBinary=b"bytes")
checking = urllib.request.Request(address + "/moto-api/reset-auth", data=b"0", headers={"content-type": "text/plain"}, method="POST")
urllib.request.urlopen(checking).read()
print(keys["AccessKeyId"], keys["SecretAccessKey"])
"#;

/// The server, stopped when dropped, and the files of its user's keys.
struct Aws {
    server: Child,
    address: String,
    folder: TempDir,
}

impl Aws {
    async fn start() -> Self {
        let programs = programs();
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        let mut command = Command::new(programs.join("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        let server = command.spawn().expect("it starts");
        let aws = Self { server, address: format!("http://127.0.0.1:{port}"), folder };
        wait_until_it_listens(port).await;
        let prepared =
            Command::new(programs.join("python")).args(["-c", PREPARE, &aws.address, REGION]).output().expect("it runs");
        assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
        let keys = String::from_utf8(prepared.stdout).expect("text");
        let (id, key) = keys.trim().split_once(' ').expect("two words");
        fs::write(aws.file("id"), id).expect("written");
        fs::write(aws.file("key"), key).expect("written");
        fs::write(aws.file("wrong"), "x".repeat(40)).expect("written");
        aws
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns a grant of a secret, as "token".
    fn grant(&self, address: &str, id: &str, key: &str, field: Option<&str>) -> Grants {
        let keys = json!({ "accessKeyId": { "file": self.file("id") }, "secretAccessKey": { "file": self.file(key) } });
        let kept = json!({ "address": address, "region": REGION, "id": id, "field": field, "keys": keys });
        let grants = json!({ "secret": { "allow": [{ "name": "token", "secretsManager": kept }] } });
        serde_json::from_value(grants).expect("grants")
    }

    /// Returns what the plugin says of a secret, spelled backwards.
    async fn told(&self, plugin: &Plugin, id: &str, key: &str, field: Option<&str>) -> String {
        tell(plugin, &self.grant(&self.address, id, key, field)).await
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn programs() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("cargo's folder for tests lies in its target folder");
    let programs = target.join("moto/bin");
    assert!(programs.join("moto_server").exists(), "moto is not in {}: run `.ci/setup tests`", programs.display());
    programs
}

async fn wait_until_it_listens(port: u16) {
    let connect = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, connect).await.expect("it listens in time");
}

async fn tell(plugin: &Plugin, grants: &Grants) -> String {
    let settings: Value = json!({ "backwards": "token" });
    assess(plugin, &settings.to_string(), grants).await.expect("an answer").answer.sentence
}

#[tokio::test]
async fn a_secret_that_is_kept_there_is_read_with_a_signature_that_holds() {
    let aws = Aws::start().await;
    let plugin = plugin(Limits::default());
    assert_eq!(aws.told(&plugin, "team/token", "key", None).await, "password");
    assert_eq!(aws.told(&plugin, "team/object", "key", Some("password")).await, "field");
    for (id, key, field, why) in [
        ("team/token", "wrong", None, "it answered 403"),
        ("team/absent", "key", None, "ResourceNotFoundException"),
        ("team/token", "absent", None, "absent"),
        ("team/token", "key", Some("password"), "not a JSON object"),
        ("team/object", "key", Some("user"), "it has no text \"user\""),
        ("team/bytes", "key", None, "it is not a text"),
    ] {
        let said = aws.told(&plugin, id, key, field).await;
        assert!(said.contains(why) && said.contains(id), "{id} {key} {field:?}: {said}");
        assert!(!said.contains("drowssap") && !said.contains("dleif"), "{said}");
    }
}

#[tokio::test]
async fn a_keeper_that_is_ill_or_lies_is_an_error_of_the_call() {
    let aws = Aws::start().await;
    let plugin = plugin(Limits::default());
    let html = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>";
    let nonsense = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>";
    let large = format!("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\nconnection: close\r\n\r\n{}", "x".repeat(100_000));
    for (answer, why) in [(html, "it answered 500"), (nonsense, "is not JSON"), (large.leak(), "larger than")] {
        let server = Server::start(Some(answer)).await;
        let grants = aws.grant(&format!("http://127.0.0.1:{}", server.port), "team/token", "key", None);
        let said = tell(&plugin, &grants).await;
        assert!(said.contains(why), "{said}");
    }
    let said = tell(&plugin, &aws.grant("http://127.0.0.1:1", "team/token", "key", None)).await;
    assert!(said.contains("127.0.0.1:1"), "{said}");
}
