//! Arguments and environment, resolved once. Nothing behind this reads the environment.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use cli::Context;

use crate::args::{Color, Common, Secret};
use crate::failure::Failure;

/// Returns what the arguments and the environment say together; arguments win.
pub(crate) fn resolve(common: &Common) -> Result<Context, Failure> {
    let terminal = std::io::stdout().is_terminal();
    Ok(Context {
        server: common.server.clone().or_else(|| environment("TOWPATH_SERVER").and_then(|server| server.into_string().ok())),
        data_dir: data_dir(common)?,
        token_file: common.token_file.clone().or_else(|| environment("TOWPATH_TOKEN_FILE").map(PathBuf::from)),
        json: common.json,
        color_out: colored(common.color, terminal),
        color_err: colored(common.color, std::io::stderr().is_terminal()),
        terminal,
        can_ask: std::io::stdin().is_terminal() && !common.json,
    })
}

/// Returns whether a stream is painted.
pub(crate) fn colored(color: Color, terminal: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && environment("NO_COLOR").is_none() && environment("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// The variable that names the journal's database.
pub(crate) const STORE: &str = "TOWPATH_STORE";

/// Returns the URL of the journal's database, if one is named.
pub(crate) fn store(given: Option<&Secret>) -> Option<String> {
    let given = given.map(|store| store.0.clone());
    given.or_else(|| environment(STORE).and_then(|store| store.into_string().ok()))
}

fn data_dir(common: &Common) -> Result<PathBuf, Failure> {
    let given = common.data_dir.clone().or_else(|| environment("TOWPATH_DATA_DIR").map(PathBuf::from));
    let of_the_user = || environment("XDG_DATA_HOME").map(PathBuf::from);
    let of_the_home = || environment("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    given.or_else(|| of_the_user().or_else(of_the_home).map(|folder| folder.join("towpath"))).ok_or_else(|| {
        Failure::new("TP0404", "there is no data folder: neither --data-dir, nor TOWPATH_DATA_DIR, nor HOME is set")
            .usage()
            .hint("name one with --data-dir")
    })
}

/// Returns the folder of what can be made again, if the user has one: what was compiled of plugins under development.
pub(crate) fn cache_dir() -> Option<PathBuf> {
    let of_the_home = || environment("HOME").map(|home| PathBuf::from(home).join(".cache"));
    environment("XDG_CACHE_HOME").map(PathBuf::from).or_else(of_the_home).map(|folder| folder.join("towpath"))
}

/// Returns the environment that the server was started with: grants may say that a secret is kept there.
pub(crate) fn whole_environment() -> plugin_host::ServerEnvironment {
    // What is not text cannot be a secret that is sent anywhere.
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// The variable that holds the password of a key to sign with; cosign's name for it.
pub(crate) const KEY_PASSWORD: &str = "COSIGN_PASSWORD";

/// Returns the password of a key to sign with; an empty one is one.
#[expect(clippy::disallowed_methods, reason = "this is the one file that reads the environment")]
pub(crate) fn key_password() -> Option<Vec<u8>> {
    std::env::var_os(KEY_PASSWORD).map(std::os::unix::ffi::OsStringExt::into_vec)
}

/// The variable that holds a bearer token for the Prometheus of a replay.
pub(crate) const PROMETHEUS_TOKEN: &str = "TOWPATH_PROMETHEUS_TOKEN";

/// The variable that holds the password for it.
pub(crate) const PROMETHEUS_PASSWORD: &str = "TOWPATH_PROMETHEUS_PASSWORD";

/// Returns a secret that is kept in a variable.
pub(crate) fn secret(variable: &str) -> Option<Secret> {
    environment(variable).and_then(|secret| secret.into_string().ok()).map(Secret)
}

/// An empty variable is as good as none.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
