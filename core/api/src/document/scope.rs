//! Which services and environments there are, for whoever only needs to know that.

use journal::{Store, StoreError};
use model::Scope;

use super::{ENVIRONMENT, SERVICE};

/// Returns whether both the service and the environment are registered.
pub async fn has_scope(store: &dyn Store, scope: &Scope) -> Result<bool, StoreError> {
    let has = async |kind, key| store.get(kind, key).await.map(|entry| entry.is_some());
    Ok(has(SERVICE, scope.service.as_str()).await? && has(ENVIRONMENT, scope.environment.as_str()).await?)
}

#[cfg(test)]
mod tests {
    use journal::Catalog;
    use journal::memory::MemoryStore;
    use model::{EnvironmentName, ServiceName, Timestamp};

    use super::*;

    #[tokio::test]
    async fn a_scope_is_there_when_both_its_names_are() {
        let store = MemoryStore::new(|| Timestamp(1));
        let scope = |service: &str, environment: &str| Scope {
            service: ServiceName::new(service).unwrap(),
            environment: EnvironmentName::new(environment).unwrap(),
        };
        store.put(SERVICE, "web", "{}", None, Timestamp(1)).await.unwrap();
        assert!(!has_scope(&store, &scope("web", "production")).await.unwrap());
        store.put(ENVIRONMENT, "production", "{}", None, Timestamp(1)).await.unwrap();
        assert!(has_scope(&store, &scope("web", "production")).await.unwrap());
        assert!(!has_scope(&store, &scope("production", "web")).await.unwrap());
    }
}
