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

impl old::random::Host for CallState {
    async fn bytes(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        new::random::Host::bytes(self, length).await
    }
}

impl old::http::Host for CallState {
    async fn fetch(&mut self, request: old::http::Request) -> wasmtime::Result<Result<old::http::Response, old::http::Error>> {
        let old::http::Request { method, url, headers, body, timeout_ms, redirects_max } = request;
        let request = new::http::Request { method, url, headers, body, timeout_ms, redirects_max };
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

impl old::command::Host for CallState {
    async fn run(
        &mut self,
        request: old::command::Request,
    ) -> wasmtime::Result<Result<old::command::Outcome, old::command::Error>> {
        let old::command::Request { program, arguments, stdin, files, collect, timeout_ms } = request;
        let files = files.into_iter().map(|old::command::File { path, content }| new::command::File { path, content }).collect();
        let request = new::command::Request { program, arguments, stdin, files, collect, timeout_ms };
        Ok(new::command::Host::run(self, request).await?.map(command_outcome).map_err(command_error))
    }
}

fn command_outcome(outcome: new::command::Outcome) -> old::command::Outcome {
    let new::command::Outcome { exit_code, stdout, stderr, cut, files, elapsed_ms } = outcome;
    let files = files.into_iter().map(|new::command::File { path, content }| old::command::File { path, content }).collect();
    old::command::Outcome { exit_code, stdout, stderr, cut, files, elapsed_ms }
}

fn command_error(error: new::command::Error) -> old::command::Error {
    match error {
        new::command::Error::Refused(why) => old::command::Error::Refused(why),
        new::command::Error::Invalid(why) => old::command::Error::Invalid(why),
        new::command::Error::Unavailable(why) => old::command::Error::Unavailable(why),
        new::command::Error::Timeout => old::command::Error::Timeout,
    }
}

impl old::ssh::Host for CallState {
    async fn run(&mut self, request: old::ssh::Request) -> wasmtime::Result<Result<old::ssh::Outcome, old::ssh::Error>> {
        let old::ssh::Request { host, command, stdin, timeout_ms } = request;
        let request = new::ssh::Request { host, command, stdin, timeout_ms };
        let outcome = |new::ssh::Outcome { exit_code, stdout, stderr, cut, elapsed_ms }| old::ssh::Outcome {
            exit_code,
            stdout,
            stderr,
            cut,
            elapsed_ms,
        };
        Ok(new::ssh::Host::run(self, request).await?.map(outcome).map_err(ssh_error))
    }

    async fn put(&mut self, upload: old::ssh::Upload) -> wasmtime::Result<Result<(), old::ssh::Error>> {
        let old::ssh::Upload { host, path, content, mode, timeout_ms } = upload;
        let content = match content {
            old::ssh::Content::Bytes(bytes) => new::ssh::Content::Bytes(bytes),
            old::ssh::Content::Artifact(old::ssh::ArtifactFile { digest, path }) => {
                new::ssh::Content::Artifact(new::ssh::ArtifactFile { digest, path })
            }
        };
        let upload = new::ssh::Upload { host, path, content, mode, timeout_ms };
        Ok(new::ssh::Host::put(self, upload).await?.map_err(ssh_error))
    }
}

fn ssh_error(error: new::ssh::Error) -> old::ssh::Error {
    match error {
        new::ssh::Error::Refused(why) => old::ssh::Error::Refused(why),
        new::ssh::Error::Invalid(why) => old::ssh::Error::Invalid(why),
        new::ssh::Error::Unreachable(why) => old::ssh::Error::Unreachable(why),
        new::ssh::Error::Timeout => old::ssh::Error::Timeout,
        new::ssh::Error::Broken(why) => old::ssh::Error::Broken(why),
    }
}

impl old::artifact::Host for CallState {
    async fn files(&mut self, digest: String) -> wasmtime::Result<Result<Vec<old::artifact::File>, old::artifact::Error>> {
        let file = |new::artifact::File { path, size, executable }| old::artifact::File { path, size, executable };
        let files = new::artifact::Host::files(self, digest).await?;
        Ok(files.map(|files| files.into_iter().map(file).collect()).map_err(artifact_error))
    }

    async fn read(
        &mut self,
        digest: String,
        path: String,
        offset: u64,
        length: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, old::artifact::Error>> {
        Ok(new::artifact::Host::read(self, digest, path, offset, length).await?.map_err(artifact_error))
    }
}

fn artifact_error(error: new::artifact::Error) -> old::artifact::Error {
    match error {
        new::artifact::Error::Refused(why) => old::artifact::Error::Refused(why),
        new::artifact::Error::Invalid(why) => old::artifact::Error::Invalid(why),
        new::artifact::Error::Absent(why) => old::artifact::Error::Absent(why),
        new::artifact::Error::Broken(why) => old::artifact::Error::Broken(why),
    }
}

impl old::secret::Host for CallState {
    async fn reveal(&mut self, name: String) -> wasmtime::Result<Result<String, old::secret::Error>> {
        Ok(new::secret::Host::reveal(self, name).await?.map_err(|error| match error {
            new::secret::Error::Refused(why) => old::secret::Error::Refused(why),
            new::secret::Error::Unavailable(why) => old::secret::Error::Unavailable(why),
        }))
    }
}
