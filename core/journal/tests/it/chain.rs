//! The chain notices every way of changing what was written.

use journal::record::{BrokenChain, Link, NO_HASH, chain, verify_chain};
use model::{DeploymentId, Timestamp};

struct Record {
    seq: u64,
    at: i64,
    version: u32,
    payload: Vec<u8>,
    hash: Vec<u8>,
}

impl Record {
    fn link(&self) -> Link<'_> {
        Link { seq: self.seq, at: Timestamp(self.at), version: self.version, payload: &self.payload, hash: &self.hash }
    }
}

fn deployment() -> DeploymentId {
    DeploymentId::new("d-1").unwrap()
}

fn records() -> Vec<Record> {
    let mut before = NO_HASH;
    let write = |seq| {
        let mut record = Record { seq, at: 5, version: 1, payload: format!("payload {seq}").into_bytes(), hash: Vec::new() };
        before = chain(&before, &deployment(), &record.link());
        record.hash = before.to_vec();
        record
    };
    (1..=4).map(write).collect()
}

fn verify(records: &[Record]) -> Result<[u8; 32], BrokenChain> {
    verify_chain(&deployment(), records.iter().map(Record::link))
}

#[test]
fn an_untouched_chain_holds_and_ends_in_the_last_hash() {
    let records = records();
    assert_eq!(verify(&records).unwrap().to_vec(), records[3].hash);
    assert_eq!(verify(&[]).unwrap(), NO_HASH);
}

#[test]
fn a_change_of_any_field_shows_at_its_record() {
    let changes: [fn(&mut Record); 4] =
        [|record| record.payload[0] ^= 1, |record| record.at += 1, |record| record.version += 1, |record| record.hash[31] ^= 1];
    for (index, change) in changes.into_iter().enumerate() {
        let mut records = records();
        change(&mut records[2]);
        let found = verify(&records);
        assert!(matches!(found, Err(BrokenChain::Changed { seq: 3, .. })), "change {index}: {found:?}");
    }
}

#[test]
fn a_record_that_is_missing_or_of_another_deployment_shows() {
    let mut shortened = records();
    shortened.remove(1);
    assert_eq!(verify(&shortened), Err(BrokenChain::Gap { expected: 2, found: 3 }));
    let other = DeploymentId::new("d-2").unwrap();
    let found = verify_chain(&other, records().iter().map(Record::link));
    assert!(matches!(found, Err(BrokenChain::Changed { seq: 1, .. })), "{found:?}");
}
