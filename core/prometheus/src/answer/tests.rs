//! Answers as servers give them, good and bad.

use super::*;

fn ok(body: &str) -> Answer {
    read(200, body.as_bytes(), Limits::default()).unwrap_or_else(|why| panic!("{body}: {why}"))
}

fn refused(status: u16, body: impl AsRef<[u8]>) -> String {
    read(status, body.as_ref(), Limits { series: 2, points: 3 }).expect_err("it cannot be used").to_string()
}

#[test]
fn each_kind_of_data_is_read() {
    let vector = ok(
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1790000000.5,"0.25"]},{"metric":{},"value":[1790000000.5,"NaN"]}]}}"#,
    );
    let Data::Vector(series) = &vector.data else { panic!("{vector:?}") };
    assert_eq!(series[0].labels.to_string(), r#"up{job="a"}"#);
    assert_eq!(series[0].newest(), Some(Point { at_ms: 1_790_000_000_500, value: 0.25 }));
    assert!(series[1].newest().is_some_and(|point| point.value.is_nan()));
    let matrix = ok(
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[2,"+Inf"],[3.25,"-Inf"]]}]},"warnings":["partial\nresponse"]}"#,
    );
    assert_eq!(matrix.warnings, ["partial response"]);
    let points = matrix.data.into_series().remove(0).points;
    let found: Vec<_> = points.iter().map(|point| (point.at_ms, point.value)).collect();
    assert_eq!(found, [(1_000, 1.0), (2_000, f64::INFINITY), (3_250, f64::NEG_INFINITY)]);
    let scalar = ok(r#"{"status":"success","data":{"resultType":"scalar","result":[1,"3e-2"]}}"#);
    assert_eq!(scalar.data.into_series()[0].newest(), Some(Point { at_ms: 1_000, value: 0.03 }));
    let empty = ok(r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#);
    assert_eq!(empty.data, Data::Vector(Vec::new()));
}

#[test]
fn what_cannot_be_used_is_said_with_what_was_found() {
    let success = |data: &str| refused(200, format!(r#"{{"status":"success","data":{data}}}"#));
    assert_eq!(
        refused(400, r#"{"status":"error","errorType":"bad_data","error":"1:5: parse error: unexpected end of input"}"#),
        "Prometheus says bad_data: 1:5: parse error: unexpected end of input"
    );
    assert_eq!(refused(500, "oops"), r#"Prometheus answers with status 500: "oops""#);
    assert_eq!(refused(503, r#"{"message":"no"}"#), r#"Prometheus answers with status 503: "{\"message\":\"no\"}""#);
    assert!(refused(200, "<!doctype html><p>Sign in").starts_with("the answer is HTML and not that of Prometheus' API: "));
    assert_eq!(refused(200, ""), r#"the answer is empty and not that of Prometheus' API: """#);
    assert_eq!(refused(200, "up 1"), r#"the answer is no JSON and not that of Prometheus' API: "up 1""#);
    assert!(refused(200, r#"{"status":"success","data":{"resultType":"vector","result":[7]}}"#).contains("JSON of another form"));
    assert!(refused(200, r#"{"status":"success"}"#).contains("JSON without a status of success and data"));
    assert!(
        refused(200, r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[["#)
            .contains("JSON of another form")
    );
    assert_eq!(
        success(r#"{"resultType":"string","result":[1,"hello"]}"#),
        r#"the query's value is the text "hello", expected numbers"#
    );
    assert_eq!(
        success(r#"{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"many"]}]}"#),
        r#"the value of {a="b"} is "many", expected a number"#
    );
    assert!(success(r#"{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}"#).contains("native histogram"));
    assert!(success(r#"{"resultType":"matrix","result":[{"metric":{},"histograms":[[1,{}]]}]}"#).contains("native histogram"));
}

#[test]
fn more_than_is_read_is_refused() {
    let sample = r#"{"metric":{},"value":[1,"1"]}"#;
    let vector = format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{sample},{sample},{sample}]}}}}"#);
    assert_eq!(refused(200, vector), "the query gives 3 series, at most 2 are read; sum them up or select fewer");
    let row = r#"{"metric":{},"values":[[1,"1"],[2,"1"]]}"#;
    let matrix = format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{row},{row}]}}}}"#);
    assert!(refused(200, matrix).starts_with("the query gives 4 points, at most 3 are read"));
}

#[test]
fn bytes_of_any_kind_are_no_reason_to_panic() {
    let good = br#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"1"]]}]}}"#;
    for length in 0..good.len() {
        let _ = read(200, &good[..length], Limits::default());
        let mut flipped = good.to_vec();
        flipped[length] ^= 0x55;
        let _ = read(200, &flipped, Limits::default());
    }
    let long = refused(502, vec![b'x'; 10_000]);
    assert!(long.chars().count() < 300, "{long}");
    assert!(refused(502, [0xff, 0xfe, 0x1b, b'[']).contains("502"));
}
