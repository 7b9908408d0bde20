//! Plugins.

use towpath_proto::v1;

use super::answer;
use crate::args::PluginCommand;
use crate::client::Client;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::table;
use crate::text::clean;

/// Shows plugins.
pub(super) async fn plugin(client: &Client, command: &PluginCommand, output: &mut Output) -> Result<Exit, Error> {
    let mut stub = client.plugins();
    match command {
        PluginCommand::List => {
            let list = stub.list(v1::ListRequest {}).await?.into_inner();
            answer(output, &list, |output| {
                let rows: Vec<_> = list.plugins.iter().map(row).collect();
                let paint = output.paint();
                Ok(table::write(&mut *output.out, paint, &["NAME", "VERSION", "KINDS", "POWERS", "DIGEST"], &rows)?)
            })
        }
        PluginCommand::Get(args) => {
            let plugin = stub.get(v1::GetRequest { name: args.name.clone() }).await?.into_inner();
            answer(output, &plugin, |output| one(output, &plugin))
        }
    }
}

fn row(plugin: &v1::Plugin) -> Vec<String> {
    let powers = plugin.powers.iter().map(|power| power.name.clone()).collect::<Vec<_>>().join(", ");
    vec![plugin.name.clone(), plugin.version.clone(), plugin.kinds.join(", "), powers, plugin.digest.clone()]
}

fn one(output: &mut Output, plugin: &v1::Plugin) -> Result<(), Error> {
    let mut lines = vec![
        ("plugin", format!("{} {}", plugin.name, plugin.version)),
        ("kinds", plugin.kinds.join(", ")),
        ("digest", format!("{} ({} bytes)", plugin.digest, plugin.size)),
    ];
    lines.extend(plugin.powers.iter().map(|power| ("power", format!("{}: {}", power.name, power.reason))));
    for (name, value) in lines {
        writeln!(output.out, "{name:<9} {}", clean(&value))?;
    }
    Ok(writeln!(output.out, "settings\n{}", clean(&plugin.settings_schema))?)
}
