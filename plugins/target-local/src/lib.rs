//! A first-party plugin.
