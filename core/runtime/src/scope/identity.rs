//! What makes two groups the same: the release and exactly how it is run, but not how many, on which side or how it is probed.

use sha2::{Digest, Sha256};

use crate::protocol::Group;

/// How many hexadecimal digits name a group: 128 bits, which no two groups of one service will ever share.
const DIGITS: usize = 32;

/// Returns a group's name. Processes belong to it, so they stay when a release moves from one side to the other.
pub(crate) fn identity(group: &Group) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    add(&group.release);
    add(&group.artifact_digest);
    add(&group.command.len().to_string());
    group.command.iter().for_each(|word| add(word));
    for (name, value) in &group.env {
        add(name);
        add(value);
    }
    let mut name = hex::encode(hash.finalize());
    name.truncate(DIGITS);
    name
}
