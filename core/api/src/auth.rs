//! Authentication: who calls. A bearer token is a person; what is not known is refused before any service sees it.

use model::Actor;
use sha2::{Digest, Sha256};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::error::ApiError;
use crate::limits;

/// The tokens that the server takes, and whom each one stands for. Only hashes are kept.
#[derive(Clone, Debug)]
pub struct Tokens {
    known: Vec<([u8; 32], Actor)>,
    anybody: Option<Actor>,
}

impl Tokens {
    /// Returns a table with one token.
    pub fn single(token: &str, actor: Actor) -> Self {
        Self { known: vec![(Sha256::digest(token.as_bytes()).into(), actor)], anybody: None }
    }

    /// Returns a table that takes every caller for `actor`, with or without a token. Only for a server that one person uses on
    /// one machine, and only when that person asked for it.
    pub fn anybody(actor: Actor) -> Self {
        Self { known: Vec::new(), anybody: Some(actor) }
    }

    /// Returns whom a token stands for.
    fn actor(&self, token: &str) -> Option<&Actor> {
        let given: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        self.known.iter().find(|(known, _)| equal(known, &given)).map(|(_, actor)| actor)
    }
}

/// Compares in a time that does not depend on where the two differ.
fn equal(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

impl Interceptor for Tokens {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let actor = match &self.anybody {
            Some(actor) => actor.clone(),
            None => {
                let header = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
                let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(ApiError::NoToken)?;
                self.actor(token).cloned().ok_or(ApiError::WrongToken)?
            }
        };
        let actor = Actor { from: origin(&request), ..actor };
        request.extensions_mut().insert(actor);
        Ok(request)
    }
}

/// Returns where a call comes from: its address, and the program that it says it is.
fn origin(request: &Request<()>) -> String {
    let address = request.remote_addr().map_or_else(|| "unknown".to_owned(), |address| address.ip().to_string());
    let program = request.metadata().get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match program {
        "" => address,
        // Whoever calls can write there what they like.
        program => format!("{address}, {}", program.chars().take(limits::PROGRAM_CHARS_MAX).collect::<String>()),
    }
}

/// Returns who called; refuses a request that went past the interceptor.
pub(crate) fn caller<T>(request: &Request<T>) -> Result<Actor, ApiError> {
    request.extensions().get::<Actor>().cloned().ok_or(ApiError::NoToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Actor {
        Actor { name: "user:ada".to_owned(), groups: Vec::new(), from: "unknown".to_owned() }
    }

    fn call(tokens: &Tokens, header: Option<&str>) -> Result<Actor, Status> {
        let mut request = Request::new(());
        if let Some(header) = header {
            request.metadata_mut().insert("authorization", header.parse().unwrap());
        }
        let request = tokens.clone().call(request)?;
        Ok(caller(&request).unwrap())
    }

    #[test]
    fn only_the_right_token_is_taken() {
        let tokens = Tokens::single("secret", ada());
        assert_eq!(call(&tokens, Some("Bearer secret")).unwrap(), ada());
        for wrong in
            [None, Some(""), Some("secret"), Some("Bearer"), Some("Bearer "), Some("Bearer secre"), Some("Bearer secrets")]
        {
            let status = call(&tokens, wrong).unwrap_err();
            assert_eq!(status.code(), tonic::Code::Unauthenticated, "{wrong:?}");
        }
    }

    #[test]
    fn anybody_is_taken_only_where_that_was_asked_for() {
        assert_eq!(call(&Tokens::anybody(ada()), None).unwrap(), ada());
    }
}
