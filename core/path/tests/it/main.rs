//! Tests of golden paths, from text to plan.
