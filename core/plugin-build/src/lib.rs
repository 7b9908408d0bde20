//! Builds a plugin crate into a component: core module by cargo, then wit-component in-process.
