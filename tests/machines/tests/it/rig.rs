//! The component in its sandbox, a fleet, and releases of the example service.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plugin_host::{
    ArtifactBackend, ArtifactFault, ArtifactFile, CallContext, Desired, Fault, Grants, Observation, Options, Plugin, PluginHost,
    Progress, RequestKey, SideDesired, Traffic,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use test_machines::Fleet;
use tokio::runtime::Runtime;

/// How long one call may take: what a server gives a target.
const CALL: Duration = Duration::from_secs(10);

/// How often a call is tried that fails for the moment: half as often as an engine does where a path says nothing.
const ATTEMPTS_MAX: u32 = 4;

/// The first pause before another attempt; each further one is twice as long, as an engine's are.
const RETRY_FIRST_MS: u64 = 200;

/// How many calls an operation may need on a busy machine, with the pauses that the target asks for.
const CALLS_MAX: u32 = 300;

/// What a release may have, and whether it is a program.
const FILES: [(&str, bool); 4] =
    [("ballast", false), ("docs/it's here/read me", false), ("hello-service", true), ("hello.env", false)];

/// A target on a fleet.
pub(crate) struct Rig {
    pub(crate) fleet: Fleet,
    plugin: Plugin,
    runtime: Runtime,
    store: Arc<Store>,
    settings: Value,
    /// What it is granted beside its hosts.
    granted: BTreeMap<&'static str, Value>,
    /// What every release's configuration has beside its program.
    configured: BTreeMap<&'static str, Value>,
    fence: u64,
}

/// The artifacts, each in a folder of its own.
struct Store {
    folder: tempfile::TempDir,
}

impl Rig {
    /// Starts so many hosts.
    pub(crate) fn start(hosts: usize) -> Self {
        Self::on(Fleet::start(hosts))
    }

    pub(crate) fn on(fleet: Fleet) -> Self {
        let store = Arc::new(Store { folder: tempfile::tempdir().expect("a folder") });
        let options = Options { artifacts: Some(Arc::<Store>::clone(&store)), ..Options::default() };
        let bundled = bundled_plugins::all().iter().find(|bundled| bundled.name == "target-vm").expect("it is carried");
        let plugin = PluginHost::new(options).expect("a host").load(bundled.component).expect("it loads");
        let settings = fleet.settings();
        let runtime = Runtime::new().expect("a runtime");
        Self { fleet, plugin, runtime, store, settings, granted: BTreeMap::new(), configured: BTreeMap::new(), fence: 0 }
    }

    /// Changes a setting.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.settings[name] = value;
    }

    /// Leaves a setting out.
    pub(crate) fn unset(&mut self, name: &str) {
        self.settings.as_object_mut().expect("an object").remove(name);
    }

    /// Grants another power from now on.
    pub(crate) fn grant(&mut self, power: &'static str, rule: Value) {
        self.granted.insert(power, rule);
    }

    /// Has every release configured like this from now on.
    pub(crate) fn configure(&mut self, name: &'static str, value: Value) {
        self.configured.insert(name, value);
    }

    /// Makes these hosts the settings' hosts, counted from 0.
    pub(crate) fn use_hosts(&mut self, hosts: &[usize]) {
        let hosts: Vec<_> = hosts.iter().map(|host| self.fleet.hosts[*host].settings()).collect();
        self.set("hosts", json!(hosts));
    }

    /// Changes a part of a setting.
    pub(crate) fn change(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        change(&mut self.settings[name]);
    }

    /// Makes a release of the example service with these knobs, and returns it as a side.
    pub(crate) fn release(&self, label: &str, knobs: &str) -> SideDesired {
        let digest = hex::encode(Sha256::digest(label));
        let folder = self.store.folder.path().join(&digest);
        if !folder.exists() {
            fs::create_dir_all(folder.join("docs/it's here")).expect("made");
            fs::copy(hello_service(), folder.join("hello-service")).expect("copied");
            fs::write(folder.join("hello.env"), format!("VERSION={label}\n{knobs}\n")).expect("written");
            fs::write(folder.join("docs/it's here/read me"), label).expect("written");
        }
        let mut configuration = json!({ "command": ["./hello-service"], "readiness": { "path": "/healthz" } });
        for (name, value) in &self.configured {
            configuration[name] = value.clone();
        }
        SideDesired {
            release: label.to_owned(),
            artifact_digest: format!("sha256:{digest}"),
            configuration: configuration.to_string(),
            capacity_percent: 100,
            ..SideDesired::default()
        }
    }

    /// Gives a release a large file, and returns it.
    pub(crate) fn ballast(&self, label: &str, bytes: u64) -> PathBuf {
        self.release(label, "");
        let path = self.store.folder.path().join(hex::encode(Sha256::digest(label))).join("ballast");
        let block: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
        let mut file = fs::File::create(&path).expect("made");
        for _ in 0..bytes.div_ceil(1 << 20) {
            file.write_all(&block).expect("written");
        }
        path
    }

    /// Makes a release, and returns how large it is.
    #[cfg(feature = "systemd")]
    pub(crate) fn release_bytes(&self, label: &str) -> u64 {
        self.release(label, "");
        let folder = self.store.folder.path().join(hex::encode(Sha256::digest(label)));
        FILES.iter().filter_map(|(path, _)| fs::metadata(folder.join(path)).ok()).map(|found| found.len()).sum()
    }

    pub(crate) fn steady(&self, label: &str) -> Desired {
        Desired { stable: Some(self.release(label, "")), candidate: None, traffic: Some(Traffic::default()) }
    }

    pub(crate) fn canary(&self, stable: &str, candidate: &str, share: u16) -> Desired {
        let traffic = Traffic { candidate_basis_points: share, ..Traffic::default() };
        Desired { candidate: Some(self.release(candidate, "")), traffic: Some(traffic), ..self.steady(stable) }
    }

    /// Returns the same, where callers are kept on their side by a cookie.
    pub(crate) fn sticky(&self, mut desired: Desired, cookie: &str) -> Desired {
        let traffic = desired.traffic.take().unwrap_or_default();
        desired.traffic = Some(Traffic { sticky: Some(RequestKey::Cookie(cookie.to_owned())), ..traffic });
        desired
    }

    /// Returns the context of a call now.
    fn context(&self, state: Option<Vec<u8>>) -> CallContext {
        self.context_under(self.fence, state)
    }

    #[expect(clippy::disallowed_methods, reason = "deadlines are absolute")]
    fn context_under(&self, fence: u64, state: Option<Vec<u8>>) -> CallContext {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        CallContext {
            service: "web".to_owned(),
            environment: "test".to_owned(),
            settings: self.settings.to_string(),
            deployment: "d-1".to_owned(),
            operation_key: format!("d-1/step/{fence}"),
            fence,
            attempt: 1,
            deadline_ms: i64::try_from((now + CALL).as_millis()).expect("small"),
            state,
            ..CallContext::default()
        }
    }

    fn grants(&self) -> Grants {
        let mut grants = self.fleet.grants();
        for (power, rule) in &self.granted {
            grants[power] = rule.clone();
        }
        serde_json::from_value(grants).expect("grants")
    }

    /// Makes one call under the current fence.
    pub(crate) fn call(&self, desired: &Desired, state: Option<Vec<u8>>) -> Progress {
        self.call_under(self.fence, desired, state)
    }

    /// Makes one call under a fence of its own, as another engine does.
    pub(crate) fn call_under(&self, fence: u64, desired: &Desired, state: Option<Vec<u8>>) -> Progress {
        let (context, grants) = (self.context_under(fence, state), self.grants());
        let called = self.runtime.block_on(self.plugin.reconcile(&context, desired, &grants));
        called.unwrap_or_else(|error| panic!("{error}: {:?}", error.log)).answer
    }

    /// Makes one call that is ended by a refusal, and returns that.
    pub(crate) fn refusal(&self, desired: &Desired) -> String {
        let (context, grants) = (self.context_under(self.fence + 1, None), self.grants());
        self.runtime.block_on(self.plugin.reconcile(&context, desired, &grants)).expect_err("it is refused").to_string()
    }

    /// Makes calls under a new fence until there is an end, as an engine does: a fault that another attempt may not meet is tried again.
    pub(crate) fn reconcile(&mut self, desired: &Desired) -> Progress {
        self.fence += 1;
        let (mut state, mut last, mut failures) = (None, String::new(), 0);
        for _ in 0..CALLS_MAX {
            let pause = match self.call(desired, state.clone()) {
                Progress::InProgress(pending) => {
                    (state, last, failures) = (pending.observation.state, pending.message, 0);
                    Duration::from_millis(u64::from(pending.retry_after_ms))
                }
                Progress::Failed(fault) if fault.retryable && failures + 1 < ATTEMPTS_MAX => {
                    (last, failures) = (fault.message, failures + 1);
                    Duration::from_millis(RETRY_FIRST_MS << (failures - 1))
                }
                ended => return ended,
            };
            std::thread::sleep(pause); // tidy: as the target asks for, or before another attempt
        }
        panic!("it does not come to an end: {last}");
    }

    pub(crate) fn converge(&mut self, desired: &Desired) -> Observation {
        match self.reconcile(desired) {
            Progress::Converged(found) => found,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn fail(&mut self, desired: &Desired) -> Fault {
        match self.reconcile(desired) {
            Progress::Failed(fault) => fault,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn observe(&self) -> Result<Observation, Fault> {
        let (context, grants) = (self.context(None), self.grants());
        let called = self.runtime.block_on(self.plugin.observe(&context, &grants));
        called.unwrap_or_else(|error| panic!("{error}")).answer
    }

    /// Returns the service's folder on a host, counted from 0.
    pub(crate) fn scope(&self, host: usize) -> PathBuf {
        self.fleet.hosts[host].root().join("web.test")
    }

    /// Returns how much of a release's large file has come to a host so far, counted from 0, if any has.
    pub(crate) fn came(&self, host: usize) -> Option<u64> {
        let incoming = fs::read_dir(self.scope(host).join("incoming")).ok()?;
        let release = incoming.flatten().map(|folder| folder.path()).find(|path| path.is_dir())?;
        fs::metadata(release.join("ballast")).ok().map(|found| found.len()).filter(|length| *length > 0)
    }

    pub(crate) fn set_fence(&mut self, fence: u64) {
        self.fence = fence;
    }
}

/// Returns how many requests failed, by their reasons.
pub(crate) fn failed(answers: &BTreeMap<String, u64>) -> Vec<(&String, &u64)> {
    answers.iter().filter(|(answer, _)| answer.starts_with("failed")).collect()
}

/// Returns cargo's target folder.
pub(crate) fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("cargo's folder for tests lies in its target folder")
}

fn hello_service() -> PathBuf {
    let program = target().join("debug/hello-service");
    assert!(program.is_file(), "{} is missing; build it with `cargo build -p hello-service`", program.display());
    program
}

#[async_trait::async_trait]
impl ArtifactBackend for Store {
    async fn files(&self, digest: &str) -> Result<Vec<ArtifactFile>, ArtifactFault> {
        let files = FILES.iter().filter_map(|(path, executable)| {
            let size = fs::metadata(self.path(digest, path)).ok()?.len();
            Some(ArtifactFile { path: (*path).to_owned(), size, executable: *executable })
        });
        Ok(files.collect())
    }

    async fn read(&self, digest: &str, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ArtifactFault> {
        let broken = |error: std::io::Error| ArtifactFault::Broken(error.to_string());
        let mut file = fs::File::open(self.path(digest, path)).map_err(broken)?;
        file.seek(SeekFrom::Start(offset)).map_err(broken)?;
        let mut bytes = Vec::new();
        file.take(u64::from(length)).read_to_end(&mut bytes).map_err(broken)?;
        Ok(bytes)
    }
}

impl Store {
    fn path(&self, digest: &str, path: &str) -> PathBuf {
        self.folder.path().join(digest.strip_prefix("sha256:").expect("a digest")).join(path)
    }
}
