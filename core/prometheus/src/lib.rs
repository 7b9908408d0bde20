//! The words of the HTTP API of Prometheus, and of what answers like it: questions as requests, answers as numbers.
//!
//! No network and no clock: a plugin and a replay both send requests in their own way. What this room is not: it decides nothing
//! about a candidate, and knows no PromQL beyond the text that it passes on.
//!
//! In reading order: [`question`] is what is asked, [`answer`] reads what comes back and says what is wrong with it, and
//! [`series`] is what was found.
#![forbid(unsafe_code)]

pub mod answer;
pub mod question;
pub mod series;

pub use answer::{Answer, Limits, Unusable};
pub use question::{Question, Window};
pub use series::{Data, Labels, Point, Series};
