//! Every limit of this room in one place, each with its reason.

use std::time::Duration;

/// The most services that one runtime carries. It is made for one machine; each costs a port and a task.
pub const SCOPES_MAX: usize = 256;

/// The most instances of one group. More processes than this on one machine do not make a service faster.
pub const INSTANCES_PER_GROUP_MAX: u16 = 64;

/// The most words in a command, and the most variables in its environment.
pub const COMMAND_WORDS_MAX: usize = 256;

/// The most bytes in one word of a command or one variable: far below the system's own limit of 128 KiB.
pub const WORD_BYTES_MAX: usize = 32 << 10;

/// The most match rules of one service. They are looked at one after the other, for every request.
pub const MATCHES_MAX: usize = 64;

/// The longest drain or stop time-out that may be asked for: an hour. Longer ones are mistakes in the unit.
pub const TIMEOUT_MS_MAX: u64 = 3_600_000;

/// The shortest probe interval. Below it, probing is load.
pub const PROBE_INTERVAL_MS_MIN: u64 = 10;

/// The most successes in a row that readiness may ask for.
pub const PROBE_SUCCESSES_MAX: u32 = 100;

/// How often a starting instance is probed at least, so that a long interval does not delay the start.
pub const STARTING_PROBE_INTERVAL: Duration = Duration::from_millis(100);

/// How many probes in a row must fail before a ready instance is taken out of routing. One lost probe says little.
pub const UNREADY_AFTER_FAILURES: u32 = 3;

/// The largest body of a control request: a desired state with the largest allowed environment is far smaller in practice.
pub const CONTROL_BODY_BYTES_MAX: usize = 1 << 20;

/// How long a control request may take, from accepting to answering. Storing a state on a slow disk takes seconds at worst.
pub const CONTROL_TIMEOUT: Duration = Duration::from_secs(30);

/// The most control connections at once: the engine, a few people and tests.
pub const CONTROL_CONNECTIONS_MAX: usize = 64;

/// The longest path of a Unix socket, in bytes, without the closing zero: the system's own limit on Linux.
pub const SOCKET_PATH_BYTES_MAX: usize = 107;

/// The most connections to one public port at once. Each costs a file handle here and up to one more to an instance.
pub const CONNECTIONS_MAX: usize = 10_000;

/// The largest request head, in bytes. Proxies commonly allow 8 to 64 KiB.
pub const REQUEST_HEAD_BYTES_MAX: usize = 64 << 10;

/// How long a connection may take to send a request head, which includes resting between requests.
pub const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(75);

/// How long connecting to an instance may take. It is on this machine: more than a moment means that it hangs.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long an idle connection to an instance is kept. Many servers close theirs after 5 s; using one just then loses the request.
pub const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// How many idle connections are kept per instance; above it they cost more memory than a connect on this machine saves time.
pub const POOL_IDLE_MAX: usize = 256;

/// How many readings of the routing table a request may take while instances are being drained under its hands.
pub const PICK_ATTEMPTS_MAX: usize = 8;

/// The largest request body that is mirrored; a larger one is forwarded and not copied.
pub const MIRROR_BODY_BYTES_MAX: usize = 64 << 10;

/// The most mirrored requests in flight per service; more are not copied, so that a slow candidate costs nothing.
pub const MIRROR_IN_FLIGHT_MAX: usize = 64;

/// How long a mirrored request may take before it is given up.
pub const MIRROR_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer to a probe or a mirrored request that is read to its end to keep the connection.
pub const DISCARDED_BODY_BYTES_MAX: usize = 64 << 10;

/// The pause before the first restart of a crashed instance; it doubles with every further crash.
pub const RESTART_DELAY_FIRST: Duration = Duration::from_millis(200);

/// The longest pause between restarts.
pub const RESTART_DELAY_MAX: Duration = Duration::from_secs(30);

/// How long an instance must have run before its next crash counts as a first one.
pub const STABLE_RUN: Duration = Duration::from_secs(60);

/// How long leftovers of an earlier run get to stop by themselves before they are killed.
pub const LEFTOVER_STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest log line, in bytes; a longer one is split.
pub const LOG_LINE_BYTES_MAX: usize = 8 << 10;

/// The size at which a log file is rotated; one older file is kept.
pub const LOG_FILE_BYTES_MAX: u64 = 4 << 20;

/// The most log lines that one answer carries.
pub const LOG_LINES_MAX: usize = 1000;

/// How many log lines are answered when nobody says.
pub const LOG_LINES_DEFAULT: usize = 100;

/// How many releases' log folders are kept per service.
pub const LOG_FOLDERS_MAX: usize = 20;

/// How many releases' counters are kept per service, so that a release that comes back goes on counting.
pub const COUNTERS_KEPT_MAX: usize = 16;

/// How long the counters of a release are shown to who scrapes after the last of it went: five times the minute that lies between two
/// scrapes where nobody says otherwise, so that its last requests are not missed.
pub const DEPARTED_SHOWN: Duration = Duration::from_secs(300);

/// The most releases of a service whose counters are shown to who scrapes: both sides, and those that a run of quick deployments left.
pub const RELEASES_SHOWN_MAX: usize = 8;

/// The largest answer to who scrapes: all services with their usual two releases are a fifth of it.
pub const METRICS_BYTES_MAX: usize = 16 << 20;

/// How long an answer to who scrapes may take to be put together; it waits for services that are storing a state.
pub const METRICS_TIMEOUT: Duration = Duration::from_secs(10);

/// The most connections at once of those who scrape. A Prometheus keeps two.
pub const METRICS_CONNECTIONS_MAX: usize = 32;

/// The largest head of a request for metrics, in bytes: no more than a few parameters are asked for.
pub const METRICS_HEAD_BYTES_MAX: usize = 16 << 10;

/// How often a public port that could not be bound after a restart is tried again.
pub const LISTEN_RETRY: Duration = Duration::from_secs(1);

/// The pause after a failed accept: out of file handles, trying at once only burns the processor.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
