//! Plugins: what the server is told about them.

use clap::{Args, Subcommand};

use super::NameArgs;

/// What can be done with plugins.
#[derive(Clone, Debug, Subcommand)]
pub enum PluginCommand {
    /// Installs a plugin on the server, once it was shown what it is and what it asks for.
    ///
    /// A new digest that asks for no more than the one before takes over its name and its grants; one that asks for more waits.
    ///
    /// Example: towpath plugin install /srv/plugins/health-queue.wasm
    Install(PluginInstallArgs),
    /// Lists the plugins that the server knows, with every digest that is installed.
    List,
    /// Shows one plugin: where it came from, its powers, its grants and what it used.
    ///
    /// Example: towpath plugin inspect health-queue
    #[command(visible_alias = "get")]
    Inspect(NameArgs),
    /// Grants a plugin powers; what was granted there before is replaced.
    ///
    /// Example: towpath plugin grant health-queue --environment local --expires 30d --powers '{"http": {"allow": [{"host": "a.example"}]}}'
    Grant(PluginGrantArgs),
    /// Takes back what was granted; holds from the plugin's next use of a power.
    ///
    /// Example: towpath plugin revoke health-queue --environment local --power http
    Revoke(PluginRevokeArgs),
    /// Lets a plugin that asks for more than the one before take over its name and grants.
    ///
    /// Example: towpath plugin approve health-queue
    Approve(NameArgs),
    /// Removes an installed plugin that nothing uses, with its grants.
    ///
    /// Example: towpath plugin remove health-queue
    Remove(PluginRemoveArgs),
}

/// What to install.
#[derive(Clone, Debug, Args)]
pub struct PluginInstallArgs {
    /// Where it is: a reference to a registry, like registry.example/team/health-queue:1.0.0; FOLDER#REFERENCE for a folder of plugins on
    /// the server's machine; or the absolute path of a component there.
    pub reference: String,
    /// Install only the component with this digest.
    #[arg(long, value_name = "DIGEST")]
    pub digest: Option<String>,
    /// What paths and environments shall call it; without it, as it calls itself.
    #[arg(long)]
    pub name: Option<String>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// Where a grant holds.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct GrantPlace {
    /// In this environment.
    #[arg(long)]
    pub environment: Option<String>,
    /// In all environments.
    #[arg(long)]
    pub everywhere: bool,
}

/// What to grant.
#[derive(Clone, Debug, Args)]
pub struct PluginGrantArgs {
    /// The plugin; NAME@DIGEST for another digest than the one that its name stands for.
    pub name: String,
    /// Where.
    #[command(flatten)]
    pub place: GrantPlace,
    /// The powers, as the JSON that a refusal shows, or @FILE.
    #[arg(long, value_name = "JSON|@FILE")]
    pub powers: String,
    /// For how long, like 90s, 12h or 30d; without it, until it is revoked.
    #[arg(long, value_name = "DURATION", value_parser = lasting)]
    pub expires: Option<i64>,
    /// Why; it stands in the record.
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// What to take back.
#[derive(Clone, Debug, Args)]
pub struct PluginRevokeArgs {
    /// The plugin; NAME@DIGEST for another digest than the one that its name stands for.
    pub name: String,
    /// Where.
    #[command(flatten)]
    pub place: GrantPlace,
    /// Only this power; without it, everything that was granted there.
    #[arg(long)]
    pub power: Option<String>,
    /// Why; it stands in the record.
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// What to remove.
#[derive(Clone, Debug, Args)]
pub struct PluginRemoveArgs {
    /// The plugin; NAME@DIGEST for another digest than the one that its name stands for.
    pub name: String,
    /// Although releases pin it; they can be deployed no more.
    #[arg(long)]
    pub force: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// Returns a duration in milliseconds.
fn lasting(text: &str) -> Result<i64, String> {
    let wrong = || "expected a number and s, m, h or d, like 90s, 12h or 30d".to_owned();
    let split = text.char_indices().next_back().map(|(at, _)| text.split_at(at)).ok_or_else(wrong)?;
    let unit = match split.1 {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let number: i64 = split.0.parse().map_err(|_| wrong())?;
    let lasting = number.checked_mul(unit).filter(|millis| (1..=LASTING_MAX).contains(millis));
    lasting.ok_or_else(|| "expected at least one second and at most 3650d".to_owned())
}

/// Ten years: what shall hold longer is granted until it is revoked.
const LASTING_MAX: i64 = 3_650 * 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!([lasting("5s"), lasting("5m"), lasting("12h")], [Ok(5_000), Ok(300_000), Ok(43_200_000)]);
        assert_eq!([lasting("30d"), lasting("3650d")], [Ok(2_592_000_000), Ok(LASTING_MAX)]);
        for wrong in ["", "d", "30", "-1d", "0d", "1.5h", "9999d", "99999999999999999999d", "1ä"] {
            assert!(lasting(wrong).is_err(), "{wrong}");
        }
    }
}
