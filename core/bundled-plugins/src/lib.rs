//! The first-party plugins as components, built with the same tool as everyone else's, carried as bytes.
