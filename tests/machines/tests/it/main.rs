//! `target-vm` as it is carried, on real hosts: sshd, runit, HAProxy, nginx and Envoy.

mod canary;
mod envoy;
mod faults;
mod nginx;
mod rig;
mod servers;
mod sticky;
#[cfg(feature = "systemd")]
mod systemd;
