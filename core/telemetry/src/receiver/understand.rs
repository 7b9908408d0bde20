//! From the bytes of a request to points in windows, one request after the other.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;

use super::Shared;
use crate::limits::{REQUEST_BYTES_MAX, REQUEST_JSON_BYTES_MAX};
use crate::otlp::census::{self, Unusable};
use crate::otlp::{self, Batch};
use crate::outcome::Outcome;

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Protobuf,
    Json,
}

/// Takes the points of a request, and says which not.
pub(super) async fn understand(shared: &Arc<Shared>, body: Bytes, form: Form, gzip: bool) -> Result<Outcome, Unusable> {
    // Held until it is done, even when nobody waits for the answer any more.
    let turn = Arc::clone(&shared.understanding).lock_owned().await;
    let shared = Arc::clone(shared);
    let understood = tokio::task::spawn_blocking(move || {
        let taken = take(&shared, &body, form, gzip);
        drop(turn);
        taken
    });
    understood.await.unwrap_or_else(|error| Err(Unusable::Malformed(format!("it could not be understood: {error}"))))
}

fn take(shared: &Shared, body: &[u8], form: Form, gzip: bool) -> Result<Outcome, Unusable> {
    let request = match gzip {
        true => read(&unpack(body)?, form)?,
        false => read(body, form)?,
    };
    let understood = otlp::batches(request, &*shared.options.directory);
    let (batches, strangers) = understood.map_err(|error| Unusable::NotNow(error.to_string()))?;
    let now_ms = (shared.options.now_ms)();
    let telemetry = &shared.options.telemetry;
    telemetry.turn_away(&strangers);
    let mut outcome = strangers;
    for Batch { scope, points, refused } in batches {
        telemetry.refuse(&scope, &refused, now_ms);
        outcome.add(refused);
        outcome.add(telemetry.take(&scope, points, now_ms));
    }
    Ok(outcome)
}

fn unpack(body: &[u8]) -> Result<Vec<u8>, Unusable> {
    let mut unpacked = Vec::new();
    let limit = REQUEST_BYTES_MAX as u64;
    let read = MultiGzDecoder::new(body).take(limit + 1).read_to_end(&mut unpacked);
    read.map_err(|error| Unusable::Malformed(format!("it cannot be unpacked: {error}")))?;
    match unpacked.len() > REQUEST_BYTES_MAX {
        true => Err(Unusable::TooLarge(format!("unpacked it has more than {REQUEST_BYTES_MAX} bytes: send it in pieces"))),
        false => Ok(unpacked),
    }
}

fn read(message: &[u8], form: Form) -> Result<ExportMetricsServiceRequest, Unusable> {
    match form {
        Form::Protobuf => {
            census::check(message)?;
            let read = ExportMetricsServiceRequest::decode(message);
            read.map_err(|error| Unusable::Malformed(format!("it is not a message: {error}")))
        }
        Form::Json => {
            if message.len() > REQUEST_JSON_BYTES_MAX {
                let found = message.len();
                let why =
                    format!("as JSON it may have {REQUEST_JSON_BYTES_MAX} bytes, it has {found}: send protobuf, or in pieces");
                return Err(Unusable::TooLarge(why));
            }
            census::check_json(message)?;
            serde_json::from_slice(message).map_err(|error| Unusable::Malformed(format!("it is not a message: {error}")))
        }
    }
}
