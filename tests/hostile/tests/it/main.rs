//! Components that try what a plugin must not: each ends in one clear error on its own call, and the next call of another plugin is well.

mod answers;
mod boundary;
mod fixture;
mod gates;
mod load;
mod loops;
mod memory;
mod mutations;
mod neighbours;
mod network;
mod states;
mod wasi;
