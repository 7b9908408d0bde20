//! The loop: take input, decide, journal, then perform; leases, timers, recovery; defines the ports.
