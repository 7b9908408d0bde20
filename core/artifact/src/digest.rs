//! The digest of a listing: what makes two artifacts the same.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use model::Digest;
use sha2::{Digest as _, Sha256};

use crate::Error;
use crate::walk::{Entry, Kind, Listing, list};

/// What is hashed first. A later form of the tree gets another word, so that the two can never be mistaken for each other.
const FORM: &[u8] = b"towpath artifact tree 1\n";

/// How much of a file is in memory at once, in bytes.
const CHUNK_BYTES: usize = 128 << 10;

/// Returns the digest of the folder or the single file at `path`.
///
/// It covers each entry's relative path, kind, executable bit, link text, length and content, in the order of the paths' bytes, and
/// nothing else: owners, times and other permission bits may differ between two copies of one artifact. A single file has the digest
/// of a folder that holds that file alone.
pub fn digest_of(path: &Path) -> Result<Digest, Error> {
    digest_listing(&list(path)?)
}

pub(crate) fn digest_listing(listing: &Listing) -> Result<Digest, Error> {
    let mut hash = Sha256::new();
    hash.update(FORM);
    let mut chunk = vec![0; CHUNK_BYTES];
    for entry in &listing.entries {
        add_entry(&mut hash, &listing.root, entry, &mut chunk)?;
    }
    Ok(Digest(hash.finalize().into()))
}

fn add_entry(hash: &mut Sha256, root: &Path, entry: &Entry, chunk: &mut [u8]) -> Result<(), Error> {
    let word: &[u8] = match entry.kind {
        Kind::Folder => b"folder",
        Kind::File { executable: false, .. } => b"file",
        Kind::File { executable: true, .. } => b"program",
        Kind::Link { .. } => b"link",
    };
    add_text(hash, word);
    add_text(hash, entry.path.as_os_str().as_bytes());
    match &entry.kind {
        Kind::Folder => Ok(()),
        Kind::Link { target } => {
            add_text(hash, target.as_os_str().as_bytes());
            Ok(())
        }
        Kind::File { bytes, .. } => add_content(hash, &root.join(&entry.path), *bytes, chunk),
    }
}

/// Lengths go before texts, so that no two different lists can spell the same bytes.
fn add_text(hash: &mut Sha256, text: &[u8]) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

fn add_content(hash: &mut Sha256, path: &Path, expected: u64, chunk: &mut [u8]) -> Result<(), Error> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    hash.update(expected.to_le_bytes());
    let mut found = 0_u64;
    loop {
        let count = file.read(chunk).map_err(Error::io("read", path))?;
        if count == 0 {
            break;
        }
        hash.update(&chunk[..count]);
        found += count as u64;
        if found > expected {
            break;
        }
    }
    match found == expected {
        true => Ok(()),
        false => Err(Error::Moving { path: path.to_owned(), expected, found }),
    }
}
