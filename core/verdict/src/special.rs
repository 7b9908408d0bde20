//! The special functions that the tests are made of, and sums of logarithms. The functions themselves are statrs'.

use core::f64::consts::SQRT_2;

use statrs::function::{beta, erf, gamma};

/// Returns the probability that a standard normal value is at most `z`.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * erf::erfc(-z / SQRT_2)
}

/// Returns the value below which a standard normal value falls with probability `p`, for `p` in (0, 1).
///
/// The inverse is polished by one step of Newton's method, so that it and [`normal_cdf`] agree.
pub fn normal_quantile(p: f64) -> f64 {
    let start = -SQRT_2 * erf::erfc_inv(2.0 * p);
    let density = (-0.5 * start * start).exp() / (2.0 * core::f64::consts::PI).sqrt();
    if start.is_finite() && density > 1e-280 { start - (normal_cdf(start) - p) / density } else { start }
}

/// Returns ln B(a, b).
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    gamma::ln_gamma(a) + gamma::ln_gamma(b) - gamma::ln_gamma(a + b)
}

/// Returns the regularised incomplete beta function I_x(a, b), also at the ends where it is 0 or 1 by convention.
pub(crate) fn beta_share(a: f64, b: f64, x: f64) -> f64 {
    if a <= 0.0 {
        1.0
    } else if b <= 0.0 {
        0.0
    } else {
        beta::beta_reg(a, b, x.clamp(0.0, 1.0))
    }
}

/// Returns ln of `n` over `k`.
pub(crate) fn ln_choose(n: f64, k: f64) -> f64 {
    gamma::ln_gamma(n + 1.0) - gamma::ln_gamma(k + 1.0) - gamma::ln_gamma(n - k + 1.0)
}

/// Returns ln of the mean of the numbers whose logarithms are given; minus infinity for none.
pub(crate) fn ln_mean(logs: &[f64]) -> f64 {
    let greatest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !greatest.is_finite() {
        return greatest;
    }
    let sum: f64 = logs.iter().map(|log| (log - greatest).exp()).sum();
    greatest + (sum / logs.len() as f64).ln()
}

/// Returns the number with this logarithm, at most the greatest one that a file can hold.
pub(crate) fn coins(log: f64) -> f64 {
    log.min(700.0).exp()
}
