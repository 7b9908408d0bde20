//! `random`: bytes that nobody can foresee. Plugins have no other source: the sandbox gives none.

pub(crate) mod grant;
mod guest;
#[cfg(test)]
mod tests;
