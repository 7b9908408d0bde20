//! A real sshd on this machine: what may be run there and put there, and who it must be.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::call::{CallState, Purpose, testing};
use crate::error::CallErrorKind;
use crate::v0_3::bindings::powers::towpath::plugin::ssh::{
    ArtifactFile as Named, Content, Error, Host, Outcome, Piece, Request, Upload,
};
use crate::{ArtifactBackend, ArtifactFault, ArtifactFile, Grants, Options};

/// The server's program. `.ci/setup tests` installs it.
const SSHD: &str = "/usr/sbin/sshd";

/// A server of our own. Stopped when dropped.
struct Server {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it ends");
    }
}

impl Server {
    async fn start() -> Self {
        assert!(Path::new(SSHD).exists(), "there is no {SSHD}; install it: .ci/setup tests");
        let folder = tempfile::tempdir().expect("a folder");
        for key in ["host", "user", "stranger"] {
            let file = folder.path().join(key);
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(&file).status();
            assert!(made.expect("ssh-keygen runs").success());
        }
        std::fs::copy(folder.path().join("user.pub"), folder.path().join("authorized")).expect("copied");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let place = folder.path().display();
        // A home of its own: what this process's user has a shell do at every logon may take as long as it likes.
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/host\nAuthorizedKeysFile {place}/authorized\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nSetEnv HOME={place}\n"
        );
        std::fs::write(folder.path().join("config"), config).expect("written");
        let mut command = Command::new(SSHD);
        command.args(["-D", "-e", "-f"]).arg(folder.path().join("config")).stdin(Stdio::null());
        let log = std::fs::File::create(folder.path().join("log")).expect("a log");
        if nix::unistd::geteuid().is_root() {
            // Where the server of the system itself would separate its privileges.
            std::fs::create_dir_all("/run/sshd").expect("root may");
        }
        let child = command.stderr(log).spawn().expect("it starts");
        let server = Self { folder, port, child };
        server.wait_until_it_listens().await;
        server
    }

    async fn wait_until_it_listens(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            let log = std::fs::read_to_string(self.folder.path().join("log")).expect("a log");
            assert!(Instant::now() < deadline, "sshd does not listen: {log}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn public(&self, key: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(key).with_extension("pub")).expect("a key").trim().to_owned()
    }

    /// Returns a state that knows the server as "web-1" by this key, and proves itself with that one.
    fn state(&self, host_key: &str, user_key: &str) -> CallState {
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).expect("known").expect("there").name;
        let place = self.folder.path().display();
        let host = |name: &str, key: &str| {
            serde_json::json!({
                "name": name, "address": "127.0.0.1", "port": self.port, "user": user, "hostKeys": [self.public(key)],
                "keyFile": format!("{place}/{user_key}"), "commands": ["cat; echo err >&2; exit 7", "sleep 600", "echo *"],
                "reading": ["true", "cat"], "paths": [format!("{place}/srv")],
            })
        };
        let hosts = [host("web-1", host_key), host("web-2", host_key), host("web-3", "stranger")];
        let grant = serde_json::json!({ "artifact": true, "ssh": { "hosts": hosts } });
        let grants: Grants = serde_json::from_value(grant).expect("a grant");
        let mut state = testing::state_on(grants, Options { artifacts: Some(Arc::new(OneFile)), ..Options::default() });
        state.purpose = Purpose::Change;
        state.artifacts = vec!["sha256:ours".to_owned()];
        state
    }
}

/// The size of the one file that there is: more than one window of the connection.
const SIZE: u64 = 5 << 20;

/// A store with one file.
struct OneFile;

#[async_trait::async_trait]
impl ArtifactBackend for OneFile {
    async fn files(&self, _digest: &str) -> Result<Vec<ArtifactFile>, ArtifactFault> {
        Ok(vec![ArtifactFile { path: "bin/web".to_owned(), size: SIZE, executable: true }])
    }

    async fn read(&self, _digest: &str, _path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ArtifactFault> {
        let left = SIZE.saturating_sub(offset).min(u64::from(length));
        Ok(vec![b'x'; usize::try_from(left).expect("small")])
    }
}

fn request(command: &str) -> Request {
    Request { host: "web-1".to_owned(), command: command.to_owned(), stdin: b"from the guest".to_vec(), timeout_ms: 8_000 }
}

async fn run(state: &mut CallState, request: Request) -> Result<Outcome, Error> {
    state.run(request).await.expect("no trap")
}

#[tokio::test]
async fn a_granted_command_runs_and_no_other() {
    let server = Server::start().await;
    let mut state = server.state("host", "user");
    let outcome = run(&mut state, request("cat; echo err >&2; exit 7")).await.expect("it ran");
    assert_eq!((outcome.exit_code, outcome.stdout.as_slice()), (7, b"from the guest".as_slice()));
    assert!(outcome.stderr.ends_with(b"err\n") && !outcome.cut, "{outcome:?}");
    let outcome = run(&mut state, request("echo 'a; b'")).await.expect("it ran");
    assert_eq!(outcome.stdout, b"a; b\n");
    assert!(state.transcript.sent(), "what a command does is an effect");
    let refused = run(&mut state, request("echo a; reboot")).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    let Some(CallErrorKind::Refused { power: "ssh", line, .. }) = state.transcript.stopped() else { panic!("not refused") };
    serde_json::from_str::<Grants>(&line).expect("the line is a grant");
}

#[tokio::test]
async fn only_a_reconcile_runs_what_does_not_only_read() {
    let server = Server::start().await;
    let mut state = server.state("host", "user");
    state.purpose = Purpose::Look;
    run(&mut state, request("true")).await.expect("it only reads");
    assert!(!state.transcript.sent());
    let refused = run(&mut state, request("echo a")).await;
    assert!(matches!(&refused, Err(Error::Refused(why)) if why.contains("reading")), "{refused:?}");
}

#[tokio::test]
async fn a_host_with_another_key_and_one_that_does_not_know_us_run_nothing() {
    let server = Server::start().await;
    for (host_key, user_key, expect) in
        [("stranger", "user", "another key"), ("host", "stranger", "does not take our key"), ("host", "absent", "absent")]
    {
        let mut state = server.state(host_key, user_key);
        let answer = run(&mut state, request("echo a")).await;
        assert!(matches!(&answer, Err(Error::Unreachable(why)) if why.contains(expect)), "{answer:?}");
        assert!(!state.transcript.sent(), "nothing ran");
        if let (Err(Error::Unreachable(why)), "another key") = (&answer, expect) {
            for key in ["host", "stranger"] {
                let print = Command::new("ssh-keygen").args(["-l", "-f"]).arg(server.folder.path().join(key)).output();
                let print = String::from_utf8(print.expect("it runs").stdout).expect("text");
                let print = print.split(' ').nth(1).expect("a fingerprint");
                assert!(print.starts_with("SHA256:") && why.contains(print), "{why} names both keys, {print} is one");
            }
        }
    }
}

#[tokio::test]
async fn hosts_are_asked_side_by_side_and_answer_in_their_order() {
    let server = Server::start().await;
    let mut state = server.state("host", "user");
    let ask = |host: &str, command: &str, stdin: &str| Request {
        host: host.to_owned(),
        command: command.to_owned(),
        stdin: stdin.as_bytes().to_vec(),
        timeout_ms: 2_000,
    };
    // The third shows a key that is not the pinned one, the second hangs: neither takes anything from the first.
    let requests =
        vec![ask("web-1", "cat", "one"), ask("web-3", "cat", ""), ask("web-2", "sleep 600", ""), ask("web-1", "cat", "two")];
    state.purpose = Purpose::Change;
    let answers = state.run_all(requests).await.expect("no trap");
    let said = |at: usize| answers[at].as_ref().map(|outcome| String::from_utf8_lossy(&outcome.stdout).into_owned());
    assert_eq!((said(0).expect("it ran"), said(3).expect("it ran")), ("one".to_owned(), "two".to_owned()));
    assert!(matches!(&answers[1], Err(Error::Unreachable(why)) if why.contains("another key")), "{:?}", answers[1]);
    assert!(matches!(answers[2], Err(Error::Timeout)), "{:?}", answers[2]);
    assert!(state.told.is_empty() && state.transcript.sent());
    let uses = state.transcript.take_uses();
    assert!(uses.traced[0].told.starts_with("2 failed"), "{:?}", uses.traced);
}

#[tokio::test]
async fn of_many_of_which_one_is_refused_none_runs() {
    let server = Server::start().await;
    let mut state = server.state("host", "user");
    let answers = state.run_all(vec![request("echo a"), request("reboot")]).await.expect("no trap");
    assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Refused(_)))) && answers.len() == 2, "{answers:?}");
    assert!(!state.transcript.sent());
    let many = state.run_all((0..129).map(|_| request("true")).collect()).await.expect("no trap");
    assert!(many.len() == 129 && matches!(&many[0], Err(Error::Invalid(why)) if why.contains("129")), "{:?}", many[0]);
}

#[tokio::test]
async fn a_file_arrives_in_pieces_and_goes_on_where_it_stopped() {
    let server = Server::start().await;
    let mut state = server.state("host", "user");
    let place = server.folder.path().join("srv/new folder/web");
    let piece = |offset: u64, timeout_ms: u32| Piece {
        host: "web-1".to_owned(),
        path: place.to_str().expect("text").to_owned(),
        source: Named { digest: "sha256:ours".to_owned(), path: "bin/web".to_owned() },
        offset,
        timeout_ms,
    };
    // Too little time for anything: nothing was sent, and that is no error.
    let none = state.send_all(vec![piece(0, 10)]).await.expect("no trap");
    assert!(matches!(none[..], [Ok(0)]) && !place.exists(), "{none:?}");
    std::fs::create_dir_all(place.parent().expect("a folder")).expect("made");
    std::fs::write(&place, vec![b'x'; 1_000]).expect("written");
    let wrong = state.send_all(vec![piece(7, 8_000)]).await.expect("no trap");
    assert!(matches!(&wrong[..], [Err(Error::Broken(why))] if why.contains("1000 bytes there, not 7")), "{wrong:?}");
    let rest = state.send_all(vec![piece(1_000, 8_000)]).await.expect("no trap");
    assert!(matches!(rest[..], [Ok(SIZE)]), "{rest:?}");
    assert_eq!(std::fs::read(&place).expect("it is there"), vec![b'x'; usize::try_from(SIZE).expect("small")]);
    let outside = Piece { path: "/etc/cron.d/x".to_owned(), ..piece(0, 8_000) };
    let refused = state.send_all(vec![piece(0, 8_000), outside]).await.expect("no trap");
    assert!(refused.iter().all(|answer| matches!(answer, Err(Error::Refused(_)))), "{refused:?}");
}

#[tokio::test]
async fn a_command_that_takes_too_long_has_an_unknown_outcome() {
    let server = Server::start().await;
    let mut state = server.state("host", "user");
    let answer = run(&mut state, Request { timeout_ms: 2_000, ..request("sleep 600") }).await;
    assert!(matches!(answer, Err(Error::Timeout)) && state.transcript.sent(), "{answer:?}");
}

#[tokio::test]
async fn a_file_is_put_whole_and_only_where_it_may_be() {
    let server = Server::start().await;
    let mut state = server.state("host", "user");
    let srv = server.folder.path().join("srv");
    std::fs::create_dir(&srv).expect("a folder");
    let upload = |path: &Path, content| Upload {
        host: "web-1".to_owned(),
        path: path.to_str().expect("text").to_owned(),
        content,
        mode: 0o755,
        timeout_ms: 9_000,
    };
    let place = srv.join("it's web");
    let from_store = Content::Artifact(Named { digest: "sha256:ours".to_owned(), path: "bin/web".to_owned() });
    state.put(upload(&place, from_store)).await.expect("no trap").expect("put");
    let found = std::fs::metadata(&place).expect("it is there");
    assert_eq!((found.len(), found.permissions().mode() & 0o777), (SIZE, 0o755));
    state.put(upload(&place, Content::Bytes(b"small".to_vec()))).await.expect("no trap").expect("put");
    assert_eq!(std::fs::read(&place).expect("it is there"), b"small");
    let nowhere = state.put(upload(&srv.join("none/file"), Content::Bytes(Vec::new()))).await.expect("no trap");
    assert!(matches!(nowhere, Err(Error::Broken(_))), "{nowhere:?}");
    assert_eq!(std::fs::read_dir(&srv).expect("a folder").count(), 1, "nothing is left beside it");

    let other = Content::Artifact(Named { digest: "sha256:other".to_owned(), path: "bin/web".to_owned() });
    let refused = state.put(upload(&place, other)).await.expect("no trap");
    assert!(matches!(&refused, Err(Error::Refused(why)) if why.contains("sha256:ours")), "{refused:?}");
    let outside = state.put(upload(Path::new("/etc/cron.d/x"), Content::Bytes(Vec::new()))).await.expect("no trap");
    assert!(matches!(outside, Err(Error::Refused(_))), "{outside:?}");
    let up = state.put(upload(&srv.join("../x"), Content::Bytes(Vec::new()))).await.expect("no trap");
    assert!(matches!(up, Err(Error::Invalid(_))), "{up:?}");
}
