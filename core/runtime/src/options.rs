//! What the runtime is started with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the runtime is started with. Everything has a default except the two folders.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where desired states, logs and process records are kept. One runtime at a time may use it.
    pub data_dir: PathBuf,
    /// The artifact store that releases are run from.
    pub artifacts_dir: PathBuf,
    /// Where the control socket is made. Its folder must belong to us and to nobody else.
    pub control_socket: PathBuf,
    /// The address that public ports listen on.
    pub listen_host: IpAddr,
    /// How long an instance may take to send the head of its answer.
    pub response_head_timeout: Duration,
    /// The search path that services are started with.
    pub service_path: String,
    /// Where a Prometheus may read what was counted and which instances are ready; port 0 lets the system pick. Nowhere, if absent.
    /// Whoever reaches the address may read.
    pub metrics_listen: Option<SocketAddr>,
    /// Where services are told to send their telemetry (`OTEL_EXPORTER_OTLP_ENDPOINT`), unless they are configured otherwise.
    pub otlp_endpoint: Option<String>,
}

impl Options {
    /// Returns the defaults for the two folders: loopback only, control socket in `control/socket` inside `data_dir`.
    pub fn new(data_dir: &Path, artifacts_dir: &Path) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            artifacts_dir: artifacts_dir.to_owned(),
            control_socket: Self::default_control_socket(data_dir),
            listen_host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            response_head_timeout: Duration::from_secs(60),
            service_path: "/usr/local/bin:/usr/bin:/bin".to_owned(),
            metrics_listen: None,
            otlp_endpoint: None,
        }
    }

    /// Returns where the control socket of a runtime with that data folder is, unless it was told otherwise.
    pub fn default_control_socket(data_dir: &Path) -> PathBuf {
        data_dir.join("control").join("socket")
    }
}
