//! Checks of the source tree that speak to the author.
