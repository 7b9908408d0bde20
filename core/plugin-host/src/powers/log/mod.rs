//! `log`: lines for the operator. Bounded by count and length; what is too much is cut and counted.

pub(crate) mod grant;
mod guest;
#[cfg(test)]
mod tests;
