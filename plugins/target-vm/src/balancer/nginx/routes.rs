//! The file with what nginx does with requests that go another way than by weights: the servers of the sides, and two variables that say where
//! a request goes and where its copy does.

use std::collections::BTreeMap;

use crate::balancer::Server;
use crate::balancer::routes::{Match, Part, Routes, To};

/// Basis points of a percent.
const PERCENT: u16 = 100;

/// Returns the variable that names the upstream of a request; that of its copy is called the same with `_copy` behind.
pub(super) fn variable(upstream: &str) -> String {
    format!("towpath_{}", word(upstream))
}

/// Returns the file. An error says what nginx cannot look at.
pub(super) fn file(upstream: &str, routes: &Routes, servers: &BTreeMap<String, Server>) -> Result<String, String> {
    let variable = variable(upstream);
    let mut text = String::new();
    for side in To::ALL {
        let one = |name: &String| Some(format!("    server {};\n", servers.get(name)?.address.as_ref()?));
        let servers: String = routes.of(side).iter().filter_map(one).collect();
        let servers = if servers.is_empty() { format!("    {}\n", super::NOBODY) } else { servers };
        text.push_str(&format!("upstream {} {{\n{servers}}}\n", of_side(upstream, side)));
    }
    // The first match counts: whatever it does not fit is left to the next one.
    for (at, chosen) in routes.matches.iter().enumerate() {
        let name = if at == 0 { variable.clone() } else { format!("{variable}_{at}") };
        let next = match at + 1 == routes.matches.len() {
            true => upstream.to_owned(),
            false => format!("${variable}_{}", at + 1),
        };
        let (looked_at, side) = (looked_at(chosen)?, of_side(upstream, chosen.to));
        let value = exactly(&chosen.value);
        text.push_str(&format!("map ${looked_at} ${name} {{\n    default {next};\n    \"~^{value}$\" {side};\n}}\n"));
    }
    if routes.matches.is_empty() {
        text.push_str(&format!("map $host ${variable} {{\n    default {upstream};\n}}\n"));
    }
    let candidate = of_side(upstream, To::Candidate);
    let copied = match routes.mirror {
        0 => "    * \"\";\n".to_owned(),
        10_000.. => format!("    * {candidate};\n"),
        some => format!("    {}.{:02}% {candidate};\n    * \"\";\n", some / PERCENT, some % PERCENT),
    };
    text.push_str(&format!("split_clients $request_id ${variable}_copy {{\n{copied}}}"));
    Ok(text)
}

fn of_side(upstream: &str, side: To) -> String {
    format!("{upstream}-{}", side.as_str())
}

/// Returns the variable of nginx with a part of a request.
fn looked_at(chosen: &Match) -> Result<String, String> {
    let plain =
        |name: &str, more: &str| name.chars().all(|character| character.is_ascii_alphanumeric() || more.contains(character));
    match &chosen.on {
        Part::Header(name) if plain(name, "-") => Ok(format!("http_{}", word(name).to_ascii_lowercase())),
        Part::Cookie(name) if plain(name, "_") => Ok(format!("cookie_{name}")),
        Part::Header(name) => Err(format!("nginx looks at headers of a-z, 0-9 and - alone, not at {name}")),
        Part::Cookie(name) => Err(format!("nginx looks at cookies of a-z, 0-9 and _ alone, not at {name}")),
    }
}

/// Returns a text as a regular expression that fits nothing else, in characters that mean nothing to whoever reads the file.
fn exactly(text: &str) -> String {
    let byte = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("\\x{byte:02x}"),
    };
    text.bytes().map(byte).collect()
}

/// Returns a name as a part of a variable's.
fn word(name: &str) -> String {
    name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_counts_and_values_are_taken_as_they_are() {
        let chosen = |on, value: &str, to| Match { on, value: value.to_owned(), to };
        let routes = Routes {
            mirror: 2_050,
            matches: vec![
                chosen(Part::Header("X-Team".to_owned()), "a.b \"$c;", To::Candidate),
                chosen(Part::Cookie("preview".to_owned()), "1", To::Stable),
            ],
            candidate: vec!["web-1-b".to_owned(), "unknown".to_owned()],
            ..Routes::default()
        };
        let server =
            Server { weight: 1, open: false, up: true, checked: true, sessions: 0, address: Some("10.0.0.1:2".to_owned()) };
        let text = file("my-web", &routes, &BTreeMap::from([("web-1-b".to_owned(), server)])).expect("it can be written");
        let expect = r#"upstream my-web-stable {
    server 127.0.0.1:1 down;
}
upstream my-web-candidate {
    server 10.0.0.1:2;
}
map $http_x_team $towpath_my_web {
    default $towpath_my_web_1;
    "~^a\x2eb\x20\x22\x24c\x3b$" my-web-candidate;
}
map $cookie_preview $towpath_my_web_1 {
    default my-web;
    "~^1$" my-web-stable;
}
split_clients $request_id $towpath_my_web_copy {
    20.50% my-web-candidate;
    * "";
}"#;
        assert_eq!(text, expect);
        for (on, expect) in [(Part::Cookie("a-b".to_owned()), "not at a-b"), (Part::Header("x{}".to_owned()), "not at x{}")] {
            let routes = Routes { matches: vec![chosen(on, "1", To::Candidate)], ..Routes::default() };
            assert!(file("web", &routes, &BTreeMap::new()).expect_err(expect).contains(expect));
        }
    }
}
