//! What a registry asks for when it does not know who asks: `WWW-Authenticate`.

/// How whoever asks may prove who they are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password.
    Basic,
    /// A token, to be fetched from the realm.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// Returns the challenge that can be met; a token is better than a password in every request.
pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut basic = None;
    for header in headers {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            basic = Some(Challenge::Basic);
        } else if scheme.eq_ignore_ascii_case("bearer") {
            let words = words(rest);
            let word = |name: &str| words.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
            if let Some(realm) = word("realm") {
                return Some(Challenge::Bearer { realm, service: word("service"), scope: word("scope") });
            }
        }
    }
    basic
}

/// `key="value, with commas",other=word`
fn words(mut text: &str) -> Vec<(String, String)> {
    let mut words = Vec::new();
    while let Some((key, rest)) = text.split_once('=') {
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(',').unwrap_or((rest, "")),
        };
        words.push((key.trim_matches([' ', ',']).to_owned(), value.to_owned()));
        text = rest;
    }
    words
}

/// Returns a value fit for a query.
pub(super) fn escaped(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b',');
    value.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let text = r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#;
        let bearer = Challenge::Bearer {
            realm: "https://auth.example/token".into(),
            service: Some("registry.example".into()),
            scope: Some("repository:a/b:pull,push".into()),
        };
        assert_eq!(parse([text].into_iter()), Some(bearer));
        assert_eq!(parse([r#"Basic realm="x""#].into_iter()), Some(Challenge::Basic));
        assert_eq!(parse(["Negotiate", "Bearer nothing"].into_iter()), None);
    }

    #[test]
    fn queries_are_escaped() {
        assert_eq!(escaped("repository:a/b:pull,push"), "repository:a/b:pull,push");
        assert_eq!(escaped("a b&c"), "a%20b%26c");
    }
}
