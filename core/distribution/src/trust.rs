//! Whose signatures an operator believes, for which references. Nothing is loaded that no rule covers.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::{read_bounded, read_json, wrong};
use crate::error::Error;
use crate::reference::Reference;
use crate::sign::bundle::{self, Claims, Root};
use crate::sign::key::PublicKey;
use crate::sign::{Evidence, simple};

/// What is said of a certificate beside a simple signature. It is not read: what proves its time is an annotation of another form, and every
/// cosign that signs so can sign a bundle, which holds all of it.
const OLDER_KEYLESS: &str = "a simple signature with a certificate is the older keyless format, which is not read: sign again into a bundle, as cosign does \
     with --new-bundle-format and, from its version 3 on, by itself";

/// What an operator writes about trust. Files are relative to the file that names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TrustConfig {
    /// Keys, by the name that rules call them by.
    pub keys: BTreeMap<String, KeyConfig>,
    /// Keyless signers, by the name that rules call them by.
    pub identities: BTreeMap<String, IdentityConfig>,
    /// The `trusted_root.json` of sigstore's that keyless signatures are verified against.
    pub trust_root: Option<PathBuf>,
    /// Who is believed for what. The first rule whose pattern fits a reference decides.
    pub rules: Vec<Rule>,
}

/// A key that is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct KeyConfig {
    /// The public key, a file of PEM.
    pub file: PathBuf,
    /// Whether a signature must be in the log of the trust root as well.
    pub transparency_log: bool,
}

/// A keyless signer that is believed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdentityConfig {
    /// Who signs, as the certificate says it: an address, or the URL of a workflow. `*` stands for anything but a `/`, `**` for anything.
    pub identity: String,
    /// Who vouched for the identity, like `https://token.actions.githubusercontent.com`. In full.
    pub issuer: String,
}

/// Who is believed for some references.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Which ones, by host and repository: `registry.example:5000/team/*`. `*` stands for anything but a `/`, `**` for anything.
    pub references: String,
    /// Names of keys and identities, one of which must have signed.
    #[serde(default)]
    pub signed_by: Vec<String>,
    /// Whether they are loaded without a signature that is believed.
    #[serde(default)]
    pub allow_unsigned: bool,
}

/// Who signed, verified.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Signer {
    /// Whoever holds a key.
    Key {
        /// The key's name in the trust.
        name: String,
    },
    /// Whoever proved an identity when it signed.
    Identity {
        /// The signer's name in the trust.
        name: String,
        /// The identity in the certificate.
        identity: String,
        /// Who vouched for it.
        issuer: String,
    },
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { name } => write!(f, "the key {name}"),
            Self::Identity { name, identity, issuer } => write!(f, "{name} ({identity}, vouched for by {issuer})"),
        }
    }
}

/// Whose signatures are believed, with everything read that is needed to tell.
#[derive(Clone)]
pub struct Trust {
    keys: BTreeMap<String, (PublicKey, bool)>,
    identities: BTreeMap<String, IdentityConfig>,
    root: Option<Root>,
    rules: Vec<Rule>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Trust {
    /// Returns a trust that believes nobody and loads nothing.
    pub fn nobody() -> Self {
        Self { keys: BTreeMap::new(), identities: BTreeMap::new(), root: None, rules: Vec::new() }
    }

    /// Returns a trust that loads everything, signed or not. For whoever said so.
    pub fn unsigned() -> Self {
        let rule = Rule { references: "**".to_owned(), signed_by: Vec::new(), allow_unsigned: true };
        Self { rules: vec![rule], ..Self::nobody() }
    }

    /// Reads a file of trust, and the keys and the root that it names.
    ///
    /// # Errors
    /// Returns what cannot be read, or which name in a rule is nobody's.
    pub fn from_file(file: &Path) -> Result<Self, Error> {
        Self::new(read_json(file)?, file)
    }

    /// Returns a trust from what an operator wrote. `file` is where it was written: for messages, and for the files that it names.
    ///
    /// # Errors
    /// Returns what cannot be read, or which name in a rule is nobody's.
    pub fn new(config: TrustConfig, file: &Path) -> Result<Self, Error> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let text = |named: &Path| {
            let path = folder.join(named);
            let bytes = read_bounded(&path)?;
            String::from_utf8(bytes).map_err(|error| wrong(&path, &error))
        };
        let root = config
            .trust_root
            .as_deref()
            .map(|named| Root::from_json(&text(named)?).map_err(|why| wrong(&folder.join(named), &why)));
        let root = root.transpose()?;
        let mut keys = BTreeMap::new();
        for (name, key) in &config.keys {
            let public = PublicKey::from_pem(&text(&key.file)?).map_err(|error| wrong(&folder.join(&key.file), &error))?;
            keys.insert(name.clone(), (public, key.transparency_log));
        }
        check(&config).map_err(|why| wrong(file, &why))?;
        Ok(Self { keys, identities: config.identities, root, rules: config.rules })
    }

    /// Returns the rule for a reference.
    pub(crate) fn rule(&self, reference: &Reference) -> Result<&Rule, Error> {
        let name = reference.name();
        self.rules.iter().find(|rule| fits(&rule.references, &name)).ok_or_else(|| Error::NoRule {
            reference: reference.to_string(),
            patterns: self.rules.iter().map(|rule| rule.references.clone()).collect(),
        })
    }

    /// Returns who signed a manifest, of those that the rule for it believes.
    pub(crate) fn judge(
        &self,
        reference: &Reference,
        found: &[Evidence],
        digest: &str,
        manifest: &[u8],
    ) -> Result<Vec<Signer>, Error> {
        let rule = self.rule(reference)?;
        let (mut signers, mut problems) = (Vec::new(), Vec::new());
        for evidence in found {
            for name in &rule.signed_by {
                match self.judge_one(name, evidence, digest, manifest) {
                    Ok(signer) => signers.push(signer),
                    Err(why) => problems.push(format!("{name}: {why}")),
                }
            }
        }
        signers.sort();
        signers.dedup();
        if !signers.is_empty() || rule.allow_unsigned {
            return Ok(signers);
        }
        let (reference, wanted) = (reference.to_string(), rule.signed_by.clone());
        Err(match found.is_empty() {
            true => Error::Unsigned { reference, wanted },
            false => Error::Untrusted { reference, wanted, problems },
        })
    }

    fn judge_one(&self, name: &str, evidence: &Evidence, digest: &str, manifest: &[u8]) -> Result<Signer, String> {
        if let Some((key, logged)) = self.keys.get(name) {
            match evidence {
                Evidence::Simple { .. } if *logged => {
                    return Err("a simple signature cannot show its entry in the log, which is asked for".to_owned());
                }
                Evidence::Simple { payload, signature, certified } => simple::verify(key, payload, signature, digest)
                    .map_err(|why| if *certified { format!("{why}; {OLDER_KEYLESS}") } else { why })?,
                Evidence::Bundle(bundle) => {
                    bundle::verify_keyed(bundle, key, self.root.as_ref().filter(|_| *logged), manifest)?;
                }
            }
            return Ok(Signer::Key { name: name.to_owned() });
        }
        let (Some(wanted), Some(root)) = (self.identities.get(name), &self.root) else {
            return Err("nobody of that name is in the trust".to_owned());
        };
        let bundle = match evidence {
            Evidence::Bundle(bundle) => bundle,
            Evidence::Simple { certified: true, .. } => return Err(OLDER_KEYLESS.to_owned()),
            Evidence::Simple { .. } => return Err("it is keyed, and not by this identity".to_owned()),
        };
        let Claims { identity, issuer } = bundle::verify_keyless(bundle, root, manifest)?;
        if issuer != wanted.issuer {
            return Err(format!("{issuer} vouched for the signer, not {}", wanted.issuer));
        }
        match fits(&wanted.identity, &identity) {
            true => Ok(Signer::Identity { name: name.to_owned(), identity, issuer }),
            false => Err(format!("it is signed by {identity}, not by {}", wanted.identity)),
        }
    }
}

/// Checks that the rules speak of somebody.
fn check(config: &TrustConfig) -> Result<(), String> {
    let names: Vec<_> = config.keys.keys().chain(config.identities.keys()).collect();
    if let Some(twice) = config.keys.keys().find(|name| config.identities.contains_key(*name)) {
        return Err(format!("`{twice}` is both a key and an identity"));
    }
    for rule in &config.rules {
        if rule.signed_by.is_empty() && !rule.allow_unsigned {
            return Err(format!("the rule for {} names nobody: give it `signedBy`, or `allowUnsigned`", rule.references));
        }
        if let Some(unknown) = rule.signed_by.iter().find(|name| !names.contains(name)) {
            let known = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(format!("the rule for {} names `{unknown}`; there are: {known}", rule.references));
        }
    }
    let logged = config.keys.iter().find(|(_, key)| key.transparency_log).map(|(name, _)| name);
    match (logged.or(config.identities.keys().next()), &config.trust_root) {
        (Some(name), None) => Err(format!("`{name}` is verified against a root, and there is no `trustRoot`")),
        _ => Ok(()),
    }
}

/// Whether a name fits a pattern: `*` stands for anything but a `/`, `**` for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    // For each prefix of the pattern: which prefixes of the name it fits.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    let mut at = 0;
    while at < pattern.len() {
        let star = pattern[at] == b'*';
        let any = star && pattern.get(at + 1) == Some(&b'*');
        let mut next = vec![false; name.len() + 1];
        for end in 0..=name.len() {
            next[end] = match (star, end.checked_sub(1)) {
                (true, Some(before)) => reached[end] || (next[before] && (any || name[before] != b'/')),
                (true, None) => reached[end],
                (false, Some(before)) => reached[before] && name[before] == pattern[at],
                (false, None) => false,
            };
        }
        reached = next;
        at += if any { 2 } else { 1 };
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests;
