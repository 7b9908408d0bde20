//! The decisions: decide, apply, owed; the table of legal transitions; waiting reasons.
