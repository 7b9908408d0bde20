//! Asking hosts, all of them at once.

use towpath_sdk::powers::clock;
use towpath_sdk::powers::ssh::{self, Error, Request};
use towpath_sdk::target::Call;

use crate::script::{Said, Script};
use crate::settings::Settings;

/// How many are asked in one use of the power; the host's limit.
const ASKED_MAX: usize = 120;

/// How many bytes of scripts go through the sandbox's wall at once.
const BYTES_MAX: usize = 2 << 20;

/// What of a call's time is kept for what comes after the hosts have answered, in milliseconds.
const KEPT_MS: i64 = 400;

/// How long a host may take to answer a script in haste, in milliseconds: a few round trips, and a small part of a call.
const HASTE_MS: u32 = 2_000;

/// Why a host did not say anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing ran there.
    Unreachable(String),
    /// What ran there until then is not known.
    Unknown(String),
    /// It was not allowed, or cannot be asked.
    Refused(String),
}

/// What a host said, or why it said nothing.
pub(crate) type Answer = Result<Said, Trouble>;

/// Returns how much time the call has left, in milliseconds.
pub(crate) fn left_ms(call: &Call<Settings>) -> u32 {
    let left = call.context.deadline_ms.saturating_sub(clock::now_ms()).saturating_sub(KEPT_MS);
    u32::try_from(left.max(0)).unwrap_or(u32::MAX)
}

/// Sends each host its script, and returns what each said, in the same order.
pub(crate) fn all(call: &Call<Settings>, scripts: &[(String, Script)]) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(scripts.len());
    let mut rest = scripts;
    while !rest.is_empty() {
        let (mut bytes, mut count) = (0, 0);
        let mut requests = Vec::new();
        for (host, script) in rest.iter().take(ASKED_MAX) {
            let stdin = script.bytes();
            if count > 0 && bytes + stdin.len() > BYTES_MAX {
                break;
            }
            (bytes, count) = (bytes + stdin.len(), count + 1);
            let most_ms = if script.is_hasty { HASTE_MS } else { u32::MAX };
            let timeout_ms = call.settings.timeout_ms.min(left_ms(call)).min(most_ms);
            requests.push(Request { host: host.clone(), command: script.command(&call.settings), stdin, timeout_ms });
        }
        let said = ssh::run_all(&requests);
        answers.extend(said.into_iter().map(|said| said.as_ref().map(Said::read).map_err(trouble)));
        rest = &rest[count..];
    }
    answers
}

fn trouble(error: &Error) -> Trouble {
    let sentence = error.sentence();
    match error {
        Error::Unreachable(_) => Trouble::Unreachable(sentence),
        Error::Timeout | Error::Broken(_) => Trouble::Unknown(sentence),
        Error::Refused(_) | Error::Invalid(_) => Trouble::Refused(sentence),
    }
}

impl Trouble {
    pub(crate) fn sentence(&self) -> &str {
        match self {
            Self::Unreachable(why) | Self::Unknown(why) | Self::Refused(why) => why,
        }
    }
}
