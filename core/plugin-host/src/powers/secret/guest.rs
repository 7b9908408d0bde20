//! What the guest may call.

use std::sync::Arc;

use super::grant;
use crate::call::CallState;
use crate::secrets;
use crate::usage::Refusable;
use crate::v0_3::bindings::powers::towpath::plugin::secret::{Error, Host};

/// How much of a name is named in traces, in characters.
const NAMED_CHARS_MAX: usize = 100;

impl Host for CallState {
    async fn reveal(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
        let what = name.chars().take(NAMED_CHARS_MAX).collect();
        self.using("secret", what, async |state| {
            let from = match grant::check(state, &name) {
                Ok(from) => from,
                Err(sentence) => return Ok(Err(Error::Refused(sentence))),
            };
            let host = Arc::clone(&state.host);
            let found = secrets::read(&host, &from).await;
            if let Ok(secret) = &found {
                state.transcript.revealed.note(&name, secret.reveal());
            }
            Ok(found.map(|secret| secret.reveal().to_owned()).map_err(Error::Unavailable))
        })
        .await
    }
}

impl Refusable for Error {
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    fn sentence(&self) -> String {
        match self {
            Self::Refused(why) | Self::Unavailable(why) => why.clone(),
        }
    }
}
