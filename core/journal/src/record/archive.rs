//! The archive: all records of a deployment that is over, packed into one. Nothing is lost in it, so the chain still holds.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Link, Unreadable};

/// The version of the form that archives are written in.
pub const ARCHIVE_VERSION: u32 = 1;

/// What an archive may unpack to. A deployment's records are some hundred kilobytes; what is a thousand times that was never packed here.
const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A record in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// Its place in the order of all records.
    pub position: u64,
    /// Under which grant of the lease it was written.
    pub epoch: u64,
    /// Its sequence number in the deployment.
    pub seq: u64,
    /// When it was journaled.
    pub at: Timestamp,
    /// The version of its form.
    pub version: u32,
    /// Its content.
    pub payload: Vec<u8>,
    /// The hash that was stored with it.
    pub hash: Vec<u8>,
}

impl Archived {
    /// Returns the record as the chain sees it.
    pub fn link(&self) -> Link<'_> {
        Link { seq: self.seq, at: self.at, version: self.version, payload: &self.payload, hash: &self.hash }
    }
}

/// Version 1 of a packed record. Never edited once released.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct V1 {
    position: u64,
    epoch: u64,
    seq: u64,
    at: i64,
    version: u32,
    /// The payload's exact text: the chain is made of its bytes.
    payload: String,
    hash: String,
}

/// Packs records, in the newest form.
///
/// # Errors
///
/// When a payload is not text, which no form of ours ever is.
pub fn pack(records: &[Archived]) -> Result<Vec<u8>, Unreadable> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    for record in records {
        let payload = String::from_utf8(record.payload.clone()).map_err(|error| Unreadable::Form(error.to_string()))?;
        let Archived { position, epoch, seq, at, version, hash, .. } = record;
        let (position, epoch, seq, version) = (*position, *epoch, *seq, *version);
        let line = V1 { position, epoch, seq, at: at.0, version, payload, hash: hex::encode(hash) };
        serde_json::to_writer(&mut packed, &line).map_err(|error| Unreadable::Form(error.to_string()))?;
        packed.write_all(b"\n").map_err(|error| Unreadable::Form(error.to_string()))?;
    }
    packed.finish().map_err(|error| Unreadable::Form(error.to_string()))
}

/// Returns the records of an archive, in the order in which they were packed.
pub fn unpack(version: u32, packed: &[u8]) -> Result<Vec<Archived>, Unreadable> {
    if version != ARCHIVE_VERSION {
        return Err(Unreadable::Version { found: version });
    }
    let mut text = String::new();
    let read = ZlibDecoder::new(packed).take(BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| Unreadable::Form(error.to_string()))?;
    if text.len() as u64 > BYTES_MAX {
        return Err(Unreadable::Form(format!("it unpacks to more than {BYTES_MAX} bytes")));
    }
    text.lines().map(unpack_line).collect()
}

fn unpack_line(line: &str) -> Result<Archived, Unreadable> {
    let form = |error: &dyn std::error::Error| Unreadable::Form(error.to_string());
    let V1 { position, epoch, seq, at, version, payload, hash } = serde_json::from_str(line).map_err(|error| form(&error))?;
    let hash = hex::decode(hash).map_err(|error| form(&error))?;
    Ok(Archived { position, epoch, seq, at: Timestamp(at), version, payload: payload.into_bytes(), hash })
}
