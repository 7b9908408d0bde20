//! What the kernel lets a program use.

use std::io;

use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

use super::grant::CommandRule;

/// Between the signal that a program may still write a last word after and the one that it may not, in seconds of its cores.
const LAST_WORD_SECONDS: u64 = 1;

/// Limits a program that was just started. What the server itself may not do, it may not either.
pub(super) fn limit(program: Pid, rule: &CommandRule) -> io::Result<()> {
    let program = rustix::process::Pid::from_raw(program.as_raw());
    let seconds = rule.cpu_seconds();
    for (resource, soft, hard) in [
        // Memory that is its own and writable. The address space would be no measure: some interpreters reserve a hundredfold of what they use.
        (Resource::Data, rule.memory_bytes_max, rule.memory_bytes_max),
        (Resource::Cpu, seconds, seconds.saturating_add(LAST_WORD_SECONDS)),
        (Resource::Fsize, rule.file_bytes_max, rule.file_bytes_max),
        // A core would be a copy of whatever it had in memory.
        (Resource::Core, 0, 0),
    ] {
        let ours = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        prlimit(program, resource, Rlimit { current: Some(soft.min(ours)), maximum: Some(hard.min(ours)) })?;
    }
    Ok(())
}
