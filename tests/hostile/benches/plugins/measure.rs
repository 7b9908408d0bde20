//! Times in order, and the clock and the memory that a benchmark reads.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Bytes of a page, as the kernel counts resident memory on the machines that this runs on.
const PAGE_BYTES: u64 = 4_096;

/// Times that were measured.
#[derive(Clone, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn of(count: usize, mut work: impl FnMut()) -> Self {
        let timed = |_| {
            let begun = now();
            work();
            begun.elapsed()
        };
        Self((0..count).map(timed).collect())
    }

    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn at(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted[((sorted.len() - 1) as f64 * share) as usize]
    }

    #[expect(clippy::print_stdout, reason = "a benchmark's table is its output")]
    pub(crate) fn row(&self, name: &str, budget: &str) {
        let micros = |time: Duration| format!("{:.1} us", time.as_secs_f64() * 1e6);
        println!("{name:<52} {:>12} {:>12} {budget:>16}", micros(self.at(0.5)), micros(self.at(0.99)));
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "deadlines are absolute")]
pub(crate) fn deadline_ms(time: Duration) -> i64 {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + time;
    i64::try_from(deadline.as_millis()).expect("our age")
}

/// Returns the resident memory of this process.
pub(crate) fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("a process knows its memory");
    let pages: u64 = text.split(' ').nth(1).expect("the second number").parse().expect("a number");
    pages * PAGE_BYTES
}
