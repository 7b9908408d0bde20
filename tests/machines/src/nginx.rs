//! nginx before the hosts.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::process::{Process, free_port, until};

/// How it hands on requests and copies: as `examples/vm/README.md` says for `hello`.
const LOCATIONS: &str = "location / { mirror /copy; proxy_pass http://$towpath_web; }
        location = /copy { internal; if ($towpath_web_copy = \"\") { return 204; } proxy_pass http://$towpath_web_copy$request_uri; }
";

/// What the file of routes begins as.
const ROUTES: &str = "map $host $towpath_web { default web; }
map $host $towpath_web_copy { default \"\"; }
";

/// A running nginx with the upstream `web`, whose servers stand in a file of their own: none at first. Ended when dropped.
pub struct Nginx {
    folder: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Nginx {
    /// Starts one in a folder, with another line in its upstream.
    ///
    /// # Panics
    ///
    /// When there is no nginx on this machine.
    pub fn start(folder: &Path, line: &str) -> Self {
        fs::create_dir_all(folder).expect("the folder can be written");
        let (port, place) = (free_port(), folder.display());
        let temporary =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("    {name}_temp_path {place}/{name};\n"));
        let config = format!(
            "daemon off;\nworker_processes 1;\npid {place}/pid;\nerror_log {place}/error.log;\nevents {{}}\nhttp {{\n    access_log off;\n{}    \
             upstream web {{\n        {line}\n        include {place}/web.conf;\n    }}\n    include {place}/web-routes.conf;\n    \
             server {{\n        listen 127.0.0.1:{port};\n        {LOCATIONS}    }}\n}}\n",
            temporary.concat()
        );
        fs::write(folder.join("nginx.conf"), config).expect("the folder can be written");
        fs::write(folder.join("web.conf"), "server 127.0.0.1:1 down;\n").expect("the folder can be written");
        fs::write(folder.join("web-routes.conf"), ROUTES).expect("the folder can be written");
        let mut nginx = Self { folder: folder.to_owned(), port, process: None };
        nginx.start_again();
        nginx
    }

    /// Returns where callers come in.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Returns the file with its servers.
    pub fn include(&self) -> PathBuf {
        self.folder.join("web.conf")
    }

    /// Returns it as the target's settings name it, on this host and with this folder there; its routes are somebody else's.
    pub fn settings(&self, host: &str, root: &Path) -> Value {
        json!({ "nginx": {
            "hosts": [host], "include": self.include(), "configuration": self.folder.join("nginx.conf"), "pidFile": self.folder.join("pid"),
            "root": root,
        } })
    }

    /// Returns the file with its routes.
    pub fn routes(&self) -> PathBuf {
        self.folder.join("web-routes.conf")
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again with the same configuration.
    ///
    /// # Panics
    ///
    /// When there is no nginx on this machine.
    pub fn start_again(&mut self) {
        let mut command = Command::new("nginx");
        command.arg("-c").arg(self.folder.join("nginx.conf"));
        self.process = Some(Process::start(&mut command, "nginx-light", &self.folder.join("nginx.log")));
        until("nginx listens", || TcpStream::connect(self.address()).ok());
    }
}
