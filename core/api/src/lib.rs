//! The gRPC services: proto to model and back, authentication; nothing clever.
