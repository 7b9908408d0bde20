//! What the guest may call.

use std::sync::Arc;
use std::time::Duration;

use super::grant::{self, Denied};
use super::run::{Failed, Work, run};
use crate::call::CallState;
use crate::powers::artifact::path::{is_inside, wrong};
use crate::usage::Refusable;
use crate::v0_3::bindings::powers::towpath::plugin::command::{Error, Host, Outcome, Request};

/// How much of a program's name is named in traces, in characters.
const NAMED_CHARS_MAX: usize = 100;

impl Host for CallState {
    async fn run(&mut self, request: Request) -> wasmtime::Result<Result<Outcome, Error>> {
        // Arguments may carry what is nobody's business; their number does not.
        let name: String = request.program.chars().take(NAMED_CHARS_MAX).collect();
        let what = format!("{name} with {} arguments", request.arguments.len());
        self.using("command", what, async |state| {
            let ended = checked_run(state, request).await;
            if let Ok(outcome) = &ended {
                state.told = format!("exit code {}", outcome.exit_code);
            }
            Ok(ended)
        })
        .await
    }
}

async fn checked_run(state: &mut CallState, request: Request) -> Result<Outcome, Error> {
    let rule = grant::check(state, &request.program, &request.arguments).map_err(|denied| match denied {
        Denied::Refused(sentence) => Error::Refused(sentence),
        Denied::Invalid(why) => Error::Invalid(why),
    })?;
    let paths = request.files.iter().map(|file| &file.path).chain(&request.collect);
    if let Some(path) = paths.into_iter().find(|path| !is_inside(path)) {
        return Err(Error::Invalid(wrong(path)));
    }
    let patience = state.time_left(request.timeout_ms).min(Duration::from_millis(u64::from(rule.timeout_ms)));
    let (host, transcript) = (Arc::clone(&state.host), Arc::clone(&state.transcript));
    let reading = rule.reading;
    let before_it_starts = || {
        if !reading {
            transcript.note_sent();
        }
    };
    let work = Work {
        rule,
        extra: request.arguments,
        stdin: request.stdin,
        files: request.files,
        collect: request.collect,
        bytes_max: host.limits.output_bytes,
    };
    let work = async {
        let _permit = host.commands.acquire().await.map_err(|error| Failed::Unavailable(error.to_string()))?;
        run(work, before_it_starts).await
    };
    match tokio::time::timeout(patience, work).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(Failed::Invalid(why))) => Err(Error::Invalid(why)),
        Ok(Err(Failed::Unavailable(why))) => Err(Error::Unavailable(why)),
        Err(_) => Err(Error::Timeout),
    }
}

impl Refusable for Error {
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    fn sentence(&self) -> String {
        match self {
            Self::Refused(why) | Self::Invalid(why) | Self::Unavailable(why) => why.clone(),
            Self::Timeout => "the program did not end in time and was killed".to_owned(),
        }
    }
}
