//! What operators did with plugins, as `towpath audit show` tells it.

use api::document::{self, PluginRecordDocument};
use journal::{Store, StoreError};
use model::Timestamp;

use super::show::Act;
use crate::args::AuditShowArgs;

/// What was found, and why some of it was not.
#[derive(Default)]
pub(super) struct Found {
    pub(super) acts: Vec<Act>,
    pub(super) unreadable: Vec<String>,
}

/// Reads what was done with plugins since then; nothing where only a service or a deployment is asked for.
pub(super) async fn read(journal: &dyn Store, args: &AuditShowArgs, since: Timestamp) -> Result<Found, StoreError> {
    let mut found = Found::default();
    if args.deployment.is_some() || args.service.is_some() {
        return Ok(found);
    }
    for record in document::plugin_records_of(journal, args.plugin.as_deref()).await? {
        match record {
            Ok(record) if fits(&record, args, since) => found.acts.push(act(record)),
            Ok(_) => {}
            Err(why) => found.unreadable.push(why),
        }
    }
    Ok(found)
}

fn fits(record: &PluginRecordDocument, args: &AuditShowArgs, since: Timestamp) -> bool {
    // What holds in all environments holds in the one that is asked for.
    let there =
        |wanted: &String| record.environment.as_ref().is_some_and(|found| found == wanted || found == document::ALL_ENVIRONMENTS);
    Timestamp(record.at_ms) >= since
        && args.by.as_ref().is_none_or(|by| *by == record.by)
        && args.environment.as_ref().is_none_or(there)
}

fn act(record: PluginRecordDocument) -> Act {
    let what = format!("{} {}", record.act, record.what);
    Act {
        at: Timestamp(record.at_ms),
        by: record.by,
        groups: Vec::new(),
        from: record.from,
        what: if record.reason.is_empty() { what } else { format!("{what}: {}", record.reason) },
        service: String::new(),
        environment: record.environment.unwrap_or_default(),
        deployment: String::new(),
        plugin: record.plugin,
        digest: record.digest,
        result: "done".to_owned(),
    }
}
