//! Brent's root finder with the stopping rule of R's `uniroot`, residue and all: Kayenta's numbers are its numbers.
//!
//! R. P. Brent, Algorithms for Minimization without Derivatives, chapter 4 (1973). Our own tests use exact selection ([`crate::rank`]).

/// How near to the root R stops by default; Kayenta keeps it for whatever scale a metric has.
const TOLERANCE: f64 = 1e-4;

/// After so many steps Kayenta returns what it has, without a word.
const STEPS_MAX: usize = 1_000;

/// Returns a place between `low` and `high` where `f` is about zero. The ends must have different signs, or be zero.
pub(super) fn root(f: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    let (mut before, mut best) = ((low, f(low)), (high, f(high)));
    if before.1 == 0.0 {
        return before.0;
    }
    let mut other = before;
    for _ in 0..=STEPS_MAX {
        let last_step = best.0 - before.0;
        if other.1.abs() < best.1.abs() {
            (before, best, other) = (best, other, best);
        }
        let near = 2.0 * f64::EPSILON * best.0.abs() + TOLERANCE / 2.0;
        let half = (other.0 - best.0) / 2.0;
        if half.abs() <= near || best.1 == 0.0 {
            return best.0;
        }
        let mut step = half;
        if last_step.abs() >= near
            && before.1.abs() > best.1.abs()
            && let Some(guess) = interpolated(before, best, other, near, last_step)
        {
            step = guess;
        }
        if step.abs() < near {
            step = near.copysign(step);
        }
        before = best;
        best.0 += step;
        best.1 = f(best.0);
        if (best.1 > 0.0) == (other.1 > 0.0) && best.1 != 0.0 && other.1 != 0.0 {
            other = before;
        }
    }
    best.0
}

/// Returns the step to where a line through two points, or an inverse parabola through three, crosses zero, if it leads well inside.
fn interpolated(before: (f64, f64), best: (f64, f64), other: (f64, f64), near: f64, last_step: f64) -> Option<f64> {
    let width = other.0 - best.0;
    let ratio = best.1 / before.1;
    let (mut p, mut q) = if before.0 == other.0 {
        (width * ratio, 1.0 - ratio)
    } else {
        let (q, to_other) = (before.1 / other.1, best.1 / other.1);
        let p = ratio * (width * q * (q - to_other) - (best.0 - before.0) * (to_other - 1.0));
        (p, (q - 1.0) * (to_other - 1.0) * (ratio - 1.0))
    };
    if p > 0.0 {
        q = -q;
    } else {
        p = -p;
    }
    (p < 0.75 * width * q - (near * q).abs() / 2.0 && p < (last_step * q / 2.0).abs()).then(|| p / q)
}
