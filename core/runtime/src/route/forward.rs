//! One request: pick, send, answer, count.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use http::request::Parts;
use http::uri::{PathAndQuery, Scheme, Uri};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

use crate::clock;
use crate::counters::{Counters, Outcome};
use crate::route::body::{Answer, Outgoing, Source};
use crate::route::headers;
use crate::route::mirror;
use crate::route::table::{Picked, PublicRoute};
use crate::route::tunnel;
use crate::route::upstream::{Lease, Upstream};

/// How one attempt to get an answer ended without one.
enum Miss {
    /// No byte of the request reached the instance.
    NeverSent,
    /// The connection ended before the answer began; the instance may or may not have seen the request.
    Lost,
    /// The instance took the request and did not answer in time.
    Late,
}

/// Answers one request of a caller. Errors become answers: 503 when nobody can serve, 502 when the instance failed, 504 when it was late.
pub(crate) async fn forward(route: &PublicRoute, caller: IpAddr, request: Request<Incoming>) -> Response<Answer> {
    if request.method() == Method::CONNECT {
        return sentence(StatusCode::NOT_IMPLEMENTED, "CONNECT is not supported\n");
    }
    let Some(picked) = route.pick(request.headers()) else {
        return sentence(StatusCode::SERVICE_UNAVAILABLE, "no instance of this service is ready\n");
    };
    let pending = Pending { counters: picked.route.counters.clone(), started: clock::now(), ended: false };
    let (mut parts, body) = request.into_parts();
    let switch = headers::upgrade(&parts.headers).zip(parts.extensions.remove::<OnUpgrade>());
    headers::prepare(&mut parts, caller);
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    let length = body.size_hint().exact();
    let source = (!body.is_end_stream()).then(|| Source::new(body));
    if let Some((protocol, _)) = &switch {
        headers::set_upgrade(&mut parts.headers, protocol.clone());
    } else if let Some(to) = &picked.mirror
        && let Some(copy) = mirror::prepare(route, to.clone(), &parts, source.as_ref(), length)
    {
        copy.send();
    }
    let (sides, release_header) = (picked.route.clone(), picked.release_header);
    let (answer, lease) = match send(route, picked, parts, source).await {
        Ok(answered) => answered,
        Err(miss) => {
            pending.end(Outcome::Failed);
            return apology(&miss);
        }
    };
    let counters = pending.end(Outcome::Answered(answer.status()));
    let mut answer = match pass_on(answer, lease, counters, switch.map(|(_, caller)| caller)) {
        Ok(answer) => answer,
        Err(refused) => return *refused,
    };
    if release_header {
        answer.headers_mut().insert(headers::X_TOWPATH_RELEASE, sides.release.clone());
    }
    answer
}

/// Sends a request, and once more where that cannot do anything twice.
async fn send(
    route: &PublicRoute,
    picked: Picked,
    parts: Parts,
    source: Option<Source>,
) -> Result<(Response<Incoming>, Lease), Miss> {
    let kept = source.clone();
    let repeatable = source.is_none() && parts.method.is_idempotent();
    let first = picked.lease;
    let miss = match attempt(route, &first, parts.clone(), source).await {
        Ok(answer) => return Ok((answer, first)),
        Err(miss) => miss,
    };
    let other = || picked.route.lease(Some(first.upstream()));
    let (second, source) = match miss {
        // Nothing arrived: any request may go to another instance, with its body if that is still whole.
        Miss::NeverSent => match (other(), &kept) {
            (Some(second), None) => (second, None),
            (Some(second), Some(kept)) => (second, Some(kept.again().ok_or(Miss::NeverSent)?)),
            (None, _) => return Err(Miss::NeverSent),
        },
        // Something may have arrived: only what may be done twice, and the same instance is as good (RFC 9110, 9.2.2).
        Miss::Lost if repeatable => match other().or_else(|| first.upstream().lease()) {
            Some(second) => (second, None),
            None => return Err(Miss::Lost),
        },
        Miss::Lost | Miss::Late => return Err(miss),
    };
    drop(first);
    attempt(route, &second, parts, source).await.map(|answer| (answer, second))
}

async fn attempt(
    route: &PublicRoute,
    lease: &Lease,
    mut parts: Parts,
    source: Option<Source>,
) -> Result<Response<Incoming>, Miss> {
    address_to(&mut parts, lease.upstream()).ok_or(Miss::NeverSent)?;
    let body = source.map_or(Outgoing::Empty, Outgoing::Streamed);
    let exchange = lease.upstream().client().request(Request::from_parts(parts, body));
    match tokio::time::timeout(route.response_head_timeout, exchange).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(miss_of(&error)),
        Err(_) => Err(Miss::Late),
    }
}

/// Only a failed connect proves that nothing was sent. (A request that meets a pooled connection which is closed already is sent on
/// another one by the client itself.)
fn miss_of(error: &hyper_util::client::legacy::Error) -> Miss {
    match error.is_connect() {
        true => Miss::NeverSent,
        false => Miss::Lost,
    }
}

/// Puts an instance's address into a request, for the connection pool; on the wire only path and query remain.
pub(crate) fn address_to(parts: &mut Parts, upstream: &Upstream) -> Option<()> {
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(upstream.authority()?);
    let path = parts.uri.path_and_query().cloned();
    uri.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    parts.uri = Uri::from_parts(uri).ok()?;
    if !parts.headers.contains_key(header::HOST) {
        parts.headers.insert(header::HOST, HeaderValue::from_str(&upstream.address().to_string()).ok()?);
    }
    Some(())
}

/// Turns an instance's answer into the caller's: the same head without what belonged to the connection, the same body in passing.
fn pass_on(
    mut answer: Response<Incoming>,
    lease: Lease,
    counters: Arc<Counters>,
    caller: Option<OnUpgrade>,
) -> Result<Response<Answer>, Box<Response<Answer>>> {
    let switched = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    let protocol = answer.headers().get(header::UPGRADE).cloned();
    headers::strip_hop_by_hop(answer.headers_mut());
    if !switched {
        return Ok(answer.map(|body| Answer::Passing { body, counters, lease: Some(lease) }));
    }
    let (Some(caller), Some(protocol)) = (caller, protocol) else {
        return Err(Box::new(sentence(StatusCode::BAD_GATEWAY, "the service switched protocols and was not asked to\n")));
    };
    headers::set_upgrade(answer.headers_mut(), protocol);
    tunnel::open(caller, hyper::upgrade::on(&mut answer), lease);
    Ok(answer.map(|body| Answer::Passing { body, counters, lease: None }))
}

fn apology(miss: &Miss) -> Response<Answer> {
    match miss {
        Miss::NeverSent => sentence(StatusCode::BAD_GATEWAY, "the service could not be reached\n"),
        Miss::Lost => sentence(StatusCode::BAD_GATEWAY, "the service closed the connection before it answered\n"),
        Miss::Late => sentence(StatusCode::GATEWAY_TIMEOUT, "the service did not answer in time\n"),
    }
}

fn sentence(status: StatusCode, text: &'static str) -> Response<Answer> {
    let mut answer = Response::new(Answer::text(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// Counts a request however it ends. Dropped without an end means that the caller hung up and hyper dropped our work.
struct Pending {
    counters: Arc<Counters>,
    started: Instant,
    ended: bool,
}

impl Pending {
    fn end(mut self, outcome: Outcome) -> Arc<Counters> {
        self.ended = true;
        self.counters.record(outcome, self.started.elapsed());
        self.counters.clone()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.ended {
            self.counters.record(Outcome::Abandoned, self.started.elapsed());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::protocol::Traffic;
    use crate::route::choice::Rules;
    use crate::route::listener::Listener;
    use crate::route::table::{SideRoute, Table};

    /// What an instance of these tests does with every connection.
    #[derive(Clone, Copy, PartialEq)]
    enum Instance {
        /// Nobody listens.
        Absent,
        /// Reads a request and hangs up.
        HangsUp,
        /// Answers with the last word of what it read.
        Answers,
        /// Reads and says nothing.
        Silent,
    }

    async fn instance(behaviour: Instance) -> SocketAddr {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        if behaviour != Instance::Absent {
            tokio::spawn(async move {
                while let Ok((stream, _)) = socket.accept().await {
                    tokio::spawn(play(behaviour, stream));
                }
            });
        }
        address
    }

    async fn play(behaviour: Instance, mut stream: TcpStream) {
        let mut read = String::new();
        let end = |read: &str| if read.starts_with("GET") { read.ends_with("\r\n\r\n") } else { read.ends_with("body") };
        while !end(&read) {
            read.push(char::from(stream.read_u8().await.unwrap()));
        }
        match behaviour {
            Instance::Absent | Instance::HangsUp => {}
            Instance::Answers => {
                let word = if read.ends_with("body") { "body" } else { "none" };
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n{word}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            Instance::Silent => std::future::pending().await,
        }
    }

    /// Sends one request through a router in front of two instances, the first of which is asked first.
    async fn check(instances: [Instance; 2], request: &str, expect: &str) {
        let mut ready = Vec::new();
        for behaviour in instances {
            ready.push(Arc::new(Upstream::new(instance(behaviour).await)));
        }
        let counters = Arc::new(Counters::new(0));
        let stable = Some(Arc::new(SideRoute::new("v1", counters.clone(), ready)));
        let traffic =
            Traffic { candidate_basis_points: 0, matches: vec![], mirror_basis_points: 0, sticky: None, release_header: false };
        let route = Arc::new(PublicRoute::new(Duration::from_millis(300)));
        route.publish(Table { rules: Some(Rules::new(&traffic)), stable, candidate: None });
        let socket = Listener::bind([127, 0, 0, 1].into(), 0).await.unwrap();
        let listener = Listener::serve(socket, route).unwrap();
        let mut caller = TcpStream::connect(listener.address()).await.unwrap();
        caller.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        caller.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(format!("{} {}", &head[9..12], body.trim_end()), expect, "{request}");
        let seen = counters.snapshot("v1");
        assert_eq!((seen.requests, seen.errors), (1, u64::from(!expect.starts_with("200"))), "{request}");
    }

    const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbody";

    #[tokio::test]
    async fn what_was_never_sent_goes_to_another_instance_with_its_body() {
        check([Instance::Absent, Instance::Answers], GET, "200 none").await;
        check([Instance::Absent, Instance::Answers], POST, "200 body").await;
        check([Instance::Absent, Instance::Absent], GET, "502 the service could not be reached").await;
    }

    #[tokio::test]
    async fn what_may_have_been_done_is_not_done_twice() {
        check([Instance::HangsUp, Instance::Answers], GET, "200 none").await;
        check([Instance::HangsUp, Instance::Answers], POST, "502 the service closed the connection before it answered").await;
        check([Instance::HangsUp, Instance::HangsUp], GET, "502 the service closed the connection before it answered").await;
    }

    #[tokio::test]
    async fn a_silent_instance_is_given_up() {
        check([Instance::Silent, Instance::Answers], GET, "504 the service did not answer in time").await;
    }
}
