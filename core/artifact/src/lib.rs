//! The content-addressed store of release folders: digest, import, verify.
