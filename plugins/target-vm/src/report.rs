//! What a host says is there.

/// One of the two places on a host that a release runs in. Which side a slot is changes when its release is promoted; its port does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    A,
    B,
}

/// What is on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// The highest fence that was seen there.
    pub(crate) fence: u64,
    /// The releases whose files are there, oldest first.
    pub(crate) releases: Vec<Stored>,
    /// The digests of which some files have come.
    pub(crate) incoming: Vec<String>,
    /// What runs, by slot.
    pub(crate) slots: Vec<Filled>,
}

/// A release's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The 64 digits of its digest.
    pub(crate) digest: String,
    /// Whether nobody has touched it since its checksums were compared.
    pub(crate) whole: bool,
    /// When they were, by the host's clock.
    at: u64,
}

/// A slot with something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filled {
    pub(crate) slot: Slot,
    pub(crate) identity: Identity,
    /// The name of the side that it was last.
    pub(crate) side: String,
    pub(crate) port: u16,
    /// How often its program was started.
    pub(crate) starts: u32,
    pub(crate) ready: bool,
    /// Whether unit, environment and configuration are as they were written.
    pub(crate) untouched: bool,
    pub(crate) unit: Unit,
}

/// What a slot runs: two that are equal are the same release, run in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) release: String,
    /// The 64 digits of its digest.
    pub(crate) digest: String,
    /// Of its configuration.
    pub(crate) fingerprint: String,
}

/// How a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Up,
    Down,
    /// The supervisor does not know it.
    Absent,
}

impl Slot {
    pub(crate) const ALL: [Self; 2] = [Self::A, Self::B];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.as_str() == text)
    }
}

impl Report {
    /// Reads what a host said. A line that is not understood makes the whole of it worthless: no data is not good data.
    pub(crate) fn read(lines: &[String]) -> Result<Self, String> {
        let mut report = Self::default();
        let mut fence = None;
        for line in lines {
            let words: Vec<_> = line.split(' ').collect();
            let understood = match words[..] {
                ["fence", highest] => highest.parse().ok().map(|highest| fence = Some(highest)),
                ["release", digest, state, at] => stored(digest, state, at).map(|stored| report.releases.push(stored)),
                ["incoming", digest] => {
                    report.incoming.push(digest.to_owned());
                    Some(())
                }
                ["slot", ..] => filled(&words[1..]).map(|filled| report.slots.push(filled)),
                _ => None,
            };
            understood.ok_or_else(|| format!("it says {:?}, which is not understood", crate::script::plain(line)))?;
        }
        report.fence = fence.ok_or("it does not say which fence it has seen")?;
        report.releases.sort_by(|one, other| (one.at, &one.digest).cmp(&(other.at, &other.digest)));
        Ok(report)
    }

    pub(crate) fn slot(&self, slot: Slot) -> Option<&Filled> {
        self.slots.iter().find(|filled| filled.slot == slot)
    }

    /// Returns the slot that runs exactly this.
    pub(crate) fn running(&self, identity: &Identity) -> Option<&Filled> {
        self.slots.iter().find(|filled| filled.identity == *identity)
    }

    /// Returns whether a release's files are there, and may be run from.
    pub(crate) fn has(&self, digest: &str) -> bool {
        self.releases.iter().any(|stored| stored.digest == digest && (stored.whole || self.uses(digest)))
    }

    /// Returns whether a slot runs from a release's files.
    pub(crate) fn uses(&self, digest: &str) -> bool {
        self.slots.iter().any(|filled| filled.identity.digest == digest)
    }
}

fn stored(digest: &str, state: &str, at: &str) -> Option<Stored> {
    let whole = match state {
        "whole" => true,
        "edited" => false,
        _ => return None,
    };
    Some(Stored { digest: digest.to_owned(), whole, at: at.parse().ok()? })
}

fn filled(words: &[&str]) -> Option<Filled> {
    let &[slot, release, digest, fingerprint, side, "port", port, "starts", starts, "ready", ready, "files", files, "unit", unit] =
        words
    else {
        return None;
    };
    let (release, digest, fingerprint) = (release.to_owned(), digest.to_owned(), fingerprint.to_owned());
    Some(Filled {
        slot: Slot::read(slot)?,
        identity: Identity { release, digest, fingerprint },
        side: side.to_owned(),
        port: port.parse().ok()?,
        starts: starts.parse().ok()?,
        ready: ready == "yes",
        untouched: files == "ok",
        unit: match unit {
            "up" => Unit::Up,
            "down" => Unit::Down,
            "absent" => Unit::Absent,
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Report, String> {
        Report::read(&text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_report_is_read_whole_or_not_at_all() {
        let slot = "slot a v1 aa bb stable port 8001 starts 2 ready yes files edited unit up";
        let report = read(&format!("fence 7\nrelease cc edited 20\nrelease aa whole 10\n{slot}")).expect("a report");
        assert_eq!((report.fence, report.releases[0].digest.as_str()), (7, "aa"), "oldest first");
        let filled = report.slot(Slot::A).expect("it is filled");
        assert!(filled.ready && !filled.untouched && filled.starts == 2 && filled.unit == Unit::Up, "{filled:?}");
        assert!(report.has("aa") && !report.has("cc") && report.slot(Slot::B).is_none());
        for broken in [
            "release aa whole 10",
            "fence -1",
            "fence 7\nslot c v1 aa bb stable port 8001 starts 2 ready yes files ok unit up",
            "fence 7\nslot a v1 aa bb stable port 80010 starts 2 ready yes files ok unit up",
            "fence 7\nslot a v1 aa bb stable port 8001 starts 2 ready yes files ok unit up more",
            "fence 7\n\u{1b}[2Jhello",
        ] {
            let why = read(broken).expect_err(broken);
            assert!(!why.contains('\u{1b}'), "{why}");
        }
    }
}
