//! The schema, in numbered steps that are only ever added to.

use crate::dialect::Dialect;

/// The steps. The version of a database is how many of them it has taken.
const STEPS: [&[&str]; 2] = [V1, V2];

/// The newest version.
pub(crate) const VERSION: usize = STEPS.len();

/// Returns the statements that lead from a version, 0 for an empty database, to the newest.
pub(crate) fn statements(dialect: &Dialect, from: usize) -> Vec<String> {
    let steps = STEPS.iter().zip(dialect.append_only).skip(from);
    let written = |(step, guards): (&&[&str], &[&str])| -> Vec<String> {
        let guards = guards.iter().map(|statement| (*statement).to_owned());
        step.iter().map(|statement| dialect.write(statement)).chain(guards).collect()
    };
    steps.flat_map(written).collect()
}

const V1: &[&str] = &[
    "CREATE TABLE leases (
        shard {int} NOT NULL PRIMARY KEY,
        owner {text} NOT NULL,
        epoch {int} NOT NULL CHECK (epoch > 0),
        expires_at {int} NOT NULL
    ){end}",
    "CREATE TABLE deployments (
        id {text} NOT NULL PRIMARY KEY,
        service {text} NOT NULL,
        environment {text} NOT NULL,
        release_id {text} NOT NULL,
        release_label {text} NOT NULL,
        status {text} NOT NULL CHECK (status IN ('queued', 'active', 'ended')),
        phase {text} NOT NULL,
        paused {int} NOT NULL CHECK (paused IN (0, 1)),
        head {int} NOT NULL CHECK (head > 0),
        hash {bytes} NOT NULL CHECK (length(hash) = 32),
        requested_at {int} NOT NULL,
        ended_at {int}
    ){end}",
    "CREATE TABLE scopes (
        service {text} NOT NULL,
        environment {text} NOT NULL,
        fence {int} NOT NULL CHECK (fence >= 0),
        stable {text},
        previous {text},
        active {text} REFERENCES deployments (id),
        PRIMARY KEY (service, environment)
    ){end}",
    // At most one active deployment per scope: the database itself says no to a second.
    "CREATE UNIQUE INDEX one_active ON deployments (service, environment) WHERE status = 'active'",
    "CREATE INDEX deployments_by_scope ON deployments (service, environment, id)",
    "CREATE INDEX deployments_by_status ON deployments (status, id)",
    "CREATE TABLE journal (
        position {counted-key},
        deployment {text} NOT NULL REFERENCES deployments (id),
        seq {int} NOT NULL CHECK (seq > 0),
        epoch {int} NOT NULL,
        at {int} NOT NULL,
        version {int} NOT NULL,
        payload {bytes} NOT NULL,
        hash {bytes} NOT NULL CHECK (length(hash) = 32),
        UNIQUE (deployment, seq)
    ){end}",
    "CREATE TABLE requests (
        actor {text} NOT NULL,
        request {text} NOT NULL,
        fingerprint {text} NOT NULL,
        deployment {text} NOT NULL,
        version {int} NOT NULL,
        at {int} NOT NULL,
        PRIMARY KEY (actor, request)
    ){end}",
    "CREATE TABLE catalog (
        kind {text} NOT NULL,
        name {text} NOT NULL,
        document {text} NOT NULL,
        revision {int} NOT NULL CHECK (revision > 0),
        written_at {int} NOT NULL,
        PRIMARY KEY (kind, name)
    ){end}",
];

const V2: &[&str] = &[
    "CREATE TABLE archives (
        deployment {text} NOT NULL PRIMARY KEY REFERENCES deployments (id),
        head {int} NOT NULL CHECK (head > 0),
        version {int} NOT NULL,
        packed_at {int} NOT NULL,
        records {bytes} NOT NULL
    ){end}",
    // 0: its records are in the journal; 1: they are in an archive; 2: they are in the journal for good, because their chain is broken.
    "ALTER TABLE deployments ADD COLUMN archived {int} NOT NULL DEFAULT 0",
    "CREATE INDEX deployments_to_archive ON deployments (ended_at) WHERE status = 'ended' AND archived = 0",
    "CREATE INDEX requests_by_age ON requests (at)",
];
