//! The service as whoever runs it sees it: a process with an environment, an address and signals.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a test waits for anything before it fails.
const DEADLINE: Duration = Duration::from_secs(60);

struct Service {
    child: Child,
    address: String,
}

impl Service {
    fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_with_errors_to(Stdio::inherit(), variables)
    }

    fn start_with_errors_to(errors: Stdio, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hello-service"));
        command.env_clear().env("PORT", "0").envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once(' ').unwrap().1.to_owned();
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// Asks once and returns the status and the body.
    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = self.connect();
        ask(&mut stream, path);
        read(stream)
    }

    fn stop(mut self) -> ExitStatus {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(stream: &mut TcpStream, path: &str) {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: hello\r\nconnection: close\r\n\r\n").unwrap();
}

/// Waits until the service took what was sent out of its end of the connection, as the kernel sees it (proc(5), /proc/net/tcp).
#[expect(clippy::disallowed_methods, reason = "a test that waits needs a deadline")]
fn wait_until_read(stream: &TcpStream) {
    let ours = format!(":{:04X}", stream.local_addr().unwrap().port());
    let deadline = Instant::now() + DEADLINE;
    let was_read = || {
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let fields = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut theirs = fields.filter(|fields| fields[2].ends_with(&ours));
        theirs.any(|fields| fields[4].ends_with(":00000000"))
    };
    while !was_read() {
        assert!(Instant::now() < deadline, "the request was never read");
        std::thread::yield_now();
    }
}

fn read(mut stream: TcpStream) -> (u16, String) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[test]
fn it_says_its_version_and_that_it_is_ready() {
    let service = Service::start(&[("VERSION", "v1")]);
    assert_eq!(service.get("/"), (200, "{\"version\":\"v1\"}".to_owned()));
    assert_eq!(service.get("/healthz"), (200, "{\"ready\":true}".to_owned()));
    assert_eq!(service.get("/nothing").0, 404);
}

#[test]
fn it_fails_as_often_as_it_is_told() {
    let service = Service::start(&[("ERROR_RATE", "0.25"), ("FAIL_AFTER_REQUESTS", "8")]);
    let statuses: Vec<u16> = (0..10).map(|_| service.get("/").0).collect();
    assert_eq!(statuses, [200, 200, 200, 500, 200, 200, 200, 500, 500, 500]);
}

#[test]
fn it_is_not_ready_before_its_time() {
    let service = Service::start(&[("READY_AFTER_MS", "600000")]);
    assert_eq!(service.get("/healthz").0, 503);
    assert_eq!(service.get("/").0, 200);
}

#[test]
fn it_crashes_when_it_is_told() {
    let mut service = Service::start(&[("CRASH_AFTER_MS", "1")]);
    assert_eq!(service.child.wait().unwrap().code(), Some(1));
}

#[test]
fn it_finishes_what_it_began_when_it_is_asked_to_stop() {
    let service = Service::start(&[("VERSION", "v1"), ("DELAY_MS", "300")]);
    let mut stream = service.connect();
    ask(&mut stream, "/");
    wait_until_read(&stream);
    let answered = std::thread::spawn(move || read(stream));
    let status = service.stop();
    assert_eq!(answered.join().unwrap().0, 200);
    assert!(status.success(), "{status}");
}

#[test]
fn it_sends_events_for_as_long_as_somebody_listens() {
    let service = Service::start(&[]);
    let mut stream = service.connect();
    ask(&mut stream, "/events");
    let lines = BufReader::new(stream).lines().map(Result::unwrap);
    let events: Vec<_> = lines.filter(|line| line.starts_with("data: ")).take(3).collect();
    assert_eq!(events, ["data: 0", "data: 1", "data: 2"]);
}

#[test]
fn it_says_what_it_answered_and_probes_are_none_of_it() {
    let service = Service::start(&[("ERROR_RATE", "0.5")]);
    let silent = service.get("/metrics").1;
    assert!(silent.ends_with("http_request_duration_seconds_count 0\n") && !silent.contains("code="), "{silent}");
    for path in ["/", "/", "/", "/nothing", "/healthz"] {
        service.get(path);
    }
    let (status, text) = service.get("/metrics");
    assert_eq!(status, 200);
    let codes: Vec<&str> = text.lines().filter(|line| line.starts_with("http_requests_total{")).collect();
    let expect = [("200", 2), ("404", 1), ("500", 1)].map(|(code, n)| format!("http_requests_total{{code=\"{code}\"}} {n}"));
    assert_eq!(codes, expect, "{text}");
    assert!(text.contains("\nhttp_request_duration_seconds_count 4\n"), "{text}");
}

#[test]
fn it_writes_a_line_for_each_failure_when_it_is_told() {
    let lines = |variables: &[(&str, &str)]| {
        let mut service =
            Service::start_with_errors_to(Stdio::piped(), &[&[("VERSION", "v3"), ("ERROR_RATE", "0.5")], variables].concat());
        let mut err = service.child.stderr.take().unwrap();
        (0..4).for_each(|_| drop(service.get("/")));
        assert!(service.stop().success());
        let mut said = String::new();
        err.read_to_string(&mut said).unwrap();
        said
    };
    assert_eq!(lines(&[]), "");
    let line = |number: u32| format!("level=error version=v3 request={number} msg=\"told to fail\"\n");
    assert_eq!(lines(&[("LOG_ERRORS", "true")]), line(1) + &line(3));
}

#[test]
fn a_wrong_knob_is_a_sentence() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hello-service"));
    let ended = command.env_clear().env("ERROR_RATE", "often").output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let error = String::from_utf8(ended.stderr).unwrap();
    assert!(error.starts_with("error: ERROR_RATE is \"often\": invalid float literal; expected 0 to 1"), "{error}");
}
