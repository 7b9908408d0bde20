//! The tests of the statistics, each against a stated source or a count.

mod alarms;
mod chance;
mod kayenta;
mod monitor;
mod one_look;
mod properties;
mod vectors;
