//! `clock`: the time, and waits that never pass the call's deadline.

pub(crate) mod grant;
mod guest;
#[cfg(test)]
mod tests;
