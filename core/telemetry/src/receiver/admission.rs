//! Who may send: whoever shows the token, and whoever is on this machine where there is none; and which web pages.

use http::HeaderMap;
use http::header::{AUTHORIZATION, ORIGIN};
use sha2::{Digest, Sha256};

use crate::limits::ORIGINS_MAX;

/// Who may send telemetry. Of a token only its hash is kept.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    token: Option<[u8; 32]>,
    origins: Vec<String>,
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It shows no token, or a wrong one.
    Token,
    /// It comes from a web page that the operator did not name.
    Origin,
}

impl Refused {
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Token => "telemetry is taken with the header \"authorization: Bearer TOKEN\" and the server's token for it",
            Self::Origin => "telemetry of web pages is taken from origins that the operator named",
        }
    }
}

impl Admission {
    /// Takes everybody who reaches the listener: only where that is this machine alone.
    pub fn anybody() -> Self {
        Self::default()
    }

    /// Takes who shows this token.
    pub fn token(token: &str) -> Self {
        Self { token: Some(Sha256::digest(token.as_bytes()).into()), origins: Vec::new() }
    }

    /// Takes web pages of these origins as well ("https://shop.example"), or says which of them is none.
    pub fn with_origins(self, origins: Vec<String>) -> Result<Self, String> {
        if origins.len() > ORIGINS_MAX {
            return Err(format!("{} origins, at most {ORIGINS_MAX}", origins.len()));
        }
        // The form in which browsers send it: scheme and host, no path.
        let is_origin = |origin: &String| {
            let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b)))
        };
        match origins.iter().find(|origin| !is_origin(origin)) {
            Some(wrong) => Err(format!("{wrong:?} is no origin: expected a scheme and a host, like \"https://shop.example\"")),
            None => Ok(Self { origins, ..self }),
        }
    }

    /// Returns whether a token is asked for.
    pub fn asks_for_token(&self) -> bool {
        self.token.is_some()
    }

    /// Says whether a request is taken.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Refused> {
        if headers.contains_key(ORIGIN) && self.origin(headers).is_none() {
            return Err(Refused::Origin);
        }
        let Some(known) = &self.token else { return Ok(()) };
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refused::Token)?;
        let shown: [u8; 32] = Sha256::digest(shown.as_bytes()).into();
        if equal(known, &shown) { Ok(()) } else { Err(Refused::Token) }
    }

    /// Returns the origin of the web page that sends, if the operator named it.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Option<&str> {
        let origin = headers.get(ORIGIN)?.to_str().ok()?;
        self.origins.iter().map(String::as_str).find(|known| *known == origin)
    }
}

/// Compares in a time that does not depend on where the two differ.
fn equal(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(http::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_the_right_token_is_taken() {
        let admission = Admission::token("secret");
        let shown = |value| admission.check(&headers(&[(AUTHORIZATION, value)]));
        assert_eq!(shown("Bearer secret"), Ok(()));
        for wrong in ["", "secret", "Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "Basic secret"] {
            assert_eq!(shown(wrong), Err(Refused::Token), "{wrong:?}");
        }
        assert_eq!(admission.check(&HeaderMap::new()), Err(Refused::Token));
        assert_eq!(Admission::anybody().check(&HeaderMap::new()), Ok(()));
        assert!(!format!("{admission:?}").contains("secret"));
    }

    #[test]
    fn web_pages_are_taken_from_named_origins() {
        let shop = "https://shop.example";
        let admission = Admission::anybody().with_origins(vec![shop.to_owned()]).unwrap();
        assert_eq!(admission.check(&headers(&[(ORIGIN, shop)])), Ok(()));
        for wrong in ["https://shop.example.evil", "http://shop.example", "null", "https://shop.example/"] {
            assert_eq!(admission.check(&headers(&[(ORIGIN, wrong)])), Err(Refused::Origin), "{wrong}");
        }
        assert_eq!(Admission::anybody().check(&headers(&[(ORIGIN, shop)])), Err(Refused::Origin));
    }

    #[test]
    fn what_is_no_origin_is_told() {
        for wrong in ["*", "shop.example", "https://", "https://shop.example/path", "https://a b"] {
            let said = Admission::anybody().with_origins(vec![wrong.to_owned()]).unwrap_err();
            assert!(said.contains("is no origin"), "{said}");
        }
        assert!(Admission::anybody().with_origins(vec!["http://a".to_owned(); 33]).is_err());
    }
}
