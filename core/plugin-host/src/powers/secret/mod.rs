//! `secret`: secrets that the plugin itself must see.
//!
//! What the host can add by itself (credentials of requests, keys of ssh) needs none of this. A secret is read when it is asked for, from
//! a file, from the environment that the server was started with, or from AWS Secrets Manager; a rotated one is in force at once. What was shown is taken out of log, traces, answers and errors of the call.

pub(crate) mod grant;

mod guest;
#[cfg(test)]
mod tests;
