//! The gRPC contract `towpath.v1` and its generated code.
//!
//! The contract itself, documented line by line, is in `towpath/v1/*.proto`.

/// The messages, clients and servers of `towpath.v1`.
#[expect(
    missing_docs,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "generated from the contract, which is documented; some generated helpers are not, are long, and have exceptions of their own"
)]
pub mod v1 {
    tonic::include_proto!("towpath.v1");
}

/// The contract as a file descriptor set, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/towpath.bin"));

/// The trailer that carries an `ErrorDetail`.
pub const ERROR_TRAILER: &str = "towpath-error-bin";

/// The largest message that either end takes, in bytes: a release with its evidence has to fit, a flood has not.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
