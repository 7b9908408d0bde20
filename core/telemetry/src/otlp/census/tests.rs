use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics};
use prost::Message;

use super::*;

fn request(points: Vec<NumberDataPoint>) -> Vec<u8> {
    let metric = Metric { name: "level".to_owned(), data: Some(Data::Gauge(Gauge { data_points: points })), ..Metric::default() };
    let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }];
    ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
}

fn pair(value: Value) -> KeyValue {
    KeyValue { key: "http.request.method".to_owned(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

fn point(attributes: usize) -> NumberDataPoint {
    let attributes = vec![pair(Value::StringValue("GET".to_owned())); attributes];
    NumberDataPoint { attributes, time_unix_nano: 1, ..NumberDataPoint::default() }
}

#[test]
fn a_large_batch_of_a_collector_is_read() {
    let batch = request(vec![point(5); 8_192]);
    assert!(batch.len() > 1_000_000, "{}", batch.len());
    assert_eq!(check(&batch), Ok(()));
}

#[test]
fn what_becomes_large_is_refused_before_it_is_read() {
    let empty = vec![NumberDataPoint::default(); 200_000];
    let bomb = request(empty);
    assert!(bomb.len() < 1_000_000, "{}", bomb.len());
    let why = check(&bomb).unwrap_err();
    assert!(matches!(&why, Unusable::TooLarge(said) if said.contains("its parts take more than")), "{why}");
}

#[test]
fn small_numbers_that_become_large_ones_are_counted_as_such() {
    // A list of numbers of one byte each in an exponential histogram.
    let field = |number: u8, content: Vec<u8>| {
        let mut bytes = vec![number << 3 | 2];
        prost::encode_length_delimiter(content.len(), &mut bytes).unwrap();
        bytes.extend(content);
        bytes
    };
    let point = field(8, field(2, vec![1; 2_500_000]));
    let metric = field(10, field(1, point));
    let bomb = field(1, field(2, field(2, metric)));
    assert!(ExportMetricsServiceRequest::decode(&*bomb).is_ok());
    assert!(matches!(check(&bomb), Err(Unusable::TooLarge(_))));
}

#[test]
fn values_that_lie_deep_in_each_other_are_refused() {
    let nested = |depth: usize| {
        let mut value = Value::BoolValue(true);
        for _ in 0..depth {
            value = Value::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(value) }] });
        }
        request(vec![NumberDataPoint { attributes: vec![pair(value)], ..NumberDataPoint::default() }])
    };
    assert_eq!(check(&nested(8)), Ok(()));
    assert!(check(&nested(40)).unwrap_err().to_string().contains("more than 32 deep"));
}

#[test]
fn what_is_no_message_is_told() {
    let whole = request(vec![point(2)]);
    assert_eq!(check(&whole), Ok(()));
    let malformed = |bytes: &[u8]| match check(bytes) {
        Err(Unusable::Malformed(why)) => why,
        other => panic!("expected a sentence, found {other:?}"),
    };
    assert!(malformed(&whole[..whole.len() - 1]).contains("in the middle of a field"));
    assert!(malformed(&[0xff; 11]).contains("does not end"));
    assert!(malformed(&[0x0b]).contains("kind 3"));
    assert!(malformed(&[0x09, 1]).contains("in the middle"));
    assert!(malformed(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).contains("in the middle"));
    assert_eq!(check(&[]), Ok(()), "nothing is a message without parts");
}

#[test]
fn objects_of_json_are_counted() {
    assert_eq!(check_json(br#"{"resourceMetrics":[{},{}]}"#), Ok(()));
    assert!(check_json("{".repeat(200_000).as_bytes()).is_err());
}
