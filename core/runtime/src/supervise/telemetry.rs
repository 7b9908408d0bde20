//! What an instance is told about itself in the variables of OpenTelemetry, so that what it measures carries the names that we use.
//!
//! The names are those of OpenTelemetry's "Environment Variable Specification" and of its semantic conventions for resources.

/// Who the instances of a group are.
#[derive(Clone, Debug)]
pub(crate) struct Telemetry {
    pub(crate) service: String,
    pub(crate) environment: String,
    /// The same word as in the status.
    pub(crate) release: String,
    /// Where they may send what they measure.
    pub(crate) otlp_endpoint: Option<String>,
}

impl Telemetry {
    /// Returns the variables of the instance with that number.
    pub(crate) fn variables(&self, instance: u32) -> Vec<(&'static str, String)> {
        let attributes = [
            ("service.name", self.service.as_str()),
            ("service.version", &self.release),
            ("deployment.environment.name", &self.environment),
            ("service.instance.id", &instance.to_string()),
        ]
        .map(|(key, value)| format!("{key}={}", encode(value)));
        let mut variables = vec![("OTEL_SERVICE_NAME", self.service.clone()), ("OTEL_RESOURCE_ATTRIBUTES", attributes.join(","))];
        variables.extend(self.otlp_endpoint.clone().map(|endpoint| ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)));
        variables
    }
}

/// Percent-encodes what may not stand in a value as it is: all but the `baggage-octet` of W3C Baggage (3.3.1), and the separators of
/// the list. Anything else stays, because some readers decode nothing.
fn encode(value: &str) -> String {
    let stays = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\' | b'%' | b'=');
    value.bytes().map(|byte| if stays(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_where_they_must_be() {
        let check = |value: &str, expect: &str| assert_eq!(encode(value), expect);
        check("sha256:ab/c_d-1.0", "sha256:ab/c_d-1.0");
        check("a=b,c;d %\"\\", "a%3Db%2Cc%3Bd%20%25%22%5C");
        check("\u{fc}\n", "%C3%BC%0A");
    }

    #[test]
    fn an_instance_is_told_who_it_is() {
        let telemetry = Telemetry {
            service: "web".to_owned(),
            environment: "prod".to_owned(),
            release: "rel:1".to_owned(),
            otlp_endpoint: Some("http://127.0.0.1:4318".to_owned()),
        };
        let attributes = "service.name=web,service.version=rel:1,deployment.environment.name=prod,service.instance.id=3";
        let expect = [
            ("OTEL_SERVICE_NAME", "web"),
            ("OTEL_RESOURCE_ATTRIBUTES", attributes),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ];
        assert_eq!(telemetry.variables(3), expect.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(Telemetry { otlp_endpoint: None, ..telemetry }.variables(1).len(), 2);
    }
}
