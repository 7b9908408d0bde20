//! Names and identifiers. A name that exists is valid: the only way to make one checks it.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// The longest name a person may give, in bytes: a DNS label, because names end up in host names and labels.
pub const NAME_BYTES_MAX: usize = 63;

/// A text that cannot be the name it was meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidName {
    /// What was being named, as a person would say it ("service name").
    pub what: &'static str,
    /// The text as it was given.
    pub found: String,
    /// The rule it breaks.
    pub expected: &'static str,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} is not valid: expected {}", self.what, self.found, self.expected)
    }
}

impl core::error::Error for InvalidName {}

const LABEL_RULE: &str = "1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends";

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    (1..=NAME_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Returns the name, or why the text cannot be one.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                match is_label(text) {
                    true => Ok(Self(text.to_owned())),
                    false => Err(InvalidName { what: $what, found: text.to_owned(), expected: LABEL_RULE }),
                }
            }

            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

label!(
    /// What a product team owns and deploys.
    ServiceName, "service name"
);
label!(
    /// Where a service runs.
    EnvironmentName, "environment name"
);
label!(
    /// A step's name inside its plan; unique there.
    StepId, "step name"
);

/// The longest identifier of our own making, in bytes. Ours are UUIDs and short hashes; this bounds what a peer may send.
pub const ID_BYTES_MAX: usize = 128;

const ID_RULE: &str = "1 to 128 letters, digits, '-', '_', '.', ':' and '/'";

fn is_id(text: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/'))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Returns the identifier, or why the text cannot be one.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                match is_id(text) {
                    true => Ok(Self(text.to_owned())),
                    false => Err(InvalidName { what: $what, found: text.to_owned(), expected: ID_RULE }),
                }
            }

            /// Returns the identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// One run of a plan.
    DeploymentId, "deployment id"
);
id!(
    /// An immutable release, named by its own hash.
    ReleaseId, "release id"
);
id!(
    /// The key of one effect: the same over retries, restarts and take-overs.
    OperationKey, "operation key"
);
id!(
    /// The hash of a compiled plan: what was shown is what runs when the two are equal.
    PlanHash, "plan hash"
);

impl OperationKey {
    /// Returns the key of the `generation`th time that `deployment` decides to do `step`. A retry keeps its generation.
    pub fn of(deployment: &DeploymentId, step: &str, generation: u32) -> Self {
        let key = format!("{deployment}/{step}/{generation}");
        assert!(is_id(&key), "BUG: a deployment id and a step name always make a valid operation key, found {key:?}");
        Self(key)
    }
}

/// The serial unit: at most one deployment is active per service and environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// What is deployed.
    pub service: ServiceName,
    /// Where to.
    pub environment: EnvironmentName,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.environment, self.service)
    }
}

/// A number that only grows per scope, taken when an intent is journaled. A target refuses a lower one than it has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

impl Fence {
    /// Returns the fence of the next intent.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A SHA-256 digest, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Returns the digest that the text spells, or why it spells none.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName {
            what: "digest",
            found: text.to_owned(),
            expected: "\"sha256:\" and 64 lower-case hexadecimal digits",
        };
        let digits = text.strip_prefix("sha256:").filter(|d| d.len() == 64).ok_or_else(invalid)?;
        let mut bytes = [0_u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let high = hex_value(pair[0]).ok_or_else(invalid)?;
            let low = hex_value(pair[1]).ok_or_else(invalid)?;
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_dns_label() {
        for good in ["a", "web", "web-2", "0x"] {
            assert_eq!(ServiceName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a-", "Web", "a_b", "a/b", &"a".repeat(64)] {
            let error = ServiceName::new(bad).unwrap_err();
            assert_eq!(error.found, bad);
        }
    }

    #[test]
    fn a_digest_is_read_back_as_written() {
        let text = alloc::format!("sha256:{}", "0f".repeat(32));
        assert_eq!(Digest::parse(&text).unwrap().to_string(), text);
        for bad in ["", "sha256:", "sha512:00", &text.to_uppercase(), &text[..70]] {
            assert!(Digest::parse(bad).is_err(), "{bad}");
        }
    }
}
