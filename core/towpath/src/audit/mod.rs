//! `towpath audit`: looks at the record of what happened, and asks the journal itself.

mod plugins;
mod show;
mod verify;

use std::path::Path;

use cli::Output;

use crate::args::AuditCommand;
use crate::data::JOURNAL;
use crate::failure::Failure;
use crate::store;

pub(crate) async fn run(data_dir: &Path, command: &AuditCommand, output: &mut Output) -> Result<(), Failure> {
    let (url, ca_file) = match command {
        AuditCommand::Verify { store, ca_file } => (store, ca_file),
        AuditCommand::Show(args) => (&args.store, &args.ca_file),
    };
    let (journal, place) = store::open_to_read(&data_dir.join(JOURNAL), url.as_ref(), ca_file.as_deref()).await?;
    match command {
        AuditCommand::Verify { .. } => verify::run(&*journal, &place, output).await,
        AuditCommand::Show(args) => show::run(&*journal, &place, args, output).await,
    }
}
