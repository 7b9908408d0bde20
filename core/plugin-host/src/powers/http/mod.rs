//! `http`: requests to the places that the operator allowed.
//!
//! The host owns the sending: it checks the place against the grant, resolves the name once and connects to the very address that it
//! checked, removes what a guest must not set, adds the credentials that the operator gave the place, and limits time and size: the rule's own limits where
//! it has some. It
//! follows as many redirects as it is told to, each checked as a request of its own: its place against the grant, its address when it
//! is resolved, its credentials those of its own place and never those of the place before. What the guest itself set for one place is not sent to
//! another, but for what it says of the wanted answer and of its body. A connection serves one request and dies with the call.
//!
//! The guest never sees a credential: it cannot set nor read the headers that carry one, no error and no trace holds one, and an answer
//! that repeats one is withheld.
//!
//! Bodies are given as they came: the host decompresses nothing, so a small answer stays small.

pub(crate) mod backend;
pub(crate) mod credentials;
pub(crate) mod grant;
pub(crate) mod place;
pub(crate) mod send;
pub(crate) mod tls;

mod address;
mod guest;
mod headers;
mod redirect;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_sending;
