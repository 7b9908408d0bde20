//! The gRPC contract towpath.v1 and its generated code.
