//! Bringing a release's files to the hosts that lack them: what has come is continued, and only what compares well gets its name.

use std::collections::BTreeMap;

use towpath_sdk::Fault;
use towpath_sdk::powers::artifact::{self, File};
use towpath_sdk::powers::ssh::{self, ArtifactFile, Error, Piece};
use towpath_sdk::target::Call;

use crate::ask::{self, left_ms};
use crate::fleet::acting;
use crate::memory::Memory;
use crate::plan::SidePlan;
use crate::script::{Said, Script};
use crate::settings::{Host, Settings};

/// The most files that a release may have: each is sent and compared by itself. What has more is packed.
const FILES_MAX: usize = 500;

/// How many pieces are sent in one use of the power; the host's limit.
const PIECES_MAX: usize = 120;

/// What of a call's time is kept for comparing, in milliseconds.
const KEPT_MS: u32 = 2_000;

/// KiB in a MiB.
const KIB: u64 = 1_024;

/// How far a delivery came in one call.
pub(crate) enum Delivered {
    /// All that is there was looked at; the next look shows how much that is.
    Asked,
    /// The call's time is over; so much has come.
    Partly(String),
    /// A higher fence was there.
    Superseded(u64),
}

/// A release's files, and how much of them each host has.
struct Delivery<'a> {
    call: &'a Call<Settings>,
    side: &'a SidePlan,
    files: Vec<File>,
    /// How many bytes each host has of each file; none where it has nothing.
    come: BTreeMap<String, Vec<Option<u64>>>,
}

/// Brings a release to hosts, as far as the call's time goes.
pub(crate) fn deliver(call: &Call<Settings>, side: &SidePlan, hosts: &[&Host], memory: &mut Memory) -> Result<Delivered, Fault> {
    let files = files(side)?;
    let mut delivery = Delivery { call, side, files, come: BTreeMap::new() };
    if let Some(superseded) = delivery.prepare(hosts, memory)? {
        return Ok(Delivered::Superseded(superseded));
    }
    delivery.send(hosts, memory)?;
    delivery.seal(hosts, memory)
}

fn files(side: &SidePlan) -> Result<Vec<File>, Fault> {
    let files = artifact::files(&side.artifact).map_err(|error| {
        let message = format!("the files of release {}: {}", side.identity.release, error.sentence());
        match error {
            artifact::Error::Broken(_) => Fault::retryable(message),
            artifact::Error::Refused(_) | artifact::Error::Invalid(_) | artifact::Error::Absent(_) => Fault::permanent(message),
        }
    })?;
    if files.is_empty() || files.len() > FILES_MAX {
        return Err(Fault::permanent(format!(
            "release {} has {} files, 1 to {FILES_MAX} can be sent",
            side.identity.release,
            files.len()
        )));
    }
    match files.iter().find(|file| file.path.contains(|character: char| character.is_control() || character == '\\')) {
        Some(file) => Err(Fault::permanent(format!("{:?} is no name that checksums can be compared by", file.path))),
        None => Ok(files),
    }
}

impl Delivery<'_> {
    fn script(&self, host: &Host) -> Script {
        acting(self.call, host).with("DIGEST", &self.side.identity.digest)
    }

    /// Makes room on each host and learns what is there. Returns the higher fence that was met.
    fn prepare(&mut self, hosts: &[&Host], memory: &mut Memory) -> Result<Option<u64>, Fault> {
        let bytes: u64 = self.files.iter().map(|file| file.size).sum();
        let need = bytes.div_ceil(KIB) + u64::from(self.call.settings.free_mib) * KIB;
        let scripts = hosts.iter().map(|host| {
            let script = self.script(host).with("NEED", need.to_string()).then(&["prepare"]);
            let have = |script: Script, file: &File| script.then(&["have", &file.size.to_string(), &file.path]);
            (host.name.clone(), self.files.iter().fold(script, have).then(&["echo", "done"]))
        });
        let scripts: Vec<_> = scripts.collect();
        for ((host, _), answer) in scripts.iter().zip(ask::all(self.call, &scripts)) {
            match answer {
                Ok(Said::Superseded(fence)) => return Ok(Some(fence)),
                Ok(Said::Done(lines)) => match have(&lines, self.files.len()) {
                    Some(come) => drop(self.come.insert(host.clone(), come)),
                    None => {
                        memory.fail(host, &self.side.identity.release, "what it says of the files that came is not understood")
                    }
                },
                answer => crate::act::blame(self.side, host, answer, memory)?,
            }
        }
        Ok(None)
    }

    /// Sends what is missing, a file to all hosts at once, then the next.
    fn send(&mut self, hosts: &[&Host], memory: &mut Memory) -> Result<(), Fault> {
        let missing = self.missing(hosts);
        for chunk in missing.chunks(PIECES_MAX) {
            let time = left_ms(self.call).saturating_sub(KEPT_MS);
            if time == 0 {
                break;
            }
            let pieces: Vec<_> = chunk.iter().map(|(host, at)| self.piece(host, *at, time)).collect();
            for ((host, at), sent) in chunk.iter().zip(ssh::send_all(&pieces)) {
                match sent {
                    Ok(there) => {
                        if let Some(come) = self.come.get_mut(&host.name) {
                            come[*at] = (there > 0 || self.files[*at].size == 0).then_some(there);
                        }
                    }
                    Err(Error::Refused(why) | Error::Invalid(why)) => return Err(Fault::permanent(why)),
                    Err(error @ (Error::Unreachable(_) | Error::Timeout | Error::Broken(_))) => {
                        // How much came is asked at the next look; a host that cannot be written to shows it there again.
                        self.come.remove(&host.name);
                        if memory.trouble(&host.name) {
                            memory.fail(&host.name, &self.side.identity.release, &error.sentence());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn missing<'h>(&self, hosts: &[&'h Host]) -> Vec<(&'h Host, usize)> {
        let mut missing = Vec::new();
        for (at, file) in self.files.iter().enumerate() {
            let lacks = |host: &&&Host| self.come.get(&host.name).is_some_and(|come| come[at] != Some(file.size));
            missing.extend(hosts.iter().filter(lacks).map(|host| (*host, at)));
        }
        missing
    }

    fn piece(&self, host: &Host, at: usize, timeout_ms: u32) -> Piece {
        let scope = crate::scope(self.call.settings.root(host), &self.call.context);
        let path = &self.files[at].path;
        Piece {
            host: host.name.clone(),
            path: format!("{scope}/incoming/{}/{path}", self.side.identity.digest),
            source: ArtifactFile { digest: self.side.artifact.clone(), path: path.clone() },
            offset: self.come.get(&host.name).and_then(|come| come[at]).unwrap_or(0),
            timeout_ms,
        }
    }

    /// Has each host that has everything compare it, and give it its name.
    fn seal(&self, hosts: &[&Host], memory: &mut Memory) -> Result<Delivered, Fault> {
        let is_complete = |host: &&Host| {
            let come = self.come.get(&host.name);
            come.is_some_and(|come| come.iter().zip(&self.files).all(|(come, file)| *come == Some(file.size)))
        };
        let (complete, others): (Vec<&Host>, Vec<&Host>) = hosts.iter().copied().partition(is_complete);
        let behind = others.iter().find_map(|host| Some((host, self.come.get(&host.name)?)));
        if complete.is_empty() {
            return Ok(behind.map_or(Delivered::Asked, |(host, come)| self.partly(host, come)));
        }
        let sums = self.sums()?;
        let programs: String = self.files.iter().filter(|file| file.executable).map(|file| format!("{}\n", file.path)).collect();
        let script = |host: &Host| self.script(host).with("SUMS", &sums).with("FILES", &programs).then(&["seal"]);
        let scripts: Vec<_> = complete.iter().map(|host| (host.name.clone(), script(host))).collect();
        for ((host, _), answer) in scripts.iter().zip(ask::all(self.call, &scripts)) {
            match answer {
                Ok(Said::Superseded(fence)) => return Ok(Delivered::Superseded(fence)),
                Ok(Said::Done(_)) => memory.did_well(host),
                // What compared badly is gone from the host, and sent again; not for ever.
                Ok(Said::Failed(why)) if !memory.trouble(host) => drop(why),
                answer => crate::act::blame(self.side, host, answer, memory)?,
            }
        }
        Ok(behind.map_or(Delivered::Asked, |(host, come)| self.partly(host, come)))
    }

    /// Returns the checksums of all files, as `sha256sum -c` reads them.
    fn sums(&self) -> Result<String, Fault> {
        let line = |file: &File| match artifact::checksum(&self.side.artifact, &file.path) {
            Ok(sum) => Ok(format!("{sum}  {}\n", file.path)),
            Err(error) => Err(Fault::retryable(format!("the checksum of {:?}: {}", file.path, error.sentence()))),
        };
        self.files.iter().map(line).collect()
    }

    fn partly(&self, host: &Host, come: &[Option<u64>]) -> Delivered {
        let (have, all): (u64, u64) = (come.iter().flatten().sum(), self.files.iter().map(|file| file.size).sum());
        Delivered::Partly(format!("{} has {} of {} KiB of {}", host.name, have / KIB, all / KIB, self.side.identity.release))
    }
}

fn have(lines: &[String], files: usize) -> Option<Vec<Option<u64>>> {
    let come = lines.iter().map(|line| match line.strip_prefix("have ")? {
        "nothing" => Some(None),
        count => Some(Some(count.trim().parse().ok()?)),
    });
    let come: Vec<_> = come.collect::<Option<_>>()?;
    (come.len() == files).then_some(come)
}
