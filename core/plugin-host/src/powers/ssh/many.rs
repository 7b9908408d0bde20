//! Many hosts at once: each has its own connection and its own time, and what is asked of one host is done in its order.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::{Duration, Instant, timeout, timeout_at};

use super::grant::{self, SshHost, Wanted};
use super::guest::{self, CHUNK_BYTES, backend, ended_well, failed, permit, quoted, unreadable};
use super::session::{Running, Session};
use crate::call::CallState;
use crate::host::Shared;
use crate::powers::artifact;
use crate::powers::artifact::path::{is_inside, wrong};
use crate::transcript;
use crate::usage::Refusable as _;
use crate::v0_3::bindings::powers::towpath::plugin::ssh::{ArtifactFile, Error, Outcome, Piece, Request};

/// How much is asked at once at most: the answers are in memory together, and each may be as long as a command's output.
const ASKED_MAX: usize = 128;

/// Before the end of its time a piece ends by itself, so that the host can still say how much it has.
const ENDING: Duration = Duration::from_millis(750);

/// How many hosts are named in traces; the others are counted.
const NAMED_MAX: usize = 4;

/// One host's share: what is asked of it, each with its place among the answers.
struct Share<T> {
    host: SshHost,
    asked: Vec<(usize, T)>,
}

/// What a share is done with.
struct Means {
    host: Arc<Shared>,
    transcript: transcript::Shared,
    /// The end of the call.
    deadline: Instant,
}

/// Runs requests on their hosts. An error is a refusal: then none has run.
pub(super) async fn run(state: &mut CallState, requests: Vec<Request>) -> Result<Vec<Result<Outcome, Error>>, Error> {
    let allowed = allowed(&requests, |request| guest::may_run(state, request))?;
    let asked = requests.into_iter().zip(allowed).map(|(request, (host, reading))| (host, (request, reading)));
    let means = Means::of(state);
    let shares = shares(asked).into_iter().map(|share| run_share(&means, share));
    Ok(in_order(join_all(shares).await))
}

/// Sends pieces to their hosts. An error is a refusal: then none was sent.
pub(super) async fn send(state: &mut CallState, pieces: Vec<Piece>) -> Result<Vec<Result<u64, Error>>, Error> {
    let allowed = allowed(&pieces, |piece| may_send(state, piece))?;
    let asked = allowed.into_iter().zip(pieces);
    let means = Means::of(state);
    let shares = shares(asked).into_iter().map(|share| send_share(&means, share));
    Ok(in_order(join_all(shares).await))
}

/// Returns who is asked, for a trace.
pub(super) fn named<'a>(hosts: impl Iterator<Item = &'a str>, what: &str) -> String {
    let mut hosts: Vec<_> = hosts.collect();
    hosts.dedup();
    let more = hosts.len().saturating_sub(NAMED_MAX);
    hosts.truncate(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    guest::named(&format!("{}{more}: {what}", hosts.join(", ")))
}

/// Says for the trace how many of the answers are errors, and the first of them.
pub(super) fn told<T>(
    state: &mut CallState,
    answers: Result<Vec<T>, Error>,
    error: impl Fn(&T) -> Option<&Error>,
) -> Result<Vec<T>, Error> {
    let errors: Vec<_> = answers.iter().flatten().filter_map(error).collect();
    if let Some(first) = errors.first() {
        state.told = format!("{} failed, the first: {}", errors.len(), first.sentence());
    }
    answers
}

impl Means {
    fn of(state: &CallState) -> Self {
        Self { host: Arc::clone(&state.host), transcript: Arc::clone(&state.transcript), deadline: state.deadline }
    }

    /// Returns when something must be over that begins now and may take so long.
    fn until(&self, timeout_ms: u32) -> Instant {
        (Instant::now() + Duration::from_millis(u64::from(timeout_ms))).min(self.deadline)
    }
}

/// Returns what each is allowed to use. Nothing has begun when one is refused.
fn allowed<T, A>(asked: &[T], allow: impl Fn(&T) -> Result<A, Error>) -> Result<Vec<A>, Error> {
    match asked.len() <= ASKED_MAX {
        true => asked.iter().map(allow).collect(),
        false => Err(Error::Invalid(format!("{} hosts and commands are asked at once, at most {ASKED_MAX} may be", asked.len()))),
    }
}

fn may_send(state: &CallState, piece: &Piece) -> Result<SshHost, Error> {
    guest::is_absolute(&piece.path)?;
    if !is_inside(&piece.source.path) {
        return Err(Error::Invalid(wrong(&piece.source.path)));
    }
    let (host, _) = grant::check(state, &piece.host, &Wanted::Put(&piece.path)).map_err(Error::Refused)?;
    artifact::grant::check(state, &piece.source.digest).map_err(Error::Refused)?;
    Ok(host)
}

/// Returns what is asked of each host.
fn shares<T>(asked: impl Iterator<Item = (SshHost, T)>) -> Vec<Share<T>> {
    let mut shares = BTreeMap::<String, Share<T>>::new();
    for (place, (host, work)) in asked.enumerate() {
        let share = shares.entry(host.name.clone()).or_insert_with(|| Share { host, asked: Vec::new() });
        share.asked.push((place, work));
    }
    shares.into_values().collect()
}

/// Returns the answers of all hosts in the order of what was asked.
fn in_order<R>(answers: Vec<Vec<(usize, R)>>) -> Vec<R> {
    let mut answers: Vec<_> = answers.into_iter().flatten().collect();
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Runs one host's requests over one connection. After one that has no outcome, the others do not run.
async fn run_share(means: &Means, share: Share<(Request, bool)>) -> Vec<(usize, Result<Outcome, Error>)> {
    let Share { host, asked } = share;
    let mut session = None;
    let mut answers = Vec::with_capacity(asked.len());
    let _permit = permit(&means.host).await;
    for (place, (request, reading)) in asked {
        let begun = Instant::now();
        let work = async {
            let session = opened(&mut session, &host).await?;
            let note = || {
                if !reading {
                    means.transcript.note_sent();
                }
            };
            let running = session.begin(&request.command, note).await.map_err(failed)?;
            running.end(request.stdin).await.map_err(failed)
        };
        let ended = match failure(&answers) {
            Some(error) => Err(after(error)),
            None => timeout_at(means.until(request.timeout_ms), work).await.unwrap_or(Err(Error::Timeout)),
        };
        answers.push((place, ended.map(|ended| guest::outcome(ended, begun))));
    }
    answers
}

/// Sends one host's pieces over one connection.
async fn send_share(means: &Means, share: Share<Piece>) -> Vec<(usize, Result<u64, Error>)> {
    let Share { host, asked } = share;
    let mut session = None;
    let mut answers = Vec::with_capacity(asked.len());
    let _permit = permit(&means.host).await;
    for (place, piece) in asked {
        let until = means.until(piece.timeout_ms);
        let answer = match failure(&answers) {
            Some(error) => Err(after(error)),
            None if until.saturating_duration_since(Instant::now()) <= ENDING => Ok(piece.offset),
            None => {
                let work = send_piece(means, &mut session, &host, &piece, until - ENDING);
                timeout_at(until, work).await.unwrap_or(Err(Error::Timeout))
            }
        };
        answers.push((place, answer));
    }
    answers
}

async fn send_piece(
    means: &Means,
    session: &mut Option<Session>,
    host: &SshHost,
    piece: &Piece,
    stop: Instant,
) -> Result<u64, Error> {
    let session = opened(session, host).await?;
    let running = session.begin(&continuing(piece), || means.transcript.note_sent()).await.map_err(failed)?;
    let sent = stream(means, &running, piece, stop).await;
    let ended = running.end(Vec::new()).await.map_err(failed)?;
    // What the host says of its trouble is nearer to the cause than a write that found nobody.
    ended_well(&ended)?;
    sent?;
    let text = String::from_utf8_lossy(&ended.stdout);
    let count = text.trim().parse().ok();
    count.ok_or_else(|| Error::Broken(format!("the host counts {:?} bytes", guest::named(text.trim()))))
}

/// Writes the rest of a file, as far as the time goes.
async fn stream(means: &Means, running: &Running, piece: &Piece, stop: Instant) -> Result<(), Error> {
    let ArtifactFile { digest, path } = &piece.source;
    let store = backend(&means.host)?;
    let mut offset = piece.offset;
    loop {
        let part = store.read(digest, path, offset, CHUNK_BYTES).await.map_err(|fault| unreadable(&fault))?;
        if part.is_empty() {
            return Ok(());
        }
        offset += part.len() as u64;
        match timeout(stop.saturating_duration_since(Instant::now()), running.write(part)).await {
            Ok(written) => written.map_err(failed)?,
            // The host counts what came.
            Err(_) => return Ok(()),
        }
    }
}

/// Returns the command line that appends its standard input to a file of exactly this length, and says how long it is then.
fn continuing(piece: &Piece) -> String {
    let folder = piece.path.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder });
    let (folder, file, offset) = (quoted(folder), quoted(&piece.path), piece.offset);
    format!(
        "umask 077 && mkdir -p {folder} && {{ [ -e {file} ] || : > {file}; }} && found=$(wc -c < {file}) && \
         {{ [ \"$found\" -eq {offset} ] || {{ echo \"it has $found bytes there, not {offset}\" >&2; exit 1; }}; }} && \
         cat >> {file} && wc -c < {file}"
    )
}

async fn opened<'a>(session: &'a mut Option<Session>, host: &SshHost) -> Result<&'a Session, Error> {
    if session.is_none() {
        *session = Some(Session::open(host).await.map_err(Error::Unreachable)?);
    }
    session.as_ref().ok_or_else(|| Error::Unreachable("there is no connection".to_owned()))
}

fn failure<T>(answers: &[(usize, Result<T, Error>)]) -> Option<&Error> {
    answers.iter().find_map(|(_, answer)| answer.as_ref().err())
}

/// Returns why something was not even begun: what came before it on the same host did not end.
fn after(error: &Error) -> Error {
    Error::Unreachable(format!("nothing ran after what came before it: {}", error.sentence()))
}
