//! The files that people would write.

/// A path with one small weight.
pub(crate) const PATH: &str = r#"
apiVersion: towpath.dev/v1
kind: GoldenPath
metadata: { name: web, version: 1.2.0, description: A short canary. }
parameters:
  type: object
  required: [command]
  properties:
    command: { type: array, items: { type: string } }
    watch: { type: string, default: 5m }
run:
  command: ${parameters.command}
strategy:
  canary:
    steps:
      - { weight: 10%, watch: "${parameters.watch}" }
health:
  - use: health-http
    every: 10ms
onFailure: rollback
onInconclusive: pause
patience: 30s
"#;

/// The one environment.
pub(crate) const ENVIRONMENT: &str = "
apiVersion: towpath.dev/v1
kind: Environment
metadata: { name: local }
tier: development
target: { use: target-local }
";

/// A service whose watches last so long.
pub(crate) fn service(name: &str, watch: &str) -> String {
    format!(
        "
apiVersion: towpath.dev/v1
kind: Service
metadata: {{ name: {name} }}
path: {{ name: web, version: ^1.0 }}
parameters:
  command: [./web]
  watch: {watch}
"
    )
}
