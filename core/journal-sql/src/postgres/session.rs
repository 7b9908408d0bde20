//! One connection: how it is made, what must be true of the server behind it, and the body's executor over it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt;
use journal::StoreError;
use tokio::sync::mpsc;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Client, Config, Notification, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Options, faults, value};
use crate::again::again;
use crate::executor::{Executor, Row, Value};

/// How long a connection may take to be made, and a server to fall silent, before it is given up.
const CONNECT: Duration = Duration::from_secs(5);

/// The oldest version whose behaviour is relied on, as the server counts.
const OLDEST: u64 = 130_000;

/// Notifications that wait for their reader: the reader does nothing but pass them on.
const NOTIFICATIONS_MAX: usize = 1_024;

/// What each session sets. A statement takes milliseconds; a session that sits in a transaction belongs to a replica that was
/// stopped in the middle, and stands in everybody's way.
const SETTINGS: &str = "SET search_path TO towpath; SET statement_timeout TO '10s'; SET lock_timeout TO '8s'; \
                        SET idle_in_transaction_session_timeout TO '5s'; SET client_min_messages TO warning";

/// What is asked of the server.
const ASKED: &str = "SELECT current_setting('server_version_num')::bigint, pg_is_in_recovery(), \
                     current_setting('transaction_read_only'), current_setting('fsync'), current_setting('full_page_writes'), \
                     current_setting('synchronous_commit'), current_setting('server_encoding')";

/// Where sessions are made from.
pub(super) struct Target {
    config: Config,
    tls: MakeRustlsConnect,
}

/// A connection with its prepared statements.
pub(super) struct Session {
    client: Client,
    statements: Mutex<HashMap<String, Statement>>,
    /// The first statement that failed since the last question for it: the open transaction is lost then.
    failure: Mutex<Option<StoreError>>,
}

impl Target {
    /// Reads a URL. Beyond loopback a connection is encrypted unless the URL says `sslmode=disable`.
    pub(super) fn new(options: &Options) -> Result<Self, StoreError> {
        // The library's own words: they name the parameter and never its value.
        let wrong = |error: tokio_postgres::Error| StoreError::Unfit(format!("its URL cannot be read: {error}"));
        let mut config: Config = options.url.parse().map_err(wrong)?;
        config.application_name("towpath").connect_timeout(CONNECT).keepalives_idle(CONNECT).tcp_user_timeout(CONNECT * 2);
        let said = options.url.contains("sslmode=");
        if options.tls.is_none() && config.get_ssl_mode() == SslMode::Require {
            return Err(StoreError::Unfit("its URL asks for encryption, and no authorities were given".to_owned()));
        }
        match &options.tls {
            None => config.ssl_mode(SslMode::Disable),
            Some(_) if !said && !config.get_hosts().iter().all(is_near) => config.ssl_mode(SslMode::Require),
            Some(_) => &mut config,
        };
        let tls = match &options.tls {
            Some(tls) => tls.clone(),
            None => no_authorities()?,
        };
        Ok(Self { config, tls: MakeRustlsConnect::new(tls) })
    }

    /// Connects, and refuses a server on which what was committed may be lost.
    pub(super) async fn connect(&self) -> Result<Session, StoreError> {
        let (session, _) = self.connect_and_listen().await?;
        Ok(session)
    }

    /// Connects, and returns what is notified to the session beside it. The receiver ends with the connection.
    pub(super) async fn connect_and_listen(&self) -> Result<(Session, mpsc::Receiver<Notification>), StoreError> {
        let late = |_| StoreError::Unreachable(format!("no connection was made within {CONNECT:?}"));
        tokio::time::timeout(CONNECT * 2, self.prepared()).await.map_err(late)?
    }

    async fn prepared(&self) -> Result<(Session, mpsc::Receiver<Notification>), StoreError> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await.map_err(|error| faults::sort(&error))?;
        let (notified, notifications) = mpsc::channel(NOTIFICATIONS_MAX);
        // Ends when the client is dropped or the connection breaks; whoever uses the client is told then.
        tokio::spawn(async move {
            while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(notification) = message {
                    // Those who do not listen dropped the receiver.
                    let _ = notified.try_send(notification);
                }
            }
        });
        let session = Session { client, statements: Mutex::default(), failure: Mutex::default() };
        session.run(SETTINGS).await?;
        check(session.query(ASKED, &[]).await?.first())?;
        Ok((session, notifications))
    }
}

/// Returns the database and server that a URL names.
pub(super) fn place(url: &str) -> String {
    let Ok(config) = url.parse::<Config>() else { return "a database".to_owned() };
    let server = config.get_hosts().first().map_or_else(String::new, |host| match host {
        Host::Tcp(name) => format!(" on {name}:{}", config.get_ports().first().unwrap_or(&5432)),
        Host::Unix(folder) => format!(" in {}", folder.display()),
    });
    format!("the database {:?}{server}", config.get_dbname().or(config.get_user()).unwrap_or_default())
}

fn is_near(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}

/// Returns a TLS configuration that trusts nobody: for connections that are not encrypted.
fn no_authorities() -> Result<tokio_rustls::rustls::ClientConfig, StoreError> {
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
    let versions = ClientConfig::builder_with_provider(std::sync::Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn check(found: Option<&Row>) -> Result<(), StoreError> {
    let Some(row) = found else { return Err(StoreError::Failed("a question without conditions was not answered".to_owned())) };
    let version = row.count(0)?;
    if version < OLDEST {
        let (found, oldest) = (version / 10_000, OLDEST / 10_000);
        return Err(StoreError::Unfit(format!("it is PostgreSQL {found}, at least {oldest} is needed")));
    }
    if row.int(1)? != 0 || row.text(2)? == "on" {
        return Err(StoreError::ReadOnly("it is a read replica or read-only by setting; name the primary".to_owned()));
    }
    for (column, setting) in [(3, "fsync"), (4, "full_page_writes"), (5, "synchronous_commit")] {
        if row.text(column)? == "off" {
            let loses = format!("its setting {setting} is off, expected on: what was committed could be lost with the power");
            return Err(StoreError::Unfit(loses));
        }
    }
    match row.text(6)? {
        "UTF8" => Ok(()),
        found => Err(StoreError::Unfit(format!("its encoding is {found}, expected UTF8"))),
    }
}

impl Session {
    /// Returns whether it can be used no more.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Returns the first error of a statement since this was last asked.
    pub(super) fn take_failure(&self) -> Option<StoreError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Runs statements without values and without rows.
    pub(super) async fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).await.map_err(|error| self.failed(&error))
    }

    /// Commits. The error says whether it may have been written.
    pub(super) async fn commit(&self) -> Result<(), StoreError> {
        self.client.batch_execute("COMMIT").await.map_err(|error| faults::sort_commit(&error))
    }

    fn failed(&self, error: &tokio_postgres::Error) -> StoreError {
        let error = faults::sort(error);
        // What comes after the first is only told that the transaction is lost.
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| again(&error));
        error
    }

    async fn statement(&self, sql: &str) -> Result<Statement, StoreError> {
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await.map_err(|error| self.failed(&error))?;
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Executor for Session {
    async fn execute(&self, sql: &str, values: &[Value]) -> Result<usize, StoreError> {
        let statement = self.statement(sql).await?;
        let touched = self.client.execute_raw(&statement, values).await.map_err(|error| self.failed(&error))?;
        Ok(usize::try_from(touched).unwrap_or(usize::MAX))
    }

    async fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let statement = self.statement(sql).await?;
        let found = self.client.query_raw(&statement, values).await.map_err(|error| self.failed(&error))?;
        let rows: Vec<_> = found.try_collect().await.map_err(|error| self.failed(&error))?;
        rows.iter().map(value::row).collect()
    }
}
