//! The hosts: those that the settings name, or those that a program of the operator's says there are.
//!
//! A program that fails may be well at another attempt. An answer that makes no sense, and one without hosts, is nobody's order to take
//! everything away: it ends the call.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Deserialize;
use towpath_sdk::Fault;
use towpath_sdk::helpers::placeholders::fill;
use towpath_sdk::powers::command::{self, Error, Outcome, Request};
use towpath_sdk::target::Call;

use crate::ask::left_ms;
use crate::script::plain;
use crate::settings::{Host, Inventory, Program, Settings};

/// The most hosts that a service may have: as many as are asked at once.
const HOSTS_MAX: usize = 120;

/// The most bytes that a list may have: a hundred hosts with all that can be said of each, several times over.
const BYTES_MAX: usize = 256 << 10;

/// A list that is an object, as programs answer that have more to say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    hosts: Vec<Host>,
}

/// Returns the hosts. Where a program knows them it is run: once in a call.
pub(crate) fn hosts(call: &Call<Settings>) -> Result<Cow<'_, [Host]>, Fault> {
    match (&call.settings.hosts, &call.settings.inventory) {
        (Some(hosts), None) => Ok(Cow::Borrowed(hosts)),
        (None, Some(Inventory::Command(program))) => {
            let hosts = ask(call, program)?;
            check(&hosts).map_err(|why| Fault::permanent(said_by(program, &why)))?;
            Ok(Cow::Owned(hosts))
        }
        (Some(hosts), Some(_)) => Err(Fault::permanent(format!(
            "the settings have {} `hosts` and an `inventory`, one of the two is expected",
            hosts.len()
        ))),
        (None, None) => Err(Fault::permanent("the settings have neither `hosts` nor an `inventory`")),
    }
}

fn ask(call: &Call<Settings>, program: &Program) -> Result<Vec<Host>, Fault> {
    let context = &call.context;
    let mut request = Request::new(&program.program);
    for argument in &program.arguments {
        let value = |name: &str| match name {
            "service" => Some(context.service.clone()),
            "environment" => Some(context.environment.clone()),
            _ => None,
        };
        let filled = fill(argument, value).map_err(|unknown| Fault::permanent(said_by(program, &unknown.to_string())))?;
        request = request.argument(filled);
    }
    let timeout_ms = program.timeout_ms.min(left_ms(call)).max(1);
    match command::run(&request.timeout_ms(timeout_ms)) {
        Ok(outcome) if outcome.exit_code == 0 => read(&outcome).map_err(|why| Fault::permanent(said_by(program, &why))),
        Ok(outcome) => Err(Fault::retryable(said_by(program, &failure(&outcome)))),
        Err(Error::Timeout) => Err(Fault::retryable(said_by(program, &format!("it did not end within {timeout_ms} ms")))),
        Err(error @ Error::Unavailable(_)) => Err(Fault::retryable(said_by(program, &error.sentence()))),
        Err(error @ (Error::Refused(_) | Error::Invalid(_))) => Err(Fault::permanent(said_by(program, &error.sentence()))),
    }
}

fn said_by(program: &Program, why: &str) -> String {
    format!("the inventory of program {:?}: {}", plain(&program.program), plain(why))
}

fn failure(outcome: &Outcome) -> String {
    let errors = String::from_utf8_lossy(&outcome.stderr);
    match errors.lines().rev().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => format!("it ended with {}, expected 0: {line}", outcome.exit_code),
        None => format!("it ended with {}, expected 0, and said nothing", outcome.exit_code),
    }
}

/// Reads what a program printed: a list, or an object with one.
fn read(outcome: &Outcome) -> Result<Vec<Host>, String> {
    let text = &outcome.stdout;
    if outcome.cut || text.len() > BYTES_MAX {
        return Err(format!("it answers with {} bytes or more, at most {BYTES_MAX} may be", text.len()));
    }
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    let read = match first {
        Some(b'{') => serde_json::from_slice::<Listed>(text).map(|listed| listed.hosts),
        Some(_) | None => serde_json::from_slice(text),
    };
    read.map_err(|error| {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let why = error.to_string();
        format!("its answer is no list of hosts,{place}: {}", why.strip_suffix(&place).unwrap_or(&why))
    })
}

/// Fails unless a program's list is one that a service can run on.
fn check(hosts: &[Host]) -> Result<(), String> {
    if hosts.is_empty() {
        return Err("it lists no host, which is never taken for an order to remove all".to_owned());
    }
    if hosts.len() > HOSTS_MAX {
        return Err(format!("it lists {} hosts, at most {HOSTS_MAX} may be", hosts.len()));
    }
    let mut names = BTreeSet::new();
    match hosts.iter().find(|host| !names.insert(&host.name)) {
        Some(host) => Err(format!("it lists host {} twice", host.name)),
        None => Ok(()),
    }
}
