//! OTLP over gRPC. tonic frames and unpacks messages; they are read here, so that what they would take in memory is known before.

use std::pin::Pin;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};
use http::Request;
use hyper::body::Incoming;
use prost::Message;
use tonic::Status;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, UnaryService};

use super::Shared;
use super::connection::Response;
use super::understand::{Form, understand};
use crate::limits::{REQUEST_BYTES_MAX, REQUEST_TIMEOUT};
use crate::otlp;
use crate::otlp::census::Unusable;

/// The one call.
const EXPORT: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// Answers a call.
pub(super) async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Response {
    if let Err(refused) = shared.options.admission.check(request.headers()) {
        return Status::unauthenticated(refused.sentence()).into_http();
    }
    if request.uri().path() != EXPORT {
        return Status::unimplemented(format!("metrics are taken here, with {EXPORT}")).into_http();
    }
    // A client that is told so comes again after a while.
    let Ok(_permit) = shared.requests.try_acquire() else {
        return Status::unavailable("too many requests at once: come again").into_http();
    };
    let mut grpc = Grpc::new(Messages).accept_compressed(CompressionEncoding::Gzip).max_decoding_message_size(REQUEST_BYTES_MAX);
    grpc.unary(Export(Arc::clone(shared)), request).await
}

/// Answers a call that took too long.
pub(super) fn too_slow() -> Response {
    Status::deadline_exceeded(format!("the request did not come within {} s", REQUEST_TIMEOUT.as_secs())).into_http()
}

struct Export(Arc<Shared>);

impl UnaryService<Bytes> for Export {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            let outcome = understand(&shared, request.into_inner(), Form::Protobuf, false).await.map_err(status)?;
            Ok(tonic::Response::new(otlp::answer(&outcome).encode_to_vec().into()))
        })
    }
}

/// A client sends again what it is told to send again, and nothing else.
fn status(why: Unusable) -> Status {
    match why {
        Unusable::Malformed(why) => Status::invalid_argument(why),
        Unusable::TooLarge(why) => Status::resource_exhausted(why),
        Unusable::NotNow(why) => Status::unavailable(why),
    }
}

/// Messages as they are on the wire.
#[derive(Default)]
struct Messages;

impl Codec for Messages {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Messages {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Messages {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
