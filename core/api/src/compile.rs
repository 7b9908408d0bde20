//! From what the catalog holds to a plan: fetch, pin, ask the target, compile.

use std::collections::BTreeMap;

use journal::Store;
use model::{Artifact, Digest, EnvironmentName, Plan, PluginUse, ReleaseId, ReleaseSpec, Scope};
use path::{
    Change, CompileInput, Environment, GoldenPath, PluginCatalog, PluginFacts, PluginKind, ReleaseInput, RestoreInput, Service,
    render_diagnostics,
};

use crate::document::{self, FileDocument, ReleaseDocument};
use crate::error::ApiError;
use crate::ports::{PluginInfo, Plugins};
use crate::{Api, catalog};

/// How many digits of the configured release's own hash stand behind the dot of its name: one release has few configurations.
const CONFIGURATION_DIGITS: usize = 6;

/// A plan, and what it would replace.
pub(crate) struct Compiled {
    pub(crate) plan: Plan,
    pub(crate) stable: Option<ReleaseSpec>,
}

/// Compiles the plan that would bring a release (by id or label) into a scope now.
pub(crate) async fn plan(api: &Api, scope: Scope, release: &str) -> Result<Compiled, ApiError> {
    let store = api.handle.store();
    // The environment and the service must be known before the release is looked for: the error names what is missing first.
    let environment = environment(&*store, &scope.environment).await?;
    document::find::<FileDocument>(&*store, document::SERVICE, scope.service.as_str()).await?;
    let release = catalog::find_release(&*store, scope.service.as_str(), release).await?;
    let service = path::parse_service(&release.service_file, &release.service_file_name).map_err(faults)?;
    let golden = golden_path(&*store, &release).await?;
    let plugins = Known::new(api.plugins.list()).pinned(&*api.plugins, &release)?;
    let target = api.plugins.describe_target(&environment.target, &environment.target_settings()).await;
    let target = match plugins.find(&environment.target) {
        Some(_) => target?,
        None => return Err(plugins.unknown(&environment.target)),
    };
    let stable = api.handle.scope(&scope).await?.stable;
    let unnamed = ReleaseInput {
        id: None,
        label: release.label.clone(),
        artifact: Artifact { reference: release.artifact_reference.clone(), digest: Digest::parse(&release.artifact_digest)? },
    };
    let (first, change) = (stable.is_none(), Change::default());
    let input = |named| CompileInput {
        path: &golden,
        service: &service,
        environment: &environment,
        release: named,
        first,
        change: &change,
        plugins: &plugins,
        target: &target,
    };
    let configured = path::release_of(&input(&unnamed)).map_err(faults)?.id;
    let named = ReleaseInput { id: Some(configured_id(&release.id, &configured)?), ..unnamed.clone() };
    let plan = path::compile(&input(&named)).map_err(faults)?;
    Ok(Compiled { plan, stable })
}

/// Returns the plan that goes straight to an earlier release, whole as it was.
pub(crate) async fn restore(api: &Api, scope: Scope, release: ReleaseSpec) -> Result<Plan, ApiError> {
    let store = api.handle.store();
    let environment = environment(&*store, &scope.environment).await?;
    let plugins = Known::new(api.plugins.list());
    let facts = plugins.find(&environment.target).ok_or_else(|| plugins.unknown(&environment.target))?;
    let settings = environment.target_settings();
    let descriptor = api.plugins.describe_target(&environment.target, &settings).await?;
    let made = catalog::find_release(&*store, scope.service.as_str(), release.id.as_str()).await?;
    Ok(path::restore_plan(&RestoreInput {
        scope,
        release,
        path: format!("{}@{}", made.path.name, made.path.version),
        target: PluginUse { name: environment.target.clone(), digest: facts.digest, settings },
        descriptor,
        policies: path::default_policies(),
    }))
}

/// Returns the id of a release in an environment: the release's own, and behind a dot what its configuration adds.
fn configured_id(release: &str, configured: &ReleaseId) -> Result<ReleaseId, ApiError> {
    let digits = configured.as_str().trim_start_matches("r-");
    Ok(ReleaseId::new(&format!("{release}.{}", digits.get(..CONFIGURATION_DIGITS).unwrap_or(digits)))?)
}

/// Returns faults in files as the error that shows them.
pub(crate) fn faults(found: Vec<path::Diagnostic>) -> ApiError {
    ApiError::File(render_diagnostics(&found).trim_end().to_owned())
}

async fn environment(store: &dyn Store, name: &EnvironmentName) -> Result<Environment, ApiError> {
    let (document, _) = document::find::<FileDocument>(store, document::ENVIRONMENT, name.as_str()).await?;
    path::parse_environment(&document.text, &document.file_name).map_err(faults)
}

async fn golden_path(store: &dyn Store, release: &ReleaseDocument) -> Result<GoldenPath, ApiError> {
    let key = format!("{}/{}", release.path.name, release.path.version);
    let (document, _) = document::find::<FileDocument>(store, document::PATH, &key).await?;
    path::parse_path(&document.text, &document.file_name).map_err(faults)
}

/// The newest published version of the path that a service accepts.
pub(crate) async fn newest_path(store: &dyn Store, service: &Service) -> Result<GoldenPath, ApiError> {
    let versions = catalog::path_versions(store, &service.path).await?;
    let known = versions.iter().map(|(version, _)| format!("{}@{version}", service.path)).collect();
    let fits = versions.into_iter().find(|(version, _)| service.path_versions.matches(version));
    let (_, document) = fits.ok_or_else(|| ApiError::NotKnown {
        what: "published path",
        name: format!("{}@{}", service.path, service.path_versions),
        known,
    })?;
    path::parse_path(&document.text, &document.file_name).map_err(faults)
}

/// The plugins that the server knows, as the compiler asks for them.
pub(crate) struct Known {
    facts: BTreeMap<String, PluginFacts>,
}

impl Known {
    pub(crate) fn new(list: Vec<PluginInfo>) -> Self {
        Self { facts: list.into_iter().map(|info| (info.name.clone(), facts(info))).collect() }
    }

    pub(crate) fn unknown(&self, name: &str) -> ApiError {
        ApiError::NotKnown { what: "plugin", name: name.to_owned(), known: self.names() }
    }

    /// Returns what is known with the plugins of a release as it pins them: an older digest serves as long as it is installed.
    fn pinned(mut self, plugins: &dyn Plugins, release: &ReleaseDocument) -> Result<Self, ApiError> {
        for pin in &release.plugins {
            let found = plugins.by_digest(&Digest::parse(&pin.digest)?).ok_or_else(|| ApiError::PluginGone {
                release: release.label.clone(),
                plugin: pin.name.clone(),
                pinned: pin.digest.clone(),
                found: self.find(&pin.name).map_or_else(|| "none of that name".to_owned(), |facts| facts.digest.to_string()),
            })?;
            self.facts.insert(pin.name.clone(), facts(found));
        }
        Ok(self)
    }
}

fn facts(info: PluginInfo) -> PluginFacts {
    // A schema that cannot be read allows nothing.
    let read = |text: &str| serde_json::from_str(text).unwrap_or(serde_json::Value::Bool(false));
    let schema = |(kind, text): &(String, String)| Some((self::kind(kind)?, read(text)));
    let settings_schemas = info.settings_schemas.iter().filter_map(schema).collect();
    let kinds = info.kinds.iter().filter_map(|kind| self::kind(kind)).collect();
    PluginFacts { digest: info.digest, kinds, settings_schemas }
}

impl PluginCatalog for Known {
    fn find(&self, name: &str) -> Option<PluginFacts> {
        self.facts.get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.facts.keys().cloned().collect()
    }
}

fn kind(word: &str) -> Option<PluginKind> {
    match word {
        "target" => Some(PluginKind::Target),
        "gate" => Some(PluginKind::Gate),
        "health" => Some(PluginKind::Health),
        "action" => Some(PluginKind::Action),
        "notifier" => Some(PluginKind::Notifier),
        // A manifest of a newer interface may name kinds that no path of ours can use.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_a_plugin_has_its_own_schema_and_one_that_cannot_be_read_allows_nothing() {
        let schema = |kind: &str, text: &str| (kind.to_owned(), text.to_owned());
        let info = PluginInfo {
            name: "two".to_owned(),
            version: "1.0.0".to_owned(),
            digest: Digest([1; 32]),
            kinds: vec!["gate".to_owned(), "health".to_owned()],
            powers: Vec::new(),
            settings_schemas: vec![schema("gate", r#"{"type":"object"}"#), schema("health", "{"), schema("oracle", "{}")],
            bytes: 1,
        };
        let found = Known::new(vec![info]).find("two").unwrap();
        let expected =
            [(PluginKind::Gate, serde_json::json!({ "type": "object" })), (PluginKind::Health, serde_json::Value::Bool(false))];
        assert_eq!(found.settings_schemas, expected);
    }
}
