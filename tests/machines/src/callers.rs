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

/// What a caller says.
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: web\r\n\r\n";

/// Callers that keep calling, each on a connection of its own that is kept.
pub struct Callers {
    stop: Arc<AtomicBool>,
    answers: Arc<Mutex<BTreeMap<String, u64>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Callers {
    /// Starts so many.
    pub fn start(address: SocketAddr, count: usize) -> Self {
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeMap::new())));
        let thread = || {
            let (stop, answers) = (Arc::clone(&stop), Arc::clone(&answers));
            std::thread::spawn(move || {
                let mut connection = None;
                while !stop.load(Ordering::Relaxed) {
                    let answer = call(address, &mut connection).unwrap_or_else(|why| format!("failed: {why}"));
                    *answers.lock().expect("nobody panics with it").entry(answer).or_default() += 1;
                    std::thread::sleep(Duration::from_millis(2)); // tidy: the callers' pace
                }
            })
        };
        let threads = (0..count).map(|_| thread()).collect();
        Self { stop, answers, threads }
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
    call(address, &mut None).is_ok()
}

/// Makes one request and returns the version that answered.
fn call(address: SocketAddr, connection: &mut Option<TcpStream>) -> Result<String, String> {
    let stream = match connection.take() {
        Some(stream) => Ok(stream),
        None => TcpStream::connect(address),
    };
    let mut stream = stream.map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    stream.write_all(REQUEST).map_err(|error| error.to_string())?;
    let (mut answer, mut chunk) = (Vec::new(), [0_u8; 1024]);
    let body = loop {
        let read = stream.read(&mut chunk).map_err(|error| error.to_string())?;
        if read == 0 {
            return Err(format!("the connection ended after {} bytes", answer.len()));
        }
        answer.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&answer);
        match text.split_once("\r\n\r\n") {
            Some((head, _)) if !head.starts_with("HTTP/1.1 200") => {
                return Err(head.lines().next().unwrap_or_default().to_owned());
            }
            Some((_, body)) if body.ends_with('}') => break body.to_owned(),
            Some(_) | None => {}
        }
    };
    *connection = Some(stream);
    let body: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
    Ok(body["version"].as_str().unwrap_or("unknown").to_owned())
}
