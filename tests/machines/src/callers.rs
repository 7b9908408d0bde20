//! Callers who count what they are answered.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The time between two requests of a caller, where nothing else is said.
const PACE: Duration = Duration::from_millis(2);

/// How the reason begins under which a request that failed is counted.
pub const FAILED: &str = "failed: ";

/// What a caller says, before the cookies that it keeps.
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: web\r\n";

/// Callers that keep calling, each on a connection of its own that is kept.
pub struct Callers {
    stop: Arc<AtomicBool>,
    answers: Arc<Mutex<BTreeMap<String, u64>>>,
    paths: Arc<Mutex<Vec<Vec<String>>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Callers {
    /// Starts so many, who keep no cookie.
    pub fn start(address: SocketAddr, count: usize) -> Self {
        Self::start_each(address, count, false, PACE)
    }

    /// The same with a pause of their own between two requests.
    pub fn start_paced(address: SocketAddr, count: usize, pace: Duration) -> Self {
        Self::start_each(address, count, false, pace)
    }

    /// Starts so many, each of whom keeps the cookie that it is given.
    pub fn start_with_cookies(address: SocketAddr, count: usize) -> Self {
        Self::start_each(address, count, true, PACE)
    }

    fn start_each(address: SocketAddr, count: usize, keeps_cookies: bool, pace: Duration) -> Self {
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeMap::new())));
        let paths = Arc::new(Mutex::new(vec![Vec::new(); count]));
        let thread = |number: usize| {
            let (stop, answers, paths) = (Arc::clone(&stop), Arc::clone(&answers), Arc::clone(&paths));
            std::thread::spawn(move || {
                let mut caller = Caller { connection: None, cookie: None, keeps_cookies };
                while !stop.load(Ordering::Relaxed) {
                    let answer = caller.call(address).unwrap_or_else(|why| format!("{FAILED}{why}"));
                    let path: &mut Vec<_> = &mut paths.lock().expect("nobody panics with it")[number];
                    if path.last() != Some(&answer) {
                        path.push(answer.clone());
                    }
                    *answers.lock().expect("nobody panics with it").entry(answer).or_default() += 1;
                    std::thread::sleep(pace); // tidy: the callers' pace
                }
            })
        };
        let threads = (0..count).map(thread).collect();
        Self { stop, answers, paths, threads }
    }

    /// Returns for each caller which versions have answered it, one after the other; what failed stands there with its reason.
    ///
    /// # Panics
    ///
    /// When a caller has panicked.
    pub fn paths(&self) -> Vec<Vec<String>> {
        self.paths.lock().expect("nobody panics with it").clone()
    }

    /// Returns how many requests each version has answered so far; what failed is counted under its reason.
    ///
    /// # Panics
    ///
    /// When a caller has panicked.
    pub fn answers(&self) -> BTreeMap<String, u64> {
        self.answers.lock().expect("nobody panics with it").clone()
    }

    /// Stops, and returns the same.
    ///
    /// # Panics
    ///
    /// When a caller has panicked.
    pub fn stop(self) -> BTreeMap<String, u64> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("it ends");
        }
        self.answers.lock().expect("nobody panics with it").clone()
    }
}

/// Returns whether a caller is answered there.
pub fn answers(address: SocketAddr) -> bool {
    Caller { connection: None, cookie: None, keeps_cookies: false }.call(address).is_ok()
}

/// Makes one request with another line in its head, and returns all that is answered.
///
/// # Panics
///
/// When nobody answers.
pub fn get(address: SocketAddr, path: &str, line: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n{line}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

/// One caller.
struct Caller {
    connection: Option<TcpStream>,
    /// Name and value.
    cookie: Option<String>,
    keeps_cookies: bool,
}

impl Caller {
    /// Makes one request and returns the version that answered.
    fn call(&mut self, address: SocketAddr) -> Result<String, String> {
        let stream = match self.connection.take() {
            Some(stream) => Ok(stream),
            None => TcpStream::connect(address),
        };
        let mut stream = stream.map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
        let cookie = self.cookie.as_ref().map_or_else(String::new, |cookie| format!("Cookie: {cookie}\r\n"));
        stream.write_all(format!("{REQUEST}{cookie}\r\n").as_bytes()).map_err(|error| error.to_string())?;
        let (mut answer, mut chunk) = (Vec::new(), [0_u8; 1024]);
        let (head, body) = loop {
            let read = stream.read(&mut chunk).map_err(|error| error.to_string())?;
            if read == 0 {
                return Err(format!("the connection ended after {} bytes", answer.len()));
            }
            answer.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&answer);
            match text.split_once("\r\n\r\n") {
                // A balancer that answers by itself says why.
                Some((head, body)) if !head.starts_with("HTTP/1.1 200") => {
                    return Err(format!("{}: {body}", head.lines().next().unwrap_or_default()));
                }
                Some((head, body)) if body.ends_with('}') => break (head.to_owned(), body.to_owned()),
                Some(_) | None => {}
            }
        };
        self.connection = Some(stream);
        if self.keeps_cookies {
            self.keep_cookie(&head);
        }
        let body: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        Ok(body["version"].as_str().unwrap_or("unknown").to_owned())
    }

    fn keep_cookie(&mut self, head: &str) {
        let is_given = |line: &&str| line.to_ascii_lowercase().starts_with("set-cookie:");
        if let Some(given) = head.lines().find(is_given).and_then(|line| line.split_once(':')) {
            let cookie = given.1.split(';').next().unwrap_or_default().trim();
            self.cookie = (!cookie.ends_with('=')).then(|| cookie.to_owned());
        }
    }
}
