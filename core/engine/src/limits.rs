//! The engine's limits, each with its reason.

use std::time::Duration;

use model::Millis;

/// Deployments that are not over, per replica: the budget is 10 000 on two cores; twice that leaves room for a bad day.
pub const UNFINISHED_MAX: usize = 20_000;

/// Commands that wait for one deployment: people and timers send few; more is somebody's broken loop.
pub const INBOX_MAX: usize = 64;

/// Watchers per replica: each holds a folded state.
pub const WATCHERS_MAX: usize = 1_000;

/// Events read at once by a watcher.
pub const EVENTS_PER_READ: u32 = 256;

/// How many times one input is decided again because the journal moved: more means that somebody else writes all the time.
pub const DECIDE_AGAIN_MAX: u32 = 8;

/// How long a lease lasts: long enough for a slow commit, short enough that a take-over is not felt.
pub const LEASE_TTL: Millis = Millis::seconds(5);

/// How long before its end a lease is no longer trusted: a commit that started just before may take this long.
pub const LEASE_MARGIN: Duration = Duration::from_secs(2);

/// The pause before a failed append is tried again; disk space and connections come back in seconds, not in milliseconds.
pub const HOLD: Duration = Duration::from_millis(500);

/// How often it is told that something is still on hold.
pub const HOLD_SAID_EVERY: Duration = Duration::from_secs(60);

/// The first pause before a worker that broke is begun again; what broke it is often a moment's state.
pub const BROKEN_PAUSE_MIN: Duration = Duration::from_secs(1);

/// The longest such pause: a defect that is always there costs one try a minute.
pub const BROKEN_PAUSE_MAX: Duration = Duration::from_secs(60);

/// Deployments that are read at once when the engine starts: enough to hide a store's answering time.
pub const RECOVER_AT_ONCE: usize = 16;

/// How long a stop waits for appends in flight: a commit takes milliseconds, and whoever stops us may lose patience.
pub const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// How long the answer of another replica is waited for: longer than a shard is without owner when a replica dies.
pub const LETTER_PATIENCE: Duration = Duration::from_secs(15);

/// The oldest letter that is read. Whoever wrote it takes it back after [`LETTER_PATIENCE`], unless it died; the rest is what the
/// clocks of two servers may differ by.
pub const LETTER_AGE_MAX: Millis = Millis::seconds(60);

/// How long after its start a server first packs what is old: a start has better things to do.
pub const COMPACT_FIRST: Duration = Duration::from_secs(60);

/// How often it does so from then on: what is old is measured in days.
pub const COMPACT_EVERY: Duration = Duration::from_secs(60 * 60);

/// Deployments, and old answers, that are done away with in one transaction: some milliseconds, so that no append waits long.
pub const COMPACT_AT_ONCE: u32 = 16;

/// The pause between two of these.
pub const COMPACT_PAUSE: Duration = Duration::from_millis(20);

/// How long the answer to a request id is kept: nobody tries again after a week.
pub const ANSWERS_KEPT: Millis = Millis::hours(7 * 24);

/// How often a watcher looks by itself, in case the wake-up was lost.
pub const SWEEP: Duration = Duration::from_secs(1);

/// The longest single sleep of a timer: the wall clock may be set meanwhile, and nobody wants to oversleep by days.
pub const NAP_MAX: Duration = Duration::from_secs(30);
