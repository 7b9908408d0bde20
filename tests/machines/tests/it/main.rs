//! `target-vm` as it is carried, on real hosts: sshd, runit and HAProxy.

mod canary;
mod faults;
mod rig;
#[cfg(feature = "systemd")]
mod systemd;
