//! A double of Loki: not the program, which no machine for tests can have, but what its documentation says about the part that health
//! checks of logs need ("Loki HTTP API", "Log queries", "Metric queries", as of version 3).
//!
//! It takes `POST /loki/api/v1/push` (JSON, also compressed by gzip) and answers `GET` or `POST` of `/loki/api/v1/query_range` and
//! `/loki/api/v1/query`, and `GET /ready`. Of LogQL it knows stream selectors, line filters, `count_over_time`, `rate`,
//! `bytes_over_time` and `bytes_rate` with an offset, and one aggregation around these (`sum`, `min`, `max`, `avg`, `count`, with `by` or
//! `without`). Limits are Loki's defaults: 100 entries unless asked, 5,000 at most, 11,000 points in a series.
//!
//! What it is not: a proof that something works with Loki. What it does not know, it refuses with 501 and a sentence, so that no test
//! passes by an answer that was made up. It stores nothing, knows no tenants, and its sentences are its own.

mod answers;
mod evaluate;
mod parse;
mod query;
mod server;
mod store;

pub use server::{Fault, LokiDouble};
