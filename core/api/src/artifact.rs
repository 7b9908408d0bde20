//! Artifact references: what a client may write, and that it cannot move.

use model::Digest;

use crate::error::ApiError;
use crate::limits;
use crate::ports::ArtifactReference;

/// Returns what a reference names; refuses one that may name something else tomorrow.
pub(crate) fn parse(text: &str) -> Result<ArtifactReference, ApiError> {
    if text.len() > limits::TEXT_BYTES_MAX {
        return Err(ApiError::TooLarge { field: "artifact", found: text.len(), limit: limits::TEXT_BYTES_MAX });
    }
    let local = text.strip_prefix("file://").unwrap_or(text);
    if local.starts_with('/') {
        return Ok(ArtifactReference::Local(local.to_owned()));
    }
    let invalid = |expected: &str| ApiError::Field { field: "artifact", found: text.to_owned(), expected: expected.to_owned() };
    match text.split_once('@') {
        Some((name, digest)) if !name.is_empty() => {
            Ok(ArtifactReference::Pinned { name: name.to_owned(), digest: Digest::parse(digest)? })
        }
        Some(_) => Err(invalid("a name before the @")),
        None if text.is_empty() => Err(invalid("an absolute path, or name@sha256:…")),
        None if text.starts_with('.') => Err(invalid("an absolute path; the server has another working folder")),
        None => Err(ApiError::MutableTag { reference: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_or_a_digest_is_taken() {
        assert_eq!(parse("/srv/web").unwrap(), ArtifactReference::Local("/srv/web".to_owned()));
        assert_eq!(parse("file:///srv/web").unwrap(), ArtifactReference::Local("/srv/web".to_owned()));
        let digest = format!("sha256:{}", "0a".repeat(32));
        let pinned = ArtifactReference::Pinned { name: "web".to_owned(), digest: Digest::parse(&digest).unwrap() };
        assert_eq!(parse(&format!("web@{digest}")).unwrap(), pinned);
    }

    #[test]
    fn what_can_move_is_refused() {
        for tag in ["web", "web:latest", "registry.example/web:1.2"] {
            assert!(matches!(parse(tag), Err(ApiError::MutableTag { .. })), "{tag}");
        }
        for bad in ["", "@sha256:00", "web@latest", "./web", "../web"] {
            assert!(matches!(parse(bad), Err(ApiError::Field { .. } | ApiError::Name(_))), "{bad}");
        }
    }
}
