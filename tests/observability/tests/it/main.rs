//! The servers as a test meets them.

mod alertmanager;
mod loki;
mod prometheus;
