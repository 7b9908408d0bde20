//! The words: everything that can be said about a deployment.
