//! Typed values of measurements: a value and its limit have one unit, or it does not compile.
//!
//! ```
//! use towpath_sdk::Measurement;
//! use towpath_sdk::units::{Milliseconds, Ratio};
//!
//! let errors = Measurement::of("error-rate", Ratio(0.02)).with_limit(Ratio(0.01)).measurement();
//! assert_eq!((errors.value, errors.unit.as_str(), errors.limit), (0.02, "ratio", Some(0.01)));
//! # let _ = Milliseconds(3.0);
//! ```
//!
//! ```compile_fail
//! use towpath_sdk::Measurement;
//! use towpath_sdk::units::{Milliseconds, Ratio};
//!
//! let errors = Measurement::of("error-rate", Ratio(0.02)).with_limit(Milliseconds(10.0));
//! ```

use crate::{Measurement, Side};

/// A unit that everybody knows.
pub trait Unit: Copy {
    /// How it is written in a measurement.
    const NAME: &'static str;

    /// Returns the bare number.
    fn value(self) -> f64;
}

/// A share, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Ratio(pub f64);

/// A time.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Milliseconds(pub f64);

/// A number of things.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Count(pub f64);

impl Unit for Ratio {
    const NAME: &'static str = "ratio";

    fn value(self) -> f64 {
        self.0
    }
}

impl Unit for Milliseconds {
    const NAME: &'static str = "ms";

    fn value(self) -> f64 {
        self.0
    }
}

impl Unit for Count {
    const NAME: &'static str = "1";

    fn value(self) -> f64 {
        self.0
    }
}

/// A measurement whose unit is known to the compiler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured<'a, U> {
    name: &'a str,
    value: U,
    side: Option<Side>,
    limit: Option<U>,
}

impl Measurement {
    /// Returns a measurement whose unit is known to the compiler.
    pub fn of<U: Unit>(name: &str, value: U) -> Measured<'_, U> {
        Measured { name, value, side: None, limit: None }
    }
}

impl<U: Unit> Measured<'_, U> {
    /// Returns the measurement with the limit it is held against.
    #[must_use]
    pub fn with_limit(mut self, limit: U) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Returns the measurement as taken on a side.
    #[must_use]
    pub fn on(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    /// Returns it in the words of the contract.
    pub fn measurement(self) -> Measurement {
        let Self { name, value, side, limit } = self;
        Measurement { side, limit: limit.map(U::value), ..Measurement::new(name, value.value(), U::NAME) }
    }
}
