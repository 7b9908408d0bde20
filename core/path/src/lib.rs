//! Golden path and service files become a plan: parse, schema, constraints, compile; no I/O.
