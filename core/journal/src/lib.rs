//! The record of what happened: store trait, versioned record forms, memory store, conformance suite.
