//! `towpath audit verify`: reads every record and says where the chain does not hold.

use cli::Output;
use journal::{DeploymentFilter, Store, StoreError};
use serde::Serialize;

use crate::failure::Failure;
use crate::store;

/// Deployments that are listed at once.
const PAGE: u32 = 500;

/// Places that are told one by one; after so many the rest is a number.
const BROKEN_SHOWN_MAX: usize = 100;

/// What was read.
#[derive(Debug, Default, Serialize)]
struct Verified {
    deployments: u64,
    records: u64,
    broken: Vec<Broken>,
}

#[derive(Debug, Serialize)]
struct Broken {
    deployment: String,
    message: String,
}

pub(super) async fn run(journal: &dyn Store, place: &str, output: &mut Output) -> Result<(), Failure> {
    let verified = verify(journal).await.map_err(|error| store::failed(place, &error))?;
    tell(output, &verified).map_err(|error| Failure::of("", &error))?;
    match verified.broken.len() {
        0 => Ok(()),
        broken => {
            let message =
                format!("the journal in {place} is not what was written, in {broken} of {} deployments", verified.deployments);
            Err(Failure::new("TP0402", message).hint("keep a copy as it is, and compare it with a backup"))
        }
    }
}

async fn verify(store: &dyn Store) -> Result<Verified, StoreError> {
    let mut verified = Verified::default();
    let mut before = None;
    loop {
        let filter = DeploymentFilter { before, limit: PAGE, ..DeploymentFilter::default() };
        let rows = store.deployments(&filter).await?;
        let Some(last) = rows.last() else { return Ok(verified) };
        before = Some(last.id.clone());
        for row in &rows {
            verified.deployments += 1;
            match store.load(&row.id).await {
                Ok(Some(loaded)) => verified.records += loaded.events.len() as u64,
                Ok(None) => {}
                Err(error) if error.is_of_one_deployment() => {
                    verified.broken.push(Broken { deployment: row.id.to_string(), message: error.to_string() });
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn tell(output: &mut Output, verified: &Verified) -> std::io::Result<()> {
    if output.context.json {
        return writeln!(output.out, "{}", serde_json::to_string(verified)?);
    }
    for broken in verified.broken.iter().take(BROKEN_SHOWN_MAX) {
        writeln!(output.out, "{}", broken.message)?;
    }
    let Verified { deployments, records, broken } = verified;
    match broken.len() {
        0 => writeln!(output.out, "every chain holds: {records} records of {deployments} deployments"),
        broken => writeln!(output.out, "{broken} of {deployments} deployments are broken; {records} records of the others hold"),
    }
}
