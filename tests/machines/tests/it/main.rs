//! `target-vm` as it is carried, on real hosts: sshd, runit, s6, HAProxy, nginx and Envoy.

mod canary;
mod envoy;
mod faults;
mod inventory;
mod long_lived;
mod nginx;
mod rig;
mod s6;
mod servers;
mod sticky;
#[cfg(feature = "systemd")]
mod systemd;
