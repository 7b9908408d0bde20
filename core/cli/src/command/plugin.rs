//! Plugins.

use towpath_proto::v1;

use super::answer;
use crate::args::{GrantPlace, PluginCommand, PluginInstallArgs, PluginRemoveArgs};
use crate::client::Client;
use crate::clock::now_millis;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::table;
use crate::text::{clean, duration, line};

/// Shows plugins, installs them and says what they may do.
pub(super) async fn plugin(client: &Client, command: &PluginCommand, output: &mut Output) -> Result<Exit, Error> {
    let mut stub = client.plugins();
    match command {
        PluginCommand::Install(args) => install(client, args, output).await,
        PluginCommand::List => {
            let list = stub.list(v1::ListRequest {}).await?.into_inner();
            answer(output, &list, |output| {
                let rows: Vec<_> = list.plugins.iter().map(row).collect();
                let paint = output.paint();
                Ok(table::write(&mut *output.out, paint, &["NAME", "VERSION", "STATE", "KINDS", "POWERS", "DIGEST"], &rows)?)
            })
        }
        PluginCommand::Inspect(args) => {
            let plugin = stub.get(v1::GetRequest { name: args.name.clone() }).await?.into_inner();
            answer(output, &plugin, |output| one(output, &plugin))
        }
        PluginCommand::Grant(args) => {
            let request = v1::GrantPluginRequest {
                name: args.name.clone(),
                environment: environment(&args.place),
                powers: powers(&args.powers)?,
                expires_at_ms: args.expires.map_or(0, |lasting| now_millis() + lasting),
                reason: args.reason.clone(),
            };
            let plugin = stub.grant(request).await?.into_inner();
            answer(output, &plugin, |output| said(output, "granted", &plugin))
        }
        PluginCommand::Revoke(args) => {
            let request = v1::RevokePluginRequest {
                name: args.name.clone(),
                environment: environment(&args.place),
                power: args.power.clone().unwrap_or_default(),
                reason: args.reason.clone(),
            };
            let plugin = stub.revoke(request).await?.into_inner();
            answer(output, &plugin, |output| said(output, "revoked", &plugin))
        }
        PluginCommand::Approve(args) => {
            let plugin = stub.approve(v1::GetRequest { name: args.name.clone() }).await?.into_inner();
            answer(output, &plugin, |output| said(output, "approved", &plugin))
        }
        PluginCommand::Remove(args) => remove(client, args, output).await,
    }
}

/// Shows what a component is, asks, and installs exactly what was shown.
async fn install(client: &Client, args: &PluginInstallArgs, output: &mut Output) -> Result<Exit, Error> {
    let mut stub = client.plugins();
    let request = v1::InstallPluginRequest {
        reference: args.reference.clone(),
        digest: args.digest.clone().unwrap_or_default(),
        name: args.name.clone().unwrap_or_default(),
        check_only: true,
    };
    let shown = stub.install(request.clone()).await?.into_inner();
    if !output.context.json {
        one(output, &shown)?;
    }
    if !args.yes && !agreed(output, &format!("Install {} {}?", line(&shown.name), line(&shown.version)))? {
        return Err(Error::Declined);
    }
    let request = v1::InstallPluginRequest { digest: shown.digest, check_only: false, ..request };
    let plugin = stub.install(request).await?.into_inner();
    answer(output, &plugin, |output| {
        said(output, "installed", &plugin)?;
        match plugin.state.as_str() {
            "waiting" => {
                let more = plugin.new_powers.join(", ");
                let text =
                    format!("it asks for more than the one before ({more}) and waits: towpath plugin approve {}", plugin.name);
                Ok(writeln!(output.out, "{}", line(&text))?)
            }
            _ => Ok(()),
        }
    })
}

async fn remove(client: &Client, args: &PluginRemoveArgs, output: &mut Output) -> Result<Exit, Error> {
    if !args.yes && !agreed(output, &format!("Remove {} with its grants?", line(&args.name)))? {
        return Err(Error::Declined);
    }
    let request = v1::RemovePluginRequest { name: args.name.clone(), force: args.force };
    let removed = client.plugins().remove(request).await?.into_inner();
    answer(output, &removed, |output| Ok(writeln!(output.out, "removed {} {}", line(&removed.name), line(&removed.digest))?))
}

/// Asks; where nobody can be asked, nobody has agreed.
fn agreed(output: &mut Output, question: &str) -> Result<bool, Error> {
    if !output.context.can_ask {
        return Ok(false);
    }
    write!(output.err, "\n{question} [y/N] ")?;
    output.err.flush()?;
    let mut said = String::new();
    std::io::stdin().read_line(&mut said)?;
    Ok(matches!(said.trim(), "y" | "Y" | "yes"))
}

fn environment(place: &GrantPlace) -> String {
    place.environment.clone().unwrap_or_default()
}

/// Returns the powers as they were given, or from the file that was named.
fn powers(given: &str) -> Result<String, Error> {
    match given.strip_prefix('@') {
        Some(file) => Ok(super::read(file.as_ref())?.0),
        None => Ok(given.to_owned()),
    }
}

fn row(plugin: &v1::Plugin) -> Vec<String> {
    let powers = plugin.powers.iter().map(|power| power.name.clone()).collect::<Vec<_>>().join(", ");
    let (name, version, state) = (plugin.name.clone(), plugin.version.clone(), plugin.state.clone());
    vec![name, version, state, plugin.kinds.join(", "), powers, plugin.digest.clone()]
}

/// Says what was done, and what is granted now.
fn said(output: &mut Output, done: &str, plugin: &v1::Plugin) -> Result<(), Error> {
    let text = format!("{done} {} {} {} ({})", plugin.name, plugin.version, plugin.digest, plugin.state);
    writeln!(output.out, "{}", line(&text))?;
    for grant in &plugin.grants {
        writeln!(output.out, "grant     {}", line(&granted(grant)))?;
    }
    Ok(())
}

fn granted(grant: &v1::PluginGrant) -> String {
    let place = match grant.environment.as_str() {
        "" => "everywhere",
        environment => environment,
    };
    let until = match (grant.expires_at_ms, grant.expired) {
        (0, _) => "until it is revoked".to_owned(),
        (_, true) => "expired".to_owned(),
        (at, false) => format!("for {} more", duration(at - now_millis())),
    };
    let reason = if grant.reason.is_empty() { String::new() } else { format!(": {}", grant.reason) };
    format!("{place}, {until}, by {}{reason} {}", grant.granted_by, grant.powers)
}

/// Materials that are named on a page; all of them are in its JSON.
const MATERIALS_NAMED_MAX: usize = 5;

fn named(materials: &[v1::Material]) -> String {
    let first =
        materials.iter().take(MATERIALS_NAMED_MAX).map(|one| format!("{} {}", one.name, one.version).trim_end().to_owned());
    let mut named: Vec<_> = first.collect();
    if materials.len() > MATERIALS_NAMED_MAX {
        named.push("…; --json shows them".to_owned());
    }
    named.join(", ")
}

/// Says what was asked of the host, when, for whom, and what came of it.
fn used(latest: &v1::PowerUse) -> String {
    let v1::PowerUse { power, what, outcome, why, at_ms, elapsed_us, deployment, service, environment } = latest;
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    let whom = match (deployment.as_str(), service.as_str()) {
        ("", "") => "outside of a deployment".to_owned(),
        ("", service) => format!("{service} in {environment}"),
        (deployment, service) => format!("{service} in {environment}, {deployment}"),
    };
    format!("{} ago {power} {what} ({outcome}{why}, {elapsed_us} us) for {whom}", duration(now_millis() - at_ms))
}

fn one(output: &mut Output, plugin: &v1::Plugin) -> Result<(), Error> {
    let mut lines = vec![
        ("plugin", format!("{} {}", plugin.name, plugin.version)),
        ("kinds", plugin.kinds.join(", ")),
        ("digest", format!("{} ({} bytes)", plugin.digest, plugin.size)),
    ];
    let optional = [("state", &plugin.state), ("problem", &plugin.problem), ("from", &plugin.source)];
    lines.extend(optional.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, value.clone())));
    if !plugin.source.is_empty() {
        let signers = plugin.signed_by.join(", ");
        lines.push(("signed by", if signers.is_empty() { "nobody that was verified".to_owned() } else { signers }));
    }
    if let Some(v1::Materials { format, materials, more }) = &plugin.materials {
        let all = materials.len() + *more as usize;
        lines.push(("made of", format!("{all} parts, as {format} lists them ({})", named(materials))));
    }
    lines.extend(plugin.powers.iter().map(|power| {
        let new = if plugin.new_powers.contains(&power.name) { " (new)" } else { "" };
        ("power", format!("{}{new}: {}", power.name, power.reason))
    }));
    lines.extend(plugin.grants.iter().map(|grant| ("grant", granted(grant))));
    if plugin.calls > 0 {
        lines.push(("calls", format!("{}, {} failed", plugin.calls, plugin.failed_calls)));
    }
    lines.extend(
        plugin.usage.iter().map(|use_| {
            ("used", format!("{}: {} times, {} failed, {} refused", use_.power, use_.used, use_.failed, use_.refused))
        }),
    );
    lines.extend(plugin.latest_uses.iter().map(|latest| ("latest", used(latest))));
    for (name, value) in lines {
        writeln!(output.out, "{name:<9} {}", clean(&value))?;
    }
    for v1::SettingsSchema { kind, schema } in &plugin.settings_schemas {
        writeln!(output.out, "settings of the {}\n{}", clean(kind), clean(schema))?;
    }
    Ok(())
}
