//! `target-vm` as it is carried, on real hosts: sshd, runit, HAProxy and nginx.

mod canary;
mod faults;
mod nginx;
mod rig;
mod servers;
mod sticky;
#[cfg(feature = "systemd")]
mod systemd;
