//! AWS Secrets Manager: one signed request, `GetSecretValue`.

use std::time::Duration;

use http::Method;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{BYTES_MAX, ManagedSecret, Secret, ToSign, not_empty, read_keys, sign};
use crate::clock;
use crate::host::Shared;
use crate::powers::http::grant::Reach;
use crate::powers::http::place::Place;
use crate::powers::http::send::{Failed, Outgoing, send};

/// How long the service may take: it answers in some ten milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

const OPERATION: HeaderName = HeaderName::from_static("x-amz-target");
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

/// Returns a secret of the service's. Reading changes nothing there, so no byte of it makes a call's outcome unknown.
pub(super) async fn read(host: &Shared, kept: &ManagedSecret) -> Result<Secret, String> {
    let cannot = |why: &str| format!("secret {:?} cannot be read from {}: {why}", kept.id, kept.address);
    let outgoing = request(host, kept).await.map_err(|why| cannot(&why))?;
    let incoming = send(outgoing, &host.tls, || ()).await.map_err(|failed| cannot(&said(failed)))?;
    let answer = serde_json::from_slice::<Value>(&incoming.body);
    if incoming.status != 200 {
        // What the service says may repeat what it was told; its code for the error does not.
        let answer = answer.unwrap_or_default();
        let code = answer["__type"].as_str().unwrap_or("without a code for the error");
        let code: String = code.chars().filter(|c| c.is_ascii_alphanumeric() || "#. ".contains(*c)).take(100).collect();
        return Err(cannot(&format!("it answered {} {code}", incoming.status)));
    }
    let answer = answer.map_err(|_| cannot("the answer is not JSON"))?;
    let text = answer["SecretString"].as_str().ok_or_else(|| cannot("it is not a text"))?;
    let Some(field) = &kept.field else { return not_empty(text).ok_or_else(|| cannot("it is empty")) };
    let object: Value = serde_json::from_str(text).map_err(|_| cannot("it is not a JSON object, and a field is wanted"))?;
    object[field].as_str().and_then(not_empty).ok_or_else(|| cannot(&format!("it has no text {field:?}")))
}

async fn request(host: &Shared, kept: &ManagedSecret) -> Result<Outgoing, String> {
    let place = Place::of(&kept.address)?;
    let body = json!({ "SecretId": kept.id }).to_string();
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_str(&place.host_header()).map_err(|error| error.to_string())?);
    headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
    headers.insert(OPERATION, HeaderValue::from_static("secretsmanager.GetSecretValue"));
    let to_sign = ToSign {
        method: "POST",
        path_and_query: &place.path_and_query,
        body: body.as_bytes(),
        service: "secretsmanager",
        region: &kept.region,
        now_ms: clock::now_ms(),
    };
    sign(&mut headers, &to_sign, &read_keys(host, &kept.keys).await?)?;
    Ok(Outgoing {
        method: Method::POST,
        place,
        headers,
        body: body.into(),
        // The operator names the address; it may well be inside.
        reach: Reach::Private,
        certificate: None,
        patience: PATIENCE,
        response_bytes_max: BYTES_MAX as usize,
    })
}

fn said(failed: Failed) -> String {
    match failed {
        Failed::Inside(addresses) => format!("it leads to {addresses:?}, which must be named literally"),
        Failed::Unreachable(why) | Failed::Broken(why) => why,
        Failed::Timeout => "no answer in time".to_owned(),
        Failed::TooLarge(limit) => format!("the answer is larger than {limit} bytes"),
    }
}
