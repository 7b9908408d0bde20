//! `target-vm` as it is carried, on real hosts: sshd, runit, s6, HAProxy and nginx.

mod canary;
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
