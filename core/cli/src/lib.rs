//! Arguments become one API call and a readable answer.
