//! Numbers for the operator, beside those in the answer.

/// Records a number.
#[cfg(target_arch = "wasm32")]
pub fn record(name: &str, value: f64, unit: &str) {
    crate::bindings::powers::towpath::plugin::measure::record_value(name, value, unit);
}

/// Records a number.
#[cfg(not(target_arch = "wasm32"))]
pub fn record(name: &str, value: f64, unit: &str) {
    crate::testing::with(|world| world.log("measure", &format!("{name} = {value} {unit}")));
}
