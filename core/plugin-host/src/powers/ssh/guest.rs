//! What the guest may call.

use std::sync::Arc;

use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::grant::{self, SshHost, Wanted};
use super::many;
use super::session::{Ended, Failed, Running, Session};
use crate::call::CallState;
use crate::host::Shared;
use crate::powers::artifact::path::{is_inside, wrong};
use crate::powers::artifact::{self, ArtifactFault};
use crate::usage::Refusable;
use crate::v0_3::bindings::powers::towpath::plugin::ssh::{ArtifactFile, Content, Error, Host, Outcome, Piece, Request, Upload};

/// How much of a host's name or a command line is named in traces, in characters.
const NAMED_CHARS_MAX: usize = 200;

/// How much of an artifact's file is in memory at once, in bytes.
pub(super) const CHUNK_BYTES: u32 = 256 << 10;

/// How much of what a host says of its trouble is told, in characters.
const SAID_CHARS_MAX: usize = 300;

/// The permission bits that may be set.
const MODE_MASK: u32 = 0o777;

impl Host for CallState {
    async fn run(&mut self, request: Request) -> wasmtime::Result<Result<Outcome, Error>> {
        // The first word alone: the others may carry what is nobody's business.
        let first = request.command.split(' ').next().unwrap_or_default();
        let what = named(&format!("{}: {first}", request.host));
        self.using("ssh", what, async |state| {
            let ended = run(state, request).await;
            if let Ok(outcome) = &ended {
                state.told = format!("exit code {}", outcome.exit_code);
            }
            Ok(ended)
        })
        .await
    }

    async fn put(&mut self, upload: Upload) -> wasmtime::Result<Result<(), Error>> {
        let what = named(&format!("{}: put {}", upload.host, upload.path));
        self.using("ssh", what, async |state| Ok(put(state, upload).await)).await
    }

    async fn run_all(&mut self, requests: Vec<Request>) -> wasmtime::Result<Vec<Result<Outcome, Error>>> {
        let (asked, what) = (requests.len(), many::named(requests.iter().map(|request| request.host.as_str()), "run"));
        let answered = self.using("ssh", what, async |state| {
            let answers = many::run(state, requests).await;
            Ok(many::told(state, answers, |answer| answer.as_ref().err()))
        });
        Ok(answered.await?.unwrap_or_else(|error| vec![Err(error); asked]))
    }

    async fn send_all(&mut self, pieces: Vec<Piece>) -> wasmtime::Result<Vec<Result<u64, Error>>> {
        let (asked, what) = (pieces.len(), many::named(pieces.iter().map(|piece| piece.host.as_str()), "send"));
        let answered = self.using("ssh", what, async |state| {
            let answers = many::send(state, pieces).await;
            Ok(many::told(state, answers, |answer| answer.as_ref().err()))
        });
        Ok(answered.await?.unwrap_or_else(|error| vec![Err(error); asked]))
    }
}

/// Returns the host that a request is for, and whether it only reads.
pub(super) fn may_run(state: &CallState, request: &Request) -> Result<(SshHost, bool), Error> {
    if request.command.is_empty() || request.command.contains('\0') {
        return Err(Error::Invalid("a command line is not empty and has no zero byte".to_owned()));
    }
    grant::check(state, &request.host, &Wanted::Run(&request.command)).map_err(Error::Refused)
}

async fn run(state: &mut CallState, request: Request) -> Result<Outcome, Error> {
    let begun = Instant::now();
    let (host, reading) = may_run(state, &request)?;
    let (ours, transcript) = (Arc::clone(&state.host), Arc::clone(&state.transcript));
    let note = || {
        if !reading {
            transcript.note_sent();
        }
    };
    let work = async {
        let _permit = permit(&ours).await?;
        let session = Session::open(&host).await.map_err(Error::Unreachable)?;
        let running = session.begin(&request.command, note).await.map_err(failed)?;
        running.end(request.stdin).await.map_err(failed)
    };
    let ended = tokio::time::timeout(state.time_left(request.timeout_ms), work).await.unwrap_or(Err(Error::Timeout))?;
    Ok(outcome(ended, begun))
}

pub(super) fn outcome(ended: Ended, begun: Instant) -> Outcome {
    let Ended { exit_code, stdout, stderr, cut } = ended;
    let elapsed_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
    Outcome { exit_code, stdout, stderr, cut, elapsed_ms }
}

async fn put(state: &mut CallState, upload: Upload) -> Result<(), Error> {
    let Upload { host, path, content, mode, timeout_ms } = upload;
    is_absolute(&path)?;
    if mode & !MODE_MASK != 0 {
        return Err(Error::Invalid(format!("the mode {mode:#o} has more than permission bits")));
    }
    let (host, _) = grant::check(state, &host, &Wanted::Put(&path)).map_err(Error::Refused)?;
    if let Content::Artifact(file) = &content {
        artifact::grant::check(state, &file.digest).map_err(Error::Refused)?;
    }
    let (ours, transcript) = (Arc::clone(&state.host), Arc::clone(&state.transcript));
    let work = async {
        let _permit = permit(&ours).await?;
        let size = size(&ours, &content).await?;
        let session = Session::open(&host).await.map_err(Error::Unreachable)?;
        let running = session.begin(&putting(&path, size, mode)?, || transcript.note_sent()).await.map_err(failed)?;
        send(&ours, &running, content, size).await?;
        ended_well(&running.end(Vec::new()).await.map_err(failed)?)
    };
    tokio::time::timeout(state.time_left(timeout_ms), work).await.unwrap_or(Err(Error::Timeout))
}

pub(super) fn is_absolute(path: &str) -> Result<(), Error> {
    match is_inside(path.strip_prefix('/').unwrap_or_default()) {
        true => Ok(()),
        false => Err(Error::Invalid(format!("an absolute path is wanted, and {}", wrong(path)))),
    }
}

pub(super) async fn permit(host: &Shared) -> Result<SemaphorePermit<'_>, Error> {
    host.commands.acquire().await.map_err(|error| Error::Unreachable(error.to_string()))
}

/// Returns how many bytes there are to put.
pub(super) async fn size(host: &Shared, content: &Content) -> Result<u64, Error> {
    let ArtifactFile { digest, path } = match content {
        Content::Bytes(bytes) => return Ok(bytes.len() as u64),
        Content::Artifact(file) => file,
    };
    if !is_inside(path) {
        return Err(Error::Invalid(wrong(path)));
    }
    let files = backend(host)?.files(digest).await.map_err(|fault| unreadable(&fault))?;
    let found = files.iter().find(|file| file.path == *path);
    found.map(|file| file.size).ok_or_else(|| Error::Invalid(format!("the artifact has no file {path:?}")))
}

/// Writes the file to what takes it.
async fn send(host: &Shared, running: &Running, content: Content, size: u64) -> Result<(), Error> {
    let ArtifactFile { digest, path } = match content {
        Content::Bytes(bytes) => return running.write(bytes).await.map_err(failed),
        Content::Artifact(file) => file,
    };
    let backend = backend(host)?;
    let mut sent = 0;
    while sent < size {
        let part = backend.read(&digest, &path, sent, CHUNK_BYTES).await.map_err(|fault| unreadable(&fault))?;
        if part.is_empty() {
            return Err(Error::Broken(format!("file {path:?} ended after {sent} of {size} bytes")));
        }
        sent += part.len() as u64;
        running.write(part).await.map_err(failed)?;
    }
    Ok(())
}

pub(super) fn ended_well(ended: &Ended) -> Result<(), Error> {
    match ended.exit_code {
        0 => Ok(()),
        code => {
            let said: String = String::from_utf8_lossy(&ended.stderr).chars().take(SAID_CHARS_MAX).collect();
            Err(Error::Broken(format!("the host could not put the file: exit code {code}, {}", said.trim())))
        }
    }
}

/// Returns the command line that takes a file from its standard input: beside its place, counted, then moved there whole.
fn putting(path: &str, size: u64, mode: u32) -> Result<String, Error> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| Error::Unreachable(format!("this machine has no randomness: {error}")))?;
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    // A name may be as long as the system allows; what is beside it must not be longer.
    let name: String = name.chars().take(50).collect();
    let (beside, place) = (quoted(&format!("{folder}/.{name}.{}", hex::encode(random))), quoted(path));
    Ok(format!(
        "umask 077 && cat > {beside} && [ \"$(wc -c < {beside})\" -eq {size} ] && chmod {mode:o} {beside} && \
         [ ! -d {place} ] && mv -f {beside} {place} || {{ rm -f {beside}; exit 1; }}"
    ))
}

pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

pub(super) fn backend(host: &Shared) -> Result<Arc<dyn artifact::ArtifactBackend>, Error> {
    host.artifacts.clone().ok_or_else(|| Error::Invalid("this server has no store of artifacts".to_owned()))
}

pub(super) fn unreadable(fault: &ArtifactFault) -> Error {
    Error::Invalid(format!("the artifact cannot be read: {fault}"))
}

pub(super) fn named(text: &str) -> String {
    text.chars().take(NAMED_CHARS_MAX).collect()
}

pub(super) fn failed(failed: Failed) -> Error {
    match failed {
        Failed::Unreachable(why) => Error::Unreachable(why),
        Failed::Broken(why) => Error::Broken(why),
    }
}

impl Refusable for Error {
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    fn sentence(&self) -> String {
        match self {
            Self::Refused(why) | Self::Invalid(why) | Self::Unreachable(why) | Self::Broken(why) => why.clone(),
            Self::Timeout => "the host did not end in time".to_owned(),
        }
    }
}
