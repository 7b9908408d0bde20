//! What requests have in common: names, scopes, ids and texts, checked on entry.

use journal::RequestId;
use model::{DeploymentId, EnvironmentName, Scope, ServiceName};
use towpath_proto::v1;

use crate::error::ApiError;
use crate::limits;

/// Returns the scope that a request names.
pub(crate) fn scope(scope: Option<&v1::Scope>) -> Result<Scope, ApiError> {
    let Some(v1::Scope { service, environment }) = scope else {
        return Err(ApiError::Field {
            field: "scope",
            found: String::new(),
            expected: "a service and an environment".to_owned(),
        });
    };
    Ok(Scope { service: ServiceName::new(service)?, environment: EnvironmentName::new(environment)? })
}

/// Returns the deployment that a request names.
pub(crate) fn deployment(id: &str) -> Result<DeploymentId, ApiError> {
    Ok(DeploymentId::new(id)?)
}

/// Returns the request id, if the client gave one.
pub(crate) fn request_id(id: &str) -> Result<Option<RequestId>, ApiError> {
    let printable = id.bytes().all(|byte| byte.is_ascii_graphic());
    match id.len() {
        0 => Ok(None),
        1..=limits::REQUEST_ID_BYTES_MAX if printable => Ok(Some(RequestId(id.to_owned()))),
        1..=limits::REQUEST_ID_BYTES_MAX => Err(ApiError::Field {
            field: "request id",
            found: id.to_owned(),
            expected: "printable ASCII without spaces".to_owned(),
        }),
        found => Err(ApiError::TooLarge { field: "request id", found, limit: limits::REQUEST_ID_BYTES_MAX }),
    }
}

/// Returns a line of free text; control characters are refused, because people will read it on their terminals.
pub(crate) fn text(field: &'static str, text: &str) -> Result<String, ApiError> {
    if text.len() > limits::TEXT_BYTES_MAX {
        return Err(ApiError::TooLarge { field, found: text.len(), limit: limits::TEXT_BYTES_MAX });
    }
    match text.chars().any(char::is_control) {
        true => {
            Err(ApiError::Field { field, found: text.to_owned(), expected: "one line without control characters".to_owned() })
        }
        false => Ok(text.to_owned()),
    }
}

/// Returns a file's text and what it is called.
pub(crate) fn file(request: &v1::ApplyRequest) -> Result<(&str, String), ApiError> {
    if request.text.len() > limits::FILE_BYTES_MAX {
        return Err(ApiError::TooLarge { field: "the file", found: request.text.len(), limit: limits::FILE_BYTES_MAX });
    }
    let name = text("file name", &request.file_name)?;
    Ok((&request.text, if name.is_empty() { "the file".to_owned() } else { name }))
}

/// Returns a release's label.
pub(crate) fn label(label: &str) -> Result<String, ApiError> {
    let fits = (1..=limits::LABEL_BYTES_MAX).contains(&label.len());
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+');
    let starts = label.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    // "r-…" is what ids look like; a label must not be taken for one.
    match fits && starts && label.bytes().all(allowed) && !label.starts_with("r-") {
        true => Ok(label.to_owned()),
        false => Err(ApiError::Field {
            field: "label",
            found: label.to_owned(),
            expected: "1 to 63 letters, digits, '.', '-', '_' and '+', a letter or digit first, not beginning with \"r-\""
                .to_owned(),
        }),
    }
}
