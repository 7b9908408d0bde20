//! A registry of its own for a test: Debian's `docker-registry`, started on a free port, gone afterwards.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// Looks at a registry that starts, 50 ms apart.
const LOOKS_MAX: u32 = 1_200;

/// Who may use a registry with a lock.
pub(crate) const USER: &str = "towpath";
/// The password of [`USER`].
pub(crate) const PASSWORD: &str = "not-a-secret";

/// What a registry that encrypts says to whoever does not.
const HTTPS: &str = "HTTP request to an HTTPS server";

/// A running registry. Stopped when dropped.
pub(crate) struct Registry {
    pub(crate) host: String,
    folder: TempDir,
    child: Child,
}

impl Registry {
    /// Starts a registry that takes everybody.
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), "")
    }

    /// Starts a registry that takes [`USER`] alone.
    pub(crate) fn start_locked() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("htpasswd");
        let made = Command::new("htpasswd").args(["-Bbc"]).arg(&file).args([USER, PASSWORD]).stderr(Stdio::null()).status();
        let made = made.expect("htpasswd is there: apt-get install apache2-utils");
        assert!(made.success());
        let lock = format!("auth: {{htpasswd: {{realm: towpath, path: {}}}}}\n", file.display());
        Self::start_in(folder, &lock)
    }

    /// Starts a registry that asks for tokens from a server elsewhere, signed with the key of a certificate.
    pub(crate) fn start_with_tokens(realm: &str, service: &str, issuer: &str, certificate_pem: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.pem");
        std::fs::write(&file, certificate_pem).unwrap();
        let file = file.display();
        let tokens =
            format!("auth: {{token: {{realm: \"{realm}\", service: {service}, issuer: {issuer}, rootcertbundle: {file}}}}}\n");
        Self::start_in(folder, &tokens)
    }

    /// Starts a registry that proves itself by a certificate of an authority of its own; see [`Registry::authority`].
    pub(crate) fn start_encrypted() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("authority.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let authority = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        std::fs::write(file("certificate.pem"), certificate.pem()).unwrap();
        std::fs::write(file("key.pem"), key.serialize_pem()).unwrap();
        let tls = format!("  tls: {{certificate: {}, key: {}}}\n", file("certificate.pem").display(), file("key.pem").display());
        Self::start_in(folder, &tls)
    }

    /// Returns the file with the authority of an encrypted registry.
    pub(crate) fn authority(&self) -> std::path::PathBuf {
        self.folder.path().join("authority.pem")
    }

    fn start_in(folder: TempDir, more: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = folder.path().join("config.yml");
        let storage = folder.path().join("storage");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp:\n  addr: 127.0.0.1:{port}\n{more}",
            storage.display()
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new("docker-registry").arg("serve").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("docker-registry is there: apt-get install docker-registry");
        let registry = Self { host: format!("127.0.0.1:{port}"), folder, child };
        registry.wait_until_ready();
        registry
    }

    fn wait_until_ready(&self) {
        for _ in 0..LOOKS_MAX {
            if answers(&self.host) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the registry on {} does not answer", self.host);
    }

    /// Returns the file of a blob.
    pub(crate) fn blob_file(&self, digest: &str) -> std::path::PathBuf {
        let digits = digest.strip_prefix("sha256:").unwrap();
        let blobs = self.folder.path().join("storage/docker/registry/v2/blobs/sha256");
        blobs.join(&digits[..2]).join(digits).join("data")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

fn answers(host: &str) -> bool {
    use std::io::{Read as _, Write as _};
    let Ok(mut stream) = std::net::TcpStream::connect(host) else { return false };
    let asked = stream.write_all(format!("GET /v2/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes());
    let mut answer = String::new();
    asked.is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && (answer.contains(" 200 ") || answer.contains(" 401 ") || answer.contains(HTTPS))
}

/// Runs skopeo and returns what it prints.
pub(crate) fn skopeo(arguments: &[&str], folder: &Path) -> String {
    let ran = Command::new("skopeo").args(arguments).current_dir(folder).output();
    let ran = ran.expect("skopeo is there: apt-get install skopeo");
    assert!(ran.status.success(), "skopeo {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}
