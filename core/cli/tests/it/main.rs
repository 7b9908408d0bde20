//! The commands against a server that says what each test needs, and their words as golden files.

mod commands;
mod fake;
mod help;
mod plugins;
mod watching;
