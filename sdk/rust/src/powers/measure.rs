//! Numbers for the operator, beside those in the answer.

/// Records a number.
pub fn record(name: &str, value: f64, unit: &str) {
    ask!(measure::record_value => measure(name, value, unit));
}
