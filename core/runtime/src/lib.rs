//! The local runtime: supervises service processes and routes HTTP in front of them.
