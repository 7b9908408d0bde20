//! Where an answer leads, and what is asked there.

use http::Method;

use super::place::Place;
use super::send::Incoming;

/// The most redirects that are followed, whatever the guest says.
pub(super) const REDIRECTS_MAX: u8 = 10;

/// What is asked next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) method: Method,
    pub(super) place: Place,
    /// Whether the body is sent again.
    pub(super) with_body: bool,
}

/// Returns what an answer wants to be asked next (RFC 9110, section 15.4); `None` when it is an answer.
pub(super) fn next(method: &Method, place: &Place, answer: &Incoming) -> Option<Result<Next, String>> {
    let again = match answer.status {
        307 | 308 => true,
        301 | 302 => *method != Method::POST,
        303 => *method == Method::HEAD || *method == Method::GET,
        _ => return None,
    };
    let (_, location) = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("location"))?;
    let method = if again { method.clone() } else { Method::GET };
    Some(place.joined(location).map(|place| Next { method, place, with_body: again }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, status: u16, location: &str, expect: Option<(&str, &str, bool)>) {
        let place = Place::of("https://example.com/a/b?x=1").expect("an address");
        let headers = vec![("location".to_owned(), location.to_owned())];
        let answer = Incoming { status, headers, body: Vec::new(), certificate_expires_ms: None };
        let found = next(&method.parse().expect("a method"), &place, &answer).and_then(Result::ok);
        let found = found.map(|next| (next.method.to_string(), next.place.url(), next.with_body));
        assert_eq!(found, expect.map(|(method, url, body)| (method.to_owned(), url.to_owned(), body)), "{status} {location}");
    }

    #[test]
    fn a_redirect_is_read_as_the_standard_says() {
        check("GET", 302, "c", Some(("GET", "https://example.com:443/a/c", true)));
        check("GET", 301, "/c?y=2#z", Some(("GET", "https://example.com:443/c?y=2", true)));
        check("GET", 307, "//other.example/c", Some(("GET", "https://other.example:443/c", true)));
        check("POST", 302, "http://other.example:8080/", Some(("GET", "http://other.example:8080/", false)));
        check("POST", 307, "/c", Some(("POST", "https://example.com:443/c", true)));
        check("PUT", 303, "/c", Some(("GET", "https://example.com:443/c", false)));
        check("GET", 200, "/c", None);
        check("GET", 304, "/c", None);
    }

    #[test]
    fn a_redirect_that_hides_where_it_goes_is_not_followed() {
        for location in ["http://user:secret@example.com/", "file:///etc/passwd", "/allowed%2f..%2fsecret", "http://"] {
            check("GET", 302, location, None);
        }
    }
}
