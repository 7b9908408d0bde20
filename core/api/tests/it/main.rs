//! The services as a client meets them: over a socket, with a memory store and a world that does what it is told.

mod access;
mod bad_input;
mod catalog;
mod commands;
mod deployments;
mod measured;
mod plugin_holds;
mod plugins;
mod policies;
mod restore;
mod support;
mod watching;
