use std::net::SocketAddr;

use bytes_of::answer_to;
use journal::Catalog;
use journal::memory::MemoryStore;
use model::Timestamp;
use plugin_host::{RuntimeScope, TelemetryAspect, TelemetryFault, TelemetryFilter, TelemetryQuery};
use runtime::protocol::{Latency, LatencyBucket, SideCounters, StatusClasses};

use super::*;

/// A server that measures, on a folder of its own, without a runtime.
struct Rig {
    folder: tempfile::TempDir,
    data: DataDir,
    store: Arc<MemoryStore>,
    measuring: Measuring,
}

fn arguments(listen: &str, if_free: bool) -> TelemetryArgs {
    let telemetry_listen = Some(listen.parse().expect("an address"));
    TelemetryArgs { telemetry_listen, telemetry_origins: Vec::new(), telemetry_if_free: if_free }
}

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(|| Timestamp(clock::now_ms())))
}

impl Rig {
    async fn start() -> Self {
        Self::start_on(tempfile::tempdir().expect("a folder"), store()).await
    }

    async fn start_on(folder: tempfile::TempDir, store: Arc<MemoryStore>) -> Self {
        let data = DataDir::open(folder.path()).expect("a folder");
        let runtime = Client::new(folder.path().join("none"));
        let arguments = arguments("127.0.0.1:0", false);
        let started = Measuring::start(&data, &arguments, Arc::clone(&store) as Arc<dyn Store>, runtime).await;
        let measuring = started.unwrap_or_else(|failure| panic!("{failure}")).expect("it measures");
        Self { folder, data, store, measuring }
    }

    async fn address(&self) -> SocketAddr {
        let announced = || {
            let text = std::fs::read(self.data.telemetry_file()).ok()?;
            serde_json::from_slice::<Announcement>(&text).ok()?.address.parse().ok()
        };
        loop {
            if let Some(address) = announced() {
                return address;
            }
            // tidy: lets the task that announces go on; the test has a deadline of its own.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    async fn register(&self) {
        for (kind, name) in [("service", "web"), ("environment", "production")] {
            self.store.put(kind, name, "{}", None, Timestamp(1)).await.expect("written");
        }
    }

    async fn read(&self, metric: &str, filters: Vec<TelemetryFilter>) -> Result<u64, TelemetryFault> {
        let now_ms = clock::now_ms();
        let (metric, release) = (metric.to_owned(), Some("r1".to_owned()));
        let query = TelemetryQuery { metric, release, filters, from_ms: now_ms - 60_000, to_ms: now_ms + 60_000 };
        let reading = self.measuring.backend().read(&scope("web"), query).await?;
        Ok(u64::from(reading.series))
    }
}

fn scope(service: &str) -> RuntimeScope {
    RuntimeScope { service: service.to_owned(), environment: "production".to_owned() }
}

/// A counter of a release, in JSON.
fn sent() -> String {
    let attribute = |key: &str, value: &str| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#);
    let owner = [
        attribute("service.name", "web"),
        attribute("deployment.environment.name", "production"),
        attribute("service.version", "r1"),
    ];
    let at = clock::now_ms();
    let sum = format!(
        r#"{{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{{"asInt":"5","timeUnixNano":"{at}000000"}}]}}"#
    );
    let metric = format!(r#"{{"name":"requests","unit":"1","sum":{sum}}}"#);
    let owner = owner.join(",");
    format!(r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{owner}]}},"scopeMetrics":[{{"metrics":[{metric}]}}]}}]}}"#)
}

#[tokio::test]
async fn what_a_registered_service_sends_is_there_for_plugins() {
    let rig = Rig::start().await;
    let address = rig.address().await;
    let turned_away = answer_to(address, &sent()).await;
    assert!(turned_away.contains("there is no service"), "{turned_away}");
    rig.register().await;
    let (folder, store) = {
        let Rig { folder, data, store, measuring } = rig;
        measuring.stop(&data).await;
        assert!(!data.telemetry_file().exists(), "nobody listens any more");
        (folder, store)
    };
    // Another server asks the catalog anew.
    let rig = Rig::start_on(folder, store).await;
    let taken = answer_to(rig.address().await, &sent()).await;
    assert!(taken.contains(r#"{"partialSuccess":null}"#), "{taken}");
    assert_eq!(rig.read("requests", Vec::new()).await, Ok(1));
    assert_eq!(rig.read("other", Vec::new()).await, Ok(0));
    assert!(matches!(rig.read("", Vec::new()).await, Err(TelemetryFault::Invalid(why)) if why.contains("no metric")));
    let usual = rig.measuring.backend().usual(&scope("web"), "requests", TelemetryAspect::Rate, 0).await;
    assert_eq!(usual.map(|usual| usual.is_none()), Ok(true));
    let wrong = rig.measuring.backend().usual(&scope("Web"), "requests", TelemetryAspect::Rate, 0).await;
    assert!(matches!(wrong, Err(TelemetryFault::Invalid(why)) if why.contains("service name")));
    rig.measuring.stop(&rig.data).await;
}

#[tokio::test]
async fn what_the_router_counts_is_there_for_plugins() {
    let rig = Rig::start().await;
    let buckets = [1, 2, 5].map(|le_ms| LatencyBucket { le_ms, count: le_ms }).to_vec();
    let counters = SideCounters {
        release: "r1".to_owned(),
        since_unix_ms: u64::try_from(clock::now_ms()).expect("after 1970") - 1_000,
        requests: 6,
        errors: 2,
        abandoned: 0,
        classes: StatusClasses { success: 4, server_error: 2, ..StatusClasses::default() },
        spilled: 0,
        mirrored: 0,
        latency: Latency { buckets, count: 6, sum_ms: 20.0 },
    };
    let scope = model::Scope {
        service: model::ServiceName::new("web").expect("a name"),
        environment: model::EnvironmentName::new("production").expect("a name"),
    };
    let taken = rig.measuring.telemetry.take_router(&scope, &feed::router(counters), clock::now_ms());
    assert_eq!((taken.taken, taken.refused), (8, 0), "{}", taken.sentence());
    let failed = TelemetryFilter { attribute: "error.type".to_owned(), values: vec!["*".to_owned()], among: true };
    assert_eq!(rig.read(telemetry::router::METRIC, Vec::new()).await, Ok(1), "all of them");
    assert_eq!(rig.read(telemetry::router::METRIC, vec![failed]).await, Ok(2), "those of 5xx, and those without an answer");
}

#[tokio::test]
async fn an_address_that_is_taken_is_a_sentence_or_no_matter() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataDir::open(folder.path()).expect("a folder");
    let start = async |if_free| {
        let runtime = Client::new(folder.path().join("none"));
        Measuring::start(&data, &arguments(&address, if_free), store(), runtime).await
    };
    let said = start(false).await.err().expect("it is taken").to_string();
    assert!(said.contains("TP0302") || said.contains(&format!("cannot listen on {address} for services' metrics")), "{said}");
    let measuring = start(true).await.unwrap_or_else(|failure| panic!("{failure}")).expect("the router is still read");
    assert!(!data.telemetry_file().exists());
    measuring.stop(&data).await;
    let off = TelemetryArgs { telemetry_listen: Some(TelemetryListen::Off), ..arguments(&address, false) };
    let runtime = Client::new(folder.path().join("none"));
    assert!(Measuring::start(&data, &off, store(), runtime).await.is_ok_and(|measuring| measuring.is_none()));
}

/// A client of a few lines.
mod bytes_of {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Returns the answer to metrics in JSON, head and body.
    pub(super) async fn answer_to(address: SocketAddr, json: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
        let length = json.len();
        let head = format!(
            "POST /v1/metrics HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        stream.write_all(json.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    }
}
