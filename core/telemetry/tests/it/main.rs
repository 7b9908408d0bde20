//! The room from outside: any order of points, hostile input, and telemetry as others send it.

mod chance;
mod clients;
mod hostile;
mod messages;
mod order;
mod rig;
mod wire;
