//! One call of a plugin in a file: what is asked, under which grants; and what came of it. JSON, camelCase, unknown fields refused.
//!
//! The form of a call (everything but `call` may be left out):
//!
//! ```json
//! {
//!   "call": "assess",
//!   "context": { "service": "web", "environment": "test", "operationKey": "d-1/step/1", "fence": 1, "timeoutMs": 10000 },
//!   "settings": { "path": "/healthz" },
//!   "grants": { "http": { "subjects": true } },
//!   "subjects": { "candidate": { "release": "v2", "endpoint": "127.0.0.1:8080" } }
//! }
//! ```
//!
//! A target is asked `describe`, `observe`, `reconcile` or `preview`, the last two with `desired`; a gate `evaluate` with `evidence`; a
//! health check `assess` with `subjects` and `window`. Bytes are `{"text": "…"}`, `{"hex": "…"}` or `{"file": "…"}`, a file beside the call's own.

pub(crate) mod answer;
mod bytes;
mod desired;
mod question;

pub use answer::{Said, SaidMeasurement};
pub use bytes::Bytes;
pub use desired::{DesiredForm, SideForm, TrafficForm};
pub use question::{CallForm, ContextForm, EvidenceForm, Question, SubjectForm, SubjectsForm, WindowForm};
