//! The artifacts of the call, and no others.

use std::sync::Arc;

use super::guest::READ_BYTES_MAX;
use super::{ArtifactBackend, ArtifactFault, ArtifactFile};
use crate::call::{CallState, testing};
use crate::error::CallErrorKind;
use crate::v0_3::bindings::powers::towpath::plugin::artifact::{Error, Host};
use crate::{Grants, Limits, Options};

const OURS: &str = "sha256:ours";

/// A store that has every artifact, each with one endless file.
struct Endless;

#[async_trait::async_trait]
impl ArtifactBackend for Endless {
    async fn files(&self, digest: &str) -> Result<Vec<ArtifactFile>, ArtifactFault> {
        Ok(vec![ArtifactFile { path: digest.replace(':', "/"), size: u64::MAX, executable: true }])
    }

    async fn read(&self, _digest: &str, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ArtifactFault> {
        match path {
            "bin/small" if offset == 0 => Ok(b"abc".to_vec()),
            "bin/small" => Ok(Vec::new()),
            "bin/web" => Ok(vec![b'x'; length as usize]),
            other => Err(ArtifactFault::Absent(other.to_owned())),
        }
    }
}

fn state(artifact: bool) -> CallState {
    let grants = Grants { artifact, ..Grants::default() };
    let options = Options { limits: Limits::default(), artifacts: Some(Arc::new(Endless)), ..Options::default() };
    let mut state = testing::state_on(grants, options);
    state.artifacts = vec![OURS.to_owned()];
    state
}

#[tokio::test]
async fn the_artifacts_of_the_call_are_read_and_no_others() {
    let mut state = state(true);
    let files = state.files(OURS.to_owned()).await.expect("no trap").expect("granted");
    assert_eq!(files[0].path, "sha256/ours");
    let read = state.read(OURS.to_owned(), "bin/web".to_owned(), 0, u32::MAX).await.expect("no trap").expect("granted");
    assert_eq!(read.len(), READ_BYTES_MAX as usize);
    let absent = state.read(OURS.to_owned(), "bin/other".to_owned(), 0, 1).await.expect("no trap");
    assert!(matches!(absent, Err(Error::Absent(_))), "{absent:?}");
    let other = state.files("sha256:another".to_owned()).await.expect("no trap");
    assert!(matches!(&other, Err(Error::Refused(why)) if why.contains(OURS)), "{other:?}");
    assert!(!state.transcript.sent(), "reading changes nothing");
}

#[tokio::test]
async fn a_checksum_is_of_the_whole_file_and_ends_with_the_call() {
    let mut state = state(true);
    let sum = state.checksum(OURS.to_owned(), "bin/small".to_owned()).await.expect("no trap").expect("granted");
    // FIPS 180-4, the example of one block.
    assert_eq!(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let outside = state.checksum(OURS.to_owned(), "../x".to_owned()).await.expect("no trap");
    assert!(matches!(outside, Err(Error::Invalid(_))), "{outside:?}");
    let other = state.checksum("sha256:another".to_owned(), "bin/small".to_owned()).await.expect("no trap");
    assert!(matches!(other, Err(Error::Refused(_))), "{other:?}");
    let endless = state.checksum(OURS.to_owned(), "bin/web".to_owned());
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), endless).await.is_err(), "it gives way to its time limit");
}

#[tokio::test]
async fn a_path_does_not_lead_out() {
    for path in ["../other/bin/web", "/etc/passwd", "bin/../../x", ""] {
        let read = state(true).read(OURS.to_owned(), path.to_owned(), 0, 1).await.expect("no trap");
        assert!(matches!(read, Err(Error::Invalid(_))), "{path}: {read:?}");
    }
}

#[tokio::test]
async fn without_the_grant_artifacts_fail_the_call() {
    let mut state = state(false);
    let files = state.files(OURS.to_owned()).await.expect("the guest may go on");
    assert!(matches!(files, Err(Error::Refused(_))), "{files:?}");
    let Some(CallErrorKind::Refused { power: "artifact", line, .. }) = state.transcript.stopped() else { panic!("not refused") };
    assert_eq!(line, r#"{"artifact":true}"#);
}
