//! `measure`: numbers for the operator, beside those in the answer. Bounded by count; what is not a finite number is dropped.

pub(crate) mod grant;
mod guest;
#[cfg(test)]
mod tests;
