//! What a slot is filled with: the program's script, its environment, its configuration, and the supervisor's unit.

use towpath_sdk::powers::ssh::quote;
use towpath_sdk::target::Call;

use crate::fleet::acting;
use crate::plan::SidePlan;
use crate::report::{Identity, Slot};
use crate::script::Script;
use crate::settings::{Host, Ports, Settings, Supervisor};

/// How many files of log are kept, and how large each may grow, where the supervisor does not see to it.
const LOG: &str = "s1000000\nn5\n";

/// Returns the script that fills a slot anew and has it run.
pub(crate) fn start(call: &Call<Settings>, host: &Host, side: &SidePlan, slot: Slot) -> Script {
    let scope = crate::scope(call.settings.root(host), &call.context);
    let place = format!("{scope}/slots/{}", slot.as_str());
    let Identity { release, digest, fingerprint } = &side.identity;
    let port = port(&call.settings, host, side, slot);
    let path = if side.configuration.readiness.path.is_empty() { "-" } else { &side.configuration.readiness.path };
    let script = stopping(acting(call, host), side.configuration.stop_timeout_ms).with("SIDE", side.side.as_str());
    let script = script.then(&["fresh", slot.as_str()]);
    let script = script.then(&["file", "644", "identity", &format!("{release} {digest} {fingerprint}\n")]);
    let script = script.then(&["file", "644", "readiness", &format!("{port} {path}\n")]);
    let script = script.then(&["file", "600", "env", &environment(side, host, port, &place)]);
    let script = script.then(&["file", "755", "run", &program(call, side, &scope, &place)]);
    let mut script = supervised(script, call, side, &place);
    for file in &side.configuration.files {
        script = script.then(&["file", &file.mode, &format!("config/{}", file.path), &file.content]);
    }
    if let (Some(user), false) = (&call.settings.user, side.configuration.files.is_empty()) {
        script = script.then(&["owned", user]);
    }
    script.then(&["start", slot.as_str()])
}

/// Returns the script with how long what it ends may take.
pub(crate) fn stopping(script: Script, timeout_ms: u64) -> Script {
    script.with("STOP", timeout_ms.div_ceil(1_000).to_string())
}

/// Returns the port of a slot.
pub(crate) fn port(settings: &Settings, host: &Host, side: &SidePlan, slot: Slot) -> u16 {
    let configured = side.configuration.port;
    let Ports { a, b } = host.ports.or(settings.ports).unwrap_or(Ports { a: configured, b: configured.saturating_add(1) });
    match slot {
        Slot::A => a,
        Slot::B => b,
    }
}

/// Returns the variables, as a shell reads them.
fn environment(side: &SidePlan, host: &Host, port: u16, place: &str) -> String {
    let ours = [("PORT", port.to_string()), ("HOST", host.address.clone()), ("CONFIG_DIR", format!("{place}/config"))];
    let theirs = side.configuration.env.iter().map(|(name, value)| (name.as_str(), value.clone()));
    ours.into_iter().chain(theirs).map(|(name, value)| format!("{name}={}\n", quote(&value))).collect()
}

/// Returns the program's script: it counts the start, reads the environment, becomes the user, and is replaced by the program.
fn program(call: &Call<Settings>, side: &SidePlan, scope: &str, place: &str) -> String {
    let words: Vec<_> = side.configuration.command.iter().map(|word| quote(word)).collect();
    let user = call.settings.user.as_ref().map_or_else(String::new, |user| {
        let user = quote(user);
        format!("setpriv --reuid {user} --regid \"$(id -g {user})\" --init-groups ")
    });
    let (starts, release) = (quote(&format!("{place}/starts")), quote(&format!("{scope}/releases/{}", side.identity.digest)));
    let env = quote(&format!("{place}/env"));
    format!(
        "#!/bin/sh\nexec 2>&1\necho >>{starts}\ncd {release} || exit 111\nset -a\n. {env}\nset +a\nexec {user}{}\n",
        words.join(" ")
    )
}

fn supervised(script: Script, call: &Call<Settings>, side: &SidePlan, place: &str) -> Script {
    match call.settings.supervisor {
        Supervisor::Runit(_) => {
            let log = quote(&format!("{place}/log"));
            serviced(script, place, &format!("mkdir -p {log}\nprintf {} >{log}/config\nexec svlogd -tt {log}\n", quote(LOG)))
        }
        // The same words, in one line.
        Supervisor::S6(_) => serviced(
            script,
            place,
            &format!("exec s6-log T {} {}\n", LOG.trim().replace('\n', " "), quote(&format!("{place}/log"))),
        ),
        Supervisor::Systemd(_) => script.then(&["file", "644", "unit", &unit(call, side, place)]),
    }
}

/// Returns the script with a folder as runit and s6 take it: what runs the program, and beside it what takes its lines.
fn serviced(script: Script, place: &str, log: &str) -> Script {
    let run = format!("#!/bin/sh\nexec {}\n", quote(&format!("{place}/run")));
    script.then(&["file", "755", "service/run", &run]).then(&["file", "755", "service/log/run", &format!("#!/bin/sh\n{log}")])
}

/// Returns a unit of systemd. The folder has plain characters alone, so nothing in it needs quoting.
fn unit(call: &Call<Settings>, side: &SidePlan, place: &str) -> String {
    let (service, environment) = (&call.context.service, &call.context.environment);
    let stop_seconds = side.configuration.stop_timeout_ms.div_ceil(1_000);
    format!(
        "# Written by Towpath; what is changed here is reported as drift.\n\
         [Unit]\n\
         Description={service} in {environment}, release {release}\n\
         After=network-online.target\n\
         Wants=network-online.target\n\
         StartLimitIntervalSec=0\n\
         \n\
         [Service]\n\
         ExecStart={place}/run\n\
         Restart=always\n\
         RestartSec=1\n\
         TimeoutStopSec={stop_seconds}\n\
         KillMode=mixed\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n",
        release = side.identity.release,
    )
}
