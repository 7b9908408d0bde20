//! A plugin call in a fresh sandbox, against a bare wasmtime instantiate-and-call of the same component, in one run.
//!
//! Prints a table and ends with status 1 when a budget is exceeded.
#![expect(clippy::print_stdout, reason = "a benchmark's table is its output")]

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plugin_host::{CallContext, Grants, Options, Plugin, PluginHost};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

/// The component that is called: the first-party target, asked what it can do. It parses its settings and answers.
const PLUGIN: &str = "target-local";

/// Calls before counting begins: caches and pools fill.
const WARM_UP: usize = 200;

/// Calls that are counted.
const CALLS: usize = 3_000;

/// Loads that are counted.
const LOADS: usize = 50;

/// The budget of a call: so many times the bare one, at the median.
const RATIO_MAX: f64 = 3.0;

/// The budget of a call, at p99.
const CALL_P99_MAX: Duration = Duration::from_millis(1);

/// The budget of a load of a component that was compiled before.
const LOAD_MAX: Duration = Duration::from_millis(5);

mod bindings {
    //! The same world as the host's, without its limits.
    wasmtime::component::bindgen!({ path: "../../sdk/wit/0.3", world: "target-plugin" });
}

/// Times in growing order.
struct Times(Vec<Duration>);

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let component = bundled_plugins::all().iter().find(|bundled| bundled.name == PLUGIN).expect("it is carried").component;
    let folder = tempfile::tempdir().expect("a folder");
    let options = || Options { cache_dir: Some(folder.path().to_owned()), ..Options::default() };
    let host = PluginHost::new(options()).expect("a host");
    let plugin = host.load(component).expect("a plugin");

    let bare = bare(component);
    let sandboxed = runtime.block_on(sandboxed(&plugin));
    let loads = Times::of(LOADS, || drop(host.load(component).expect("a plugin")));
    let ratio = sandboxed.at(0.5).as_secs_f64() / bare.at(0.5).as_secs_f64();

    println!("{:<44} {:>10} {:>10} {:>14}", "plugin calls", "p50", "p99", "budget");
    row("bare wasmtime, instantiate and call", &bare, "");
    row("plugin host, fresh sandbox and call", &sandboxed, &format!("p99 {CALL_P99_MAX:?}"));
    row("plugin host, load what was compiled before", &loads, &format!("p50 {LOAD_MAX:?}"));
    println!("{:<44} {ratio:>9.2}x {:>10} {:>14}", "sandbox against bare", "", format!("p50 {RATIO_MAX}x"));
    let met = ratio <= RATIO_MAX && sandboxed.at(0.99) <= CALL_P99_MAX && loads.at(0.5) <= LOAD_MAX;
    println!("{}", if met { "within budget" } else { "over budget" });
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Instantiates and calls with nothing of ours: wasmtime's own settings, no limits, no powers.
fn bare(component: &[u8]) -> Times {
    let engine = Engine::new(&Config::new()).expect("an engine");
    let component = Component::from_binary(&engine, component).expect("a component");
    let mut linker = Linker::<()>::new(&engine);
    linker.define_unknown_imports_as_traps(&component).expect("imports");
    let pre = bindings::TargetPluginPre::new(linker.instantiate_pre(&component).expect("it links")).expect("a target");
    Times::of(CALLS, || {
        let mut store = Store::new(&engine, ());
        let plugin = pre.instantiate(&mut store).expect("an instance");
        let answer = plugin.towpath_plugin_target().call_describe(&mut store, "{}").expect("an answer");
        assert!(answer.is_ok());
    })
}

async fn sandboxed(plugin: &Plugin) -> Times {
    let (context, grants) = (context(), Grants::default());
    let mut times = Vec::with_capacity(CALLS);
    for number in 0..WARM_UP + CALLS {
        let begun = now();
        let called = plugin.describe(&context, &grants).await.expect("an answer");
        assert!(called.answer.is_ok());
        if number >= WARM_UP {
            times.push(begun.elapsed());
        }
    }
    Times::sorted(times)
}

#[expect(clippy::disallowed_methods, reason = "deadlines are absolute")]
fn context() -> CallContext {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + Duration::from_secs(240);
    CallContext {
        settings: "{}".to_owned(),
        deadline_ms: i64::try_from(deadline.as_millis()).expect("our age"),
        ..CallContext::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}

impl Times {
    fn of(count: usize, mut work: impl FnMut()) -> Self {
        for _ in 0..WARM_UP.min(count) {
            work();
        }
        let timed = |_| {
            let begun = now();
            work();
            begun.elapsed()
        };
        Self::sorted((0..count).map(timed).collect())
    }

    fn sorted(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    fn at(&self, share: f64) -> Duration {
        self.0[((self.0.len() - 1) as f64 * share) as usize]
    }
}

fn row(name: &str, times: &Times, budget: &str) {
    let micros = |time: Duration| format!("{:.1} us", time.as_secs_f64() * 1e6);
    println!("{name:<44} {:>10} {:>10} {budget:>14}", micros(times.at(0.5)), micros(times.at(0.99)));
}
