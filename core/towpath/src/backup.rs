//! `towpath backup` and `towpath restore`: the journal as one file.

use std::path::Path;

use cli::Output;
use serde_json::json;

use crate::args::{BackupArgs, RestoreArgs};
use crate::data::{DataDir, JOURNAL};
use crate::failure::Failure;
use crate::{settings, store};

pub(crate) async fn back_up(data_dir: &Path, args: &BackupArgs, output: &mut Output) -> Result<(), Failure> {
    only_a_file()?;
    let (journal, to) = (data_dir.join(JOURNAL), args.file.clone());
    let copied = tokio::task::spawn_blocking(move || journal_sql::back_up(&journal, &to)).await;
    let copied = copied.map_err(|error| Failure::of("TP0405", &error))?;
    copied.map_err(|error| store::failed(&data_dir.display().to_string(), &error))?;
    let file = args.file.display().to_string();
    let said = match output.context.json {
        true => writeln!(output.out, "{}", json!({ "file": file })),
        false => writeln!(
            output.out,
            "the journal is in {file}; the releases' own folders, named by their content, are in {}",
            data_dir.join("artifacts").display()
        ),
    };
    said.map_err(|error| Failure::of("", &error))
}

pub(crate) async fn restore(data_dir: &Path, args: &RestoreArgs, output: &mut Output) -> Result<(), Failure> {
    only_a_file()?;
    let data = DataDir::open(data_dir)?;
    let (journal, copy, replace) = (data.journal(), args.file.clone(), args.replace);
    let restored = tokio::task::spawn_blocking(move || journal_sql::restore(&copy, &journal, replace)).await;
    let restored = restored.map_err(|error| Failure::of("TP0405", &error))?;
    let kept = restored.map_err(|error| store::failed(&data.path().display().to_string(), &error))?;
    let kept = kept.map(|kept| kept.display().to_string());
    let said = match (output.context.json, &kept) {
        (true, kept) => writeln!(output.out, "{}", json!({ "journal": data.journal(), "kept": kept })),
        (false, Some(kept)) => writeln!(output.out, "the journal is restored; the one that was there is kept as {kept}"),
        (false, None) => writeln!(output.out, "the journal is restored"),
    };
    said.map_err(|error| Failure::of("", &error))
}

/// A database has tools of its own for this, which know its users and its other schemas.
fn only_a_file() -> Result<(), Failure> {
    match settings::store(None) {
        None => Ok(()),
        Some(_) => Err(Failure::new("TP0407", format!("{} names a database, and this command copies a file", settings::STORE))
            .usage()
            .hint("pg_dump --schema=towpath copies the journal of a database, pg_restore puts it back")),
    }
}
