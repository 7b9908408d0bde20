//! The sandbox against components that misbehave, and the first-party plugins through the sandbox.

mod alerts;
mod aws;
mod bundled;
mod cache;
mod commands;
mod fixture;
mod grants;
mod http;
mod https;
mod journeys;
mod limits;
mod logs;
mod powers;
mod prometheus;
mod runtime;
mod versions;
