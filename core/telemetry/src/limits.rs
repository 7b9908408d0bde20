//! Every limit of this room in one place, each with its reason.
//!
//! What all of them come to, with everything full: one scope was measured to take 46 MB (16 of windows, 8 of what waits and of last totals,
//! 2 of names, the rest what holds them together), and all scopes come to some 300 MB. Beside that the receiver takes 180 MB while as many
//! large requests come at once as may, and what is usual 48 MB.

use std::time::Duration;

/// How long a window is: the shortest interval at which exporters are commonly set to send.
pub const WINDOW_MS: i64 = 10_000;

/// How many windows are kept: one hour. A watch is shorter, and what is usual is learnt minute by minute.
pub const WINDOWS_KEPT: i64 = 360;

/// The most windows of one reading, as the contract of plugins says.
pub const READING_WINDOWS_MAX: usize = 400;

const _: () = assert!(WINDOWS_KEPT as usize <= READING_WINDOWS_MAX, "a reading of everything must fit");

/// How late a point may come, or how early, and still go to its own window. Exporters send at once, collectors gather for a second or
/// a few; a window is read this long after it has ended, so it delays every verdict.
pub const GRACE_MS: i64 = 10_000;

/// How long ago the sum of a first cumulative point may have begun for all of it to count: twice the interval at which exporters send
/// when nobody says otherwise. What began longer ago was mostly not measured lately.
pub const FIRST_SPAN_MS_MAX: i64 = 120_000;

/// The largest value: what is beyond measures nothing, and sums and squares of so large values stay finite.
pub const VALUE_MAX: f64 = 1e100;

/// The largest count of one point: whole numbers up to here have a floating-point form.
pub const COUNT_MAX: u64 = 1 << 53;

/// The most scopes. Towpath carries more deployments than that; those that send telemetry to one server share its memory.
pub const SCOPES_MAX: usize = 1_024;

/// The most series of one scope: twenty metrics with a hundred combinations of attributes. More are mostly identifiers in attributes.
pub const SERIES_PER_SCOPE_MAX: usize = 2_000;

/// The most series of all scopes.
pub const SERIES_MAX: usize = 32_000;

/// The most writers that are told apart in one scope, over all series: 200 instances with 40 series each.
pub const STREAMS_PER_SCOPE_MAX: usize = 8_000;

/// The most writers that are told apart in all scopes.
pub const STREAMS_MAX: usize = 64_000;

/// The most points of one writer and series that wait for their window: three a second. Exporters send one a second at the very most.
pub const WAITING_MAX: usize = 100;

/// The most bytes of names (metrics, releases, attributes and their values) of one scope: a thousand bytes for each series.
pub const NAME_BYTES_PER_SCOPE_MAX: usize = 2 << 20;

/// The most bytes of names of all scopes.
pub const NAME_BYTES_MAX: usize = 32 << 20;

/// The most numbers, of eight bytes each, in the windows of one scope. Above it the oldest windows go before their hour is over.
pub const KEPT_NUMBERS_PER_SCOPE_MAX: usize = 2 << 20;

/// The most numbers in the windows of all scopes.
pub const KEPT_NUMBERS_MAX: usize = 16 << 20;

/// The most numbers of one scope that wait for their window to end, or are the last totals of writers.
pub const HELD_NUMBERS_PER_SCOPE_MAX: usize = 1 << 20;

/// The most such numbers of all scopes.
pub const HELD_NUMBERS_MAX: usize = 8 << 20;

/// The longest name of a metric, in bytes: what OpenTelemetry allows.
pub const METRIC_BYTES_MAX: usize = 255;

/// The longest unit, in bytes: what OpenTelemetry allows.
pub const UNIT_BYTES_MAX: usize = 63;

/// The longest name of a release, in bytes: the same as of our own.
pub const RELEASE_BYTES_MAX: usize = 128;

/// The most attributes of a series: the conventions for HTTP and databases name about ten.
pub const ATTRIBUTES_MAX: usize = 16;

/// The longest name of an attribute, in bytes.
pub const ATTRIBUTE_BYTES_MAX: usize = 128;

/// The longest value of an attribute, in bytes: a route or the name of an exception.
pub const ATTRIBUTE_VALUE_BYTES_MAX: usize = 256;

/// The most bounds of a histogram: ten times as many as exporters use when nobody says otherwise.
pub const BOUNDS_MAX: usize = 200;

/// The finest scale at which an exponential histogram is kept: buckets 4.4 percent wide. A finer one is joined pair by pair.
pub const SCALE_KEPT_MAX: i32 = 4;

/// The scales that an exponential histogram may have: those that libraries use.
pub const SCALES: std::ops::RangeInclusive<i32> = -10..=20;

/// The most buckets of one sign that an exponential histogram keeps; above it pairs are joined. With both signs they fit into the bounds.
pub const BUCKETS_PER_SIGN_MAX: usize = 80;

const _: () = assert!(2 * (BUCKETS_PER_SIGN_MAX + 1) <= BOUNDS_MAX, "both signs must fit");

/// The most buckets of one sign that an exponential histogram may come with: libraries send 160.
pub const BUCKETS_SENT_MAX: usize = 1_000;

/// How many series that were turned away are told apart in one scope; above it their number is "at least".
pub const TURNED_AWAY_KNOWN_MAX: usize = 4_096;

/// How many different reasons an answer names; the others are only counted.
pub const REASONS_MAX: usize = 5;

/// How much of a foreign text a sentence quotes, in characters.
pub const QUOTED_CHARS_MAX: usize = 80;

/// The most filters of a question, and the most values of each: more than any metric has attributes that matter.
pub const FILTERS_MAX: usize = 16;
/// See [`FILTERS_MAX`].
pub const FILTER_VALUES_MAX: usize = 100;

/// The most metrics of a scope of which it is learnt what is usual. Each takes 24 kB.
pub const METRICS_LEARNT_PER_SCOPE_MAX: usize = 64;

/// The most metrics of all scopes of which it is learnt what is usual: 48 MB.
pub const METRICS_LEARNT_MAX: usize = 2_048;

/// After so many weeks, half of what was learnt in an hour of the week has faded: a month, so that a season is followed and a bad week is not.
pub const HALF_LIFE_WEEKS: f64 = 4.0;

/// How many days the means of are kept: the last seven, and the four weeks before that they are compared with, and today.
pub const DAYS_KEPT: i64 = 36;

/// How much of a day must have been measured for its mean to say something, in minutes.
pub const DAY_MINUTES_MIN: f64 = 60.0;

/// Of how many days of the week drift must be known.
pub const DRIFT_DAYS_MIN: usize = 5;

/// How many minutes without a value a rate is measured over: exporters that send every five minutes are served.
pub const RATE_GAP_MINUTES_MAX: i64 = 5;

/// How many minutes are learnt at once when nobody asked for a while. What was stable earlier is not known any more.
pub const CATCH_UP_MINUTES_MAX: i64 = 2;

/// The largest record of what is usual, in bytes: all hours of three aspects take 60 kB.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;

/// The largest request as sent and, compressed, as unpacked, in bytes: the default of gRPC. Collectors send batches of a few hundred kB.
pub const REQUEST_BYTES_MAX: usize = 4 << 20;

/// The largest request as JSON, in bytes: browsers send little, and JSON takes many times its size while it is read.
pub const REQUEST_JSON_BYTES_MAX: usize = 1 << 20;

/// The most memory that the parts of a request may take once they are read, in bytes: a batch of 8192 points with their attributes takes 6 MB.
/// Without it, four million bytes of empty points would take a gigabyte.
pub const REQUEST_PARTS_BYTES_MAX: usize = 16 << 20;

/// How deep values of attributes may lie in each other: libraries send flat ones.
pub const REQUEST_DEPTH_MAX: usize = 32;

/// The most requests that are read at once; more are asked to come again. Each takes up to twice the largest request while it is read; they
/// are understood one after the other.
pub const REQUESTS_MAX: usize = 16;

/// The most connections at once. Above it new ones wait to be accepted.
pub const CONNECTIONS_MAX: usize = 256;

/// The most calls that one connection may have open at a time: exporters have one.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 8;

/// The largest head of a request, in bytes.
pub const HEAD_BYTES_MAX: u32 = 16 << 10;

/// How long a request may take from its head to the last byte of its body: exporters give up after ten seconds as well.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may be open before its first request: an exporter that connects when it starts sends within a minute.
pub const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a connection may rest between requests.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// After how long a client that was asked to come again may do so, in seconds.
pub const RETRY_AFTER_SECONDS: u32 = 1;

/// The pause after a failed accept: out of file handles, trying at once only burns the processor.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The most origins of browsers that an operator may name.
pub const ORIGINS_MAX: usize = 32;
