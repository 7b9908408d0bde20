//! What a verdict costs.

use std::hint::black_box;
use std::time::{Duration, Instant};

use verdict::kayenta::Classifier;
use verdict::monitor::{Design, Metric, Monitor, Observation, Policy, Role};
use verdict::sample::Counts;
use verdict::sequential::{ExceedanceDesign, SharesDesign};
use verdict::{counts, rank};

use crate::chance::Chance;

/// Returns the least of five times.
fn least(mut work: impl FnMut()) -> Duration {
    (0..5)
        .map(|_| {
            #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn metric(design: Design) -> Vec<Metric> {
    vec![Metric { name: "it".to_owned(), group: "all".to_owned(), weight: 1.0, role: Role::Counts, design }]
}

/// Returns the table.
pub(crate) fn table() -> String {
    let chance = &mut Chance::new(1);
    let mut sample = |count: usize| (0..count).map(|_| chance.normal()).collect::<Vec<f64>>();
    let (x, y) = (sample(10_000), sample(10_000));
    let (few_x, few_y) = (sample(600), sample(600));
    let big = |events| Counts { events, trials: 1_000_000 };
    let rows = [
        ("rank test with exact shift and interval, 10,000 × 10,000 points", least(|| _ = black_box(rank::compare(&x, &y, 0.98)))),
        ("the mode `kayenta`, 10,000 × 10,000 points", least(|| _ = black_box(Classifier::default().classify(&x, &y)))),
        ("the mode `kayenta`, 600 × 600 points", least(|| _ = black_box(Classifier::default().classify(&few_x, &few_y)))),
        (
            "Fisher's test, 1,900 events of 2,000,000 requests",
            least(|| _ = black_box(counts::compare_shares(big(900), big(1_000), 0.95))),
        ),
        ("one look at times in one block of 10,000 × 10,000 requests, four thresholds and ranks", {
            least(|| {
                let design = Design::Exceedance(ExceedanceDesign::from_baseline(&y, &ExceedanceDesign::QUANTILES));
                let mut monitor = Monitor::new(Policy::default(), metric(design)).expect("a good policy");
                monitor.observe("it", &Observation::Values { candidate: &x, stable: &y }).expect("values");
                black_box(monitor.look(1_000));
            })
        }),
        ("1,000 looks at errors, each a block of 10 and 90 requests", {
            least(|| {
                let mut monitor =
                    Monitor::new(Policy::default(), metric(Design::Shares(SharesDesign::default()))).expect("a good policy");
                for second in 0..1_000 {
                    let of = |trials| Counts { events: u64::from(second % 20 == 0), trials };
                    monitor.observe("it", &Observation::Counts { candidate: of(10), stable: of(90) }).expect("counts");
                    black_box(monitor.look(second));
                }
            })
        }),
    ];
    let mut text = "| Work | least of five times |\n|---|---|\n".to_owned();
    for (name, time) in rows {
        text.push_str(&format!("| {name} | {:.2} ms |\n", time.as_secs_f64() * 1_000.0));
    }
    text
}
