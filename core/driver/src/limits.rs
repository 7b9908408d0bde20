//! The driver's limits, each with its reason.

use model::Millis;

/// The longest a target or an action may take for one call: calls are short, what takes time is spread over many.
pub(crate) const RECONCILE: Millis = Millis::seconds(10);

/// The longest one look may take: a look that hangs must not delay the verdict by more than a few intervals.
pub(crate) const LOOK: Millis = Millis::seconds(10);

/// The longest a gate may take.
pub(crate) const GATE: Millis = Millis::seconds(30);

/// The longest that a request which left the host may still have an effect on a target that cannot fence; waited out before
/// anything that conflicts with it.
pub(crate) const FLIGHT: Millis = Millis::seconds(15);

/// The longest message of a plugin that is kept for people, in characters. It goes into the journal for ever.
pub(crate) const MESSAGE_CHARS_MAX: usize = 500;

/// Lines of one call that go into the server's log: what is more than a screen is read by nobody while it happens.
pub(crate) const LOGGED_LINES_MAX: usize = 20;

/// The same of the numbers that a plugin records beside its answer.
pub(crate) const LOGGED_MEASUREMENTS_MAX: usize = 20;

/// Measurements kept of one answer.
pub(crate) const MEASUREMENTS_MAX: usize = 64;

/// The largest state that a plugin may have carried to its next call, in bytes. It goes into the journal with every look.
pub(crate) const STATE_BYTES_MAX: usize = 64 * 1024;
