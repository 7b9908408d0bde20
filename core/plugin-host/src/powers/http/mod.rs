//! `http`: requests to the places that the operator allowed.
//!
//! The host owns the sending: it checks the place against the grant, resolves the name once and connects to the very address that it
//! checked, removes what a guest must not set, limits time and size, and follows no redirect: the guest sees it as an answer and may
//! ask again, and is checked again. A connection serves one request and dies with the call.

pub(crate) mod grant;
pub(crate) mod tls;

mod address;
mod guest;
mod headers;
mod place;
mod send;
#[cfg(test)]
mod tests;
