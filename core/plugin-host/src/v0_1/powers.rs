//! The powers as this version has them: each call is put into the words of the newest version, and answered there.

use wasmtime::component::{HasSelf, Linker};

use super::bindings::powers::Powers;
use super::bindings::powers::towpath::plugin as old;
use crate::call::CallState;
use crate::v0_3::bindings::powers::towpath::plugin as new;

/// Links them.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    Powers::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

impl old::log::Host for CallState {
    async fn line(&mut self, level: old::log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            old::log::Level::Debug => new::log::Level::Debug,
            old::log::Level::Info => new::log::Level::Info,
            old::log::Level::Warn => new::log::Level::Warn,
        };
        new::log::Host::line(self, level, message).await
    }
}

impl old::measure::Host for CallState {
    async fn record_value(&mut self, name: String, value: f64, unit: String) -> wasmtime::Result<()> {
        new::measure::Host::record_value(self, name, value, unit).await
    }
}

impl old::clock::Host for CallState {
    async fn now_ms(&mut self) -> wasmtime::Result<i64> {
        new::clock::Host::now_ms(self).await
    }

    async fn pause_ms(&mut self, duration: u32) -> wasmtime::Result<()> {
        new::clock::Host::pause_ms(self, duration).await
    }
}

impl old::http::Host for CallState {
    async fn fetch(&mut self, request: old::http::Request) -> wasmtime::Result<Result<old::http::Response, old::http::Error>> {
        let old::http::Request { method, url, headers, body, timeout_ms } = request;
        // Redirects were answers.
        let request = new::http::Request { method, url, headers, body, timeout_ms, redirects_max: 0 };
        let answer = new::http::Host::fetch(self, request).await?;
        Ok(answer.map(response).map_err(http_error))
    }
}

fn response(response: new::http::Response) -> old::http::Response {
    let new::http::Response { status, headers, body, elapsed_ms, .. } = response;
    old::http::Response { status, headers, body, elapsed_ms }
}

fn http_error(error: new::http::Error) -> old::http::Error {
    match error {
        new::http::Error::Refused(why) => old::http::Error::Refused(why),
        new::http::Error::Invalid(why) => old::http::Error::Invalid(why),
        new::http::Error::Unreachable(why) => old::http::Error::Unreachable(why),
        new::http::Error::Timeout => old::http::Error::Timeout,
        new::http::Error::TooLarge(limit) => old::http::Error::TooLarge(limit),
        new::http::Error::Broken(why) => old::http::Error::Broken(why),
    }
}

impl old::runtime::Host for CallState {
    async fn apply(&mut self, desired: String) -> wasmtime::Result<Result<String, old::runtime::Error>> {
        Ok(new::runtime::Host::apply(self, desired).await?.map_err(runtime_error))
    }

    async fn status(&mut self) -> wasmtime::Result<Result<Option<String>, old::runtime::Error>> {
        Ok(new::runtime::Host::status(self).await?.map_err(runtime_error))
    }
}

fn runtime_error(error: new::runtime::Error) -> old::runtime::Error {
    match error {
        new::runtime::Error::Refused(why) => old::runtime::Error::Refused(why),
        new::runtime::Error::Superseded(fence) => old::runtime::Error::Superseded(fence),
        new::runtime::Error::Invalid(why) => old::runtime::Error::Invalid(why),
        new::runtime::Error::Unreachable(why) => old::runtime::Error::Unreachable(why),
    }
}
