//! The schema, in numbered steps that are only ever added to.

/// The steps. The version of a database is how many of them it has taken.
pub(crate) const STEPS: [&[&str]; 1] = [V1];

const V1: &[&str] = &[
    "CREATE TABLE leases (
        shard {int} NOT NULL PRIMARY KEY,
        owner TEXT NOT NULL,
        epoch {int} NOT NULL CHECK (epoch > 0),
        expires_at {int} NOT NULL
    ){end}",
    "CREATE TABLE scopes (
        service TEXT NOT NULL,
        environment TEXT NOT NULL,
        fence {int} NOT NULL CHECK (fence >= 0),
        stable TEXT,
        previous TEXT,
        active TEXT,
        PRIMARY KEY (service, environment)
    ){end}",
    "CREATE TABLE deployments (
        id TEXT NOT NULL PRIMARY KEY,
        service TEXT NOT NULL,
        environment TEXT NOT NULL,
        release_id TEXT NOT NULL,
        release_label TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('queued', 'active', 'ended')),
        phase TEXT NOT NULL,
        paused {int} NOT NULL CHECK (paused IN (0, 1)),
        head {int} NOT NULL CHECK (head > 0),
        hash {bytes} NOT NULL,
        requested_at {int} NOT NULL,
        ended_at {int}
    ){end}",
    // At most one active deployment per scope: the database itself says no to a second.
    "CREATE UNIQUE INDEX one_active ON deployments (service, environment) WHERE status = 'active'",
    "CREATE INDEX deployments_by_scope ON deployments (service, environment, id)",
    "CREATE INDEX deployments_by_status ON deployments (status, id)",
    "CREATE TABLE journal (
        position {counted-key},
        deployment TEXT NOT NULL REFERENCES deployments (id),
        seq {int} NOT NULL CHECK (seq > 0),
        epoch {int} NOT NULL,
        at {int} NOT NULL,
        version {int} NOT NULL,
        payload {bytes} NOT NULL,
        hash {bytes} NOT NULL,
        UNIQUE (deployment, seq)
    ){end}",
    "CREATE TABLE requests (
        actor TEXT NOT NULL,
        request TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        deployment TEXT NOT NULL,
        version {int} NOT NULL,
        at {int} NOT NULL,
        PRIMARY KEY (actor, request)
    ){end}",
    "CREATE TABLE catalog (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        document TEXT NOT NULL,
        revision {int} NOT NULL CHECK (revision > 0),
        written_at {int} NOT NULL,
        PRIMARY KEY (kind, name)
    ){end}",
];
