//! The scripts that hosts are sent, and what they answer.

use towpath_sdk::powers::ssh::{Outcome, quote};

use crate::settings::Settings;

/// What every script begins with.
const COMMON: &str = include_str!("shell/common.sh");

/// What the plugin does on a host.
const HOST: &str = include_str!("shell/host.sh");

/// What the plugin does on the host of a balancer that is HAProxy.
const HAPROXY: &str = include_str!("shell/haproxy.sh");

/// The same where nginx divides the traffic.
const NGINX: &str = include_str!("shell/nginx.sh");

/// The same where Envoy does.
const ENVOY: &str = include_str!("shell/envoy.sh");

/// How much of what a host says is repeated, in characters.
const SAID_CHARS_MAX: usize = 300;

/// Whether a script changes something: the operator grants both apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It only looks.
    Look,
    /// It holds the fence against the highest one, and acts.
    Act,
}

/// A script on its way.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) purpose: Purpose,
    /// Whether it is run through `sudo`, where that is said for this host alone.
    sudo: Option<bool>,
    /// Whether the host has little time for it.
    pub(crate) is_hasty: bool,
    text: String,
}

/// What came of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It was done; the lines that were said on the way.
    Done(Vec<String>),
    /// A higher fence was there: nothing was done.
    Superseded(u64),
    /// Somebody else is at it, or it goes on; ask again.
    Busy,
    /// It was not done.
    Failed(String),
}

impl Script {
    /// Returns a script that has the words of a host.
    pub(crate) fn on_host(purpose: Purpose) -> Self {
        Self::of(purpose, HOST)
    }

    /// Returns a script that has the words for HAProxy.
    pub(crate) fn on_haproxy(purpose: Purpose) -> Self {
        Self::of(purpose, HAPROXY)
    }

    /// Returns a script that has the words for nginx.
    pub(crate) fn on_nginx(purpose: Purpose) -> Self {
        Self::of(purpose, NGINX)
    }

    /// Returns a script that has the words for Envoy.
    pub(crate) fn on_envoy(purpose: Purpose) -> Self {
        Self::of(purpose, ENVOY)
    }

    fn of(purpose: Purpose, words: &str) -> Self {
        Self { purpose, sudo: None, is_hasty: false, text: format!("{{\n{COMMON}\n{words}\n") }
    }

    /// Returns the script as it is run on a host that has a rule of its own for `sudo`.
    #[must_use]
    pub(crate) fn through_sudo(mut self, sudo: Option<bool>) -> Self {
        self.sudo = sudo;
        self
    }

    /// Returns the script as it is sent to a host that may have nothing to say: it has little time.
    #[must_use]
    pub(crate) fn in_haste(mut self, is_hasty: bool) -> Self {
        self.is_hasty = is_hasty;
        self
    }

    /// Returns the script with a variable.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.text.push_str(&format!("{name}={}\n", quote(value.as_ref())));
        self
    }

    /// Returns the script with one more command; each word is taken as it is.
    #[must_use]
    pub(crate) fn then(mut self, words: &[&str]) -> Self {
        let words: Vec<_> = words.iter().map(|word| quote(word)).collect();
        self.text.push_str(&words.join(" "));
        self.text.push('\n');
        self
    }

    /// Returns what is written to the shell. It reads the block to its end before it does anything, and no program in it reads on.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        format!("{}exit 0\n}} </dev/null\n", self.text).into_bytes()
    }

    /// Returns the command line that takes the script.
    pub(crate) fn command(&self, settings: &Settings) -> String {
        let verb = match self.purpose {
            Purpose::Look => "look",
            Purpose::Act => "act",
        };
        let sudo = if self.sudo.unwrap_or(settings.sudo) { "sudo -n " } else { "" };
        format!("{sudo}sh -s -- {verb}")
    }
}

impl Said {
    /// Reads what a script said. What does not end as a script ends is a failure, whatever its exit code.
    pub(crate) fn read(outcome: &Outcome) -> Self {
        let text = String::from_utf8_lossy(&outcome.stdout);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if outcome.cut {
            return Self::Failed("it answers with more than is read".to_owned());
        }
        let last = lines.pop().unwrap_or_default();
        match last.split_once(' ').unwrap_or((&last, "")) {
            ("done", "") if outcome.exit_code == 0 => Self::Done(lines),
            ("busy", "") => Self::Busy,
            ("superseded", fence) if fence.parse::<u64>().is_ok() => Self::Superseded(fence.parse().unwrap_or(u64::MAX)),
            ("failed", why) => Self::Failed(plain(why)),
            _ => {
                let errors = String::from_utf8_lossy(&outcome.stderr);
                let said = plain(errors.lines().last().unwrap_or(&last));
                Self::Failed(format!("the script ended with exit code {}: {said}", outcome.exit_code))
            }
        }
    }
}

/// Returns a host's words as they may be repeated.
pub(crate) fn plain(text: &str) -> String {
    let kept = |character: char| if character.is_control() { ' ' } else { character };
    text.chars().map(kept).take(SAID_CHARS_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(exit_code: i32, stdout: &str, stderr: &str) -> Said {
        let (stdout, stderr) = (stdout.as_bytes().to_vec(), stderr.as_bytes().to_vec());
        Said::read(&Outcome { exit_code, stdout, stderr, cut: false, elapsed_ms: 1 })
    }

    #[test]
    fn only_an_answer_that_ends_as_a_script_ends_is_one() {
        assert_eq!(said(0, "fence 7\ndone\n", ""), Said::Done(vec!["fence 7".to_owned()]));
        assert_eq!(said(0, "superseded 9\n", ""), Said::Superseded(9));
        assert_eq!(said(0, "busy\n", ""), Said::Busy);
        assert_eq!(said(0, "failed it is full\n", ""), Said::Failed("it is full".to_owned()));
        for (code, stdout, stderr, expect) in [
            (1, "", "sudo: a password is required\n", "sudo: a password is required"),
            (127, "", "sh: not found\n", "exit code 127"),
            (0, "fence 7\n", "", "fence 7"),
            (0, "superseded by\n", "", "superseded by"),
            (0, "", "\u{1b}[2Jgone\n", "exit code 0: [2Jgone"),
            (2, "done\n", "", "exit code 2"),
        ] {
            let Said::Failed(why) = said(code, stdout, stderr) else { panic!("{stdout} {stderr}") };
            assert!(why.contains(expect) && !why.contains('\u{1b}'), "{why}");
        }
    }
}
