//! Documents over HTTP, for targets that bring about what a service of somebody else keeps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::{Fault, Faulty};
use crate::helpers::patch::{JSON_PATCH, MERGE_PATCH, merge};
use crate::powers::http;
use crate::testing::World;

/// The largest document.
const DOCUMENT_BYTES_MAX: usize = 4 << 20;

/// How many documents there may be.
const DOCUMENTS_MAX: usize = 10_000;

/// An object store over HTTP, in memory: GET, HEAD, PUT, POST, PATCH and DELETE of `/documents/NAME` on every host.
///
/// An answer says the document's version as `etag`; `if-match` and `if-none-match: *` are the conditions of a write, and one that does
/// not hold is answered with 412. A PATCH is a JSON Patch or a JSON Merge Patch, by its `content-type`; it is done as a whole or, where a
/// `test` of it fails, not at all, and then answered with 409 and a sentence.
#[derive(Clone, Default)]
pub struct Documents(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    documents: BTreeMap<String, (u64, Vec<u8>)>,
    fault: Fault,
    held: Option<http::Request>,
    writes: u64,
}

impl Documents {
    /// Where the documents are.
    pub const URL: &'static str = "http://world.test/documents";

    /// Returns a world with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the document of this name as it stands.
    pub fn document(&self, name: &str) -> Option<Vec<u8>> {
        self.lock().documents.get(name).map(|(_, content)| content.clone())
    }

    /// Returns the documents as they stand.
    pub fn documents(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().documents.iter().map(|(name, (_, content))| (name.clone(), content.clone())).collect()
    }

    /// Writes a document as somebody else would; it counts as a write.
    pub fn put(&self, name: &str, content: &[u8]) {
        self.lock().put(name, content);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faulty for Documents {
    fn set_fault(&self, fault: Fault) {
        self.lock().fault = fault;
    }

    fn fault(&self) -> Fault {
        self.lock().fault
    }

    fn writes(&self) -> u64 {
        self.lock().writes
    }

    fn forget(&self) {
        self.lock().documents.clear();
    }

    fn deliver(&self) {
        let mut state = self.lock();
        if let Some(request) = state.held.take()
            && let Some(name) = name(&request.url)
        {
            state.answer(name, &request);
        }
    }
}

impl World for Documents {
    fn fetch(&mut self, request: &http::Request) -> Result<http::Response, http::Error> {
        let mut state = self.lock();
        if state.fault == Fault::Silent {
            return Err(http::Error::Timeout);
        }
        let Some(name) = name(&request.url) else { return Ok(plain(404)) };
        let writes = !matches!(request.method.as_str(), "GET" | "HEAD");
        match &mut state.fault {
            Fault::FailAfter(0) if writes => return Ok(plain(503)),
            Fault::HoldAfter(0) if writes => {
                (state.fault, state.held) = (Fault::None, Some(request.clone()));
                return Err(http::Error::Timeout);
            }
            Fault::FailAfter(left) | Fault::HoldAfter(left) if writes => *left -= 1,
            Fault::FailAfter(_) | Fault::HoldAfter(_) | Fault::None | Fault::Silent | Fault::LoseOneAnswer => {}
        }
        let answer = state.answer(name, request);
        if writes && state.fault == Fault::LoseOneAnswer {
            state.fault = Fault::None;
            return Err(http::Error::Broken("the world loses this answer".to_owned()));
        }
        Ok(answer)
    }
}

impl State {
    fn answer(&mut self, name: &str, request: &http::Request) -> http::Response {
        let version = self.documents.get(name).map(|(version, _)| tag(*version));
        let said = |header: &str| {
            request.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(header)).map(|(_, value)| value.as_str())
        };
        let unmet_match =
            said("if-match").is_some_and(|wanted| version.is_none() || (wanted != "*" && Some(wanted) != version.as_deref()));
        let unmet_none = said("if-none-match").is_some() && version.is_some();
        match request.method.as_str() {
            "GET" => match self.documents.get(name) {
                Some((number, content)) => versioned(*number, content),
                None => plain(404),
            },
            "HEAD" => self.documents.get(name).map_or_else(|| plain(404), |(number, _)| versioned(*number, &[])),
            "PUT" | "POST" | "PATCH" | "DELETE" if unmet_match || unmet_none => plain(412),
            "PATCH" => match self.patched(name, said("content-type").unwrap_or_default(), &request.body) {
                Ok(content) => versioned(self.put(name, &content), &content),
                Err((status, why)) => http::Response { body: why.into_bytes(), ..plain(status) },
            },
            "PUT" | "POST" if request.body.len() > DOCUMENT_BYTES_MAX => plain(413),
            "PUT" | "POST" if version.is_none() && self.documents.len() >= DOCUMENTS_MAX => plain(507),
            "PUT" | "POST" => versioned(self.put(name, &request.body), &request.body),
            "DELETE" => {
                self.writes += 1;
                plain(if self.documents.remove(name).is_some() { 204 } else { 404 })
            }
            _ => plain(405),
        }
    }

    /// Returns the document as a patch makes it, or the status of the refusal and a sentence.
    fn patched(&self, name: &str, media_type: &str, patch: &[u8]) -> Result<Vec<u8>, (u16, String)> {
        let (_, content) = self.documents.get(name).ok_or_else(|| (404, format!("there is no document {name:?}")))?;
        let mut document: Value =
            serde_json::from_slice(content).map_err(|error| (409, format!("the document is no JSON: {error}")))?;
        let unreadable = |error: serde_json::Error| (400, format!("the patch cannot be read: {error}"));
        match media_type {
            JSON_PATCH => {
                let operations: json_patch::Patch = serde_json::from_slice(patch).map_err(unreadable)?;
                json_patch::patch(&mut document, &operations).map_err(|error| (409, error.to_string()))?;
            }
            MERGE_PATCH => document = merge(document, &serde_json::from_slice(patch).map_err(unreadable)?),
            other => return Err((415, format!("the patch is {other:?}, expected {JSON_PATCH} or {MERGE_PATCH}"))),
        }
        Ok(document.to_string().into_bytes())
    }

    fn put(&mut self, name: &str, content: &[u8]) -> u64 {
        self.writes += 1;
        self.documents.insert(name.to_owned(), (self.writes, content.to_vec()));
        self.writes
    }
}

/// Returns the name of the document at a URL.
fn name(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (_, path) = rest.split_once('/')?;
    let path = path.split(['?', '#']).next()?;
    path.strip_prefix("documents/").filter(|name| !name.is_empty())
}

fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

fn versioned(version: u64, content: &[u8]) -> http::Response {
    let headers = vec![("etag".to_owned(), tag(version))];
    http::Response { headers, ..http::Response::new(200, content) }
}

fn plain(status: u16) -> http::Response {
    http::Response::new(status, "")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::helpers::patch::{JsonPatch, pointer};
    use crate::powers::http::Request;
    use crate::testing::in_world;

    fn send(world: &Documents, method: &str, condition: Option<(&str, &str)>) -> Result<http::Response, http::Error> {
        let request = Request::new(method, format!("{}/a/b", Documents::URL)).body("text");
        let request = condition.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        in_world(world.clone(), || request.send())
    }

    fn status(world: &Documents, method: &str, condition: Option<(&str, &str)>) -> u16 {
        send(world, method, condition).expect("an answer").status
    }

    #[test]
    fn a_write_is_compared_and_set() {
        let world = Documents::new();
        assert_eq!(status(&world, "GET", None), 404);
        assert_eq!(status(&world, "PUT", Some(("If-Match", "\"1\""))), 412);
        assert_eq!(status(&world, "PUT", Some(("If-None-Match", "*"))), 200);
        assert_eq!(status(&world, "PUT", Some(("if-none-match", "*"))), 412);
        let found = send(&world, "GET", None).expect("an answer");
        let version = found.header("ETag").expect("a version").to_owned();
        assert_eq!(status(&world, "PUT", Some(("if-match", &version))), 200);
        assert_eq!(status(&world, "DELETE", Some(("if-match", &version))), 412);
        assert_eq!((status(&world, "DELETE", None), status(&world, "GET", None), world.writes()), (204, 404, 3));
    }

    /// Patches a document, and returns the status and what is there then, or the sentence of the refusal.
    fn patched(document: &Value, media_type: &str, patch: &Value) -> (u16, Value) {
        let world = Documents::new();
        world.put("a/b", document.to_string().as_bytes());
        let request = Request::new("PATCH", format!("{}/a/b", Documents::URL)).header("content-type", media_type);
        let answer = in_world(world.clone(), || request.body(patch.to_string()).send()).expect("an answer");
        let there: Value = serde_json::from_slice(&world.document("a/b").expect("a document")).expect("JSON");
        if answer.status != 200 {
            assert_eq!(there, *document, "a patch that fails changes nothing");
            return (answer.status, String::from_utf8_lossy(&answer.body).into_owned().into());
        }
        (200, there)
    }

    #[test]
    fn a_patch_is_done_as_a_whole_or_not_at_all() {
        let document = json!({ "generation": 3, "labels": { "app/version": "v1" }, "list": [1, 2] });
        let version = pointer(["labels", "app/version"]);
        let patch = JsonPatch::new().test("/generation", json!(3)).replace(&version, json!("v2")).remove("/list/0");
        let patch = patch.add("/list/-", json!(3)).add("/new", json!({}));
        let wanted = json!({ "generation": 3, "labels": { "app/version": "v2" }, "list": [2, 3], "new": {} });
        assert_eq!(patched(&document, JSON_PATCH, &patch.to_value()), (200, wanted));
        let late = JsonPatch::new().replace(&version, json!("v3")).test("/generation", json!(2));
        let (status, why) = patched(&document, JSON_PATCH, &late.to_value());
        assert!(status == 409 && why.to_string().contains("/generation"), "{status} {why}");
        let absent = JsonPatch::new().remove("/nowhere");
        assert_eq!(patched(&document, JSON_PATCH, &absent.to_value()).0, 409);
        assert_eq!(patched(&document, JSON_PATCH, &json!({ "op": "add" })).0, 400);
        assert_eq!(patched(&document, "text/plain", &json!([])).0, 415);
        assert_eq!(patched(&json!({ "a": 1 }), MERGE_PATCH, &json!({ "a": null, "b": 2 })), (200, json!({ "b": 2 })));
    }

    #[test]
    fn faults_happen_as_they_were_asked_for() {
        let world = Documents::new();
        world.set_fault(Fault::FailAfter(1));
        assert_eq!((status(&world, "PUT", None), status(&world, "PUT", None), status(&world, "GET", None)), (200, 503, 200));
        assert_eq!((world.fault_happened(), world.writes()), (true, 1));
        world.set_fault(Fault::LoseOneAnswer);
        assert!(send(&world, "GET", None).is_ok() && !world.fault_happened());
        assert!(matches!(send(&world, "PUT", None), Err(http::Error::Broken(_))));
        assert_eq!((world.fault_happened(), world.writes()), (true, 2));
        world.set_fault(Fault::HoldAfter(1));
        assert_eq!((status(&world, "PUT", None), world.fault_happened()), (200, false));
        assert!(matches!(send(&world, "DELETE", None), Err(http::Error::Timeout)));
        assert_eq!((world.fault_happened(), status(&world, "GET", None)), (true, 200));
        world.deliver();
        assert_eq!(status(&world, "GET", None), 404);
        world.set_fault(Fault::Silent);
        assert!(matches!(send(&world, "GET", None), Err(http::Error::Timeout)));
    }
}
