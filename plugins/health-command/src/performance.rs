//! Performance data of monitoring plugins: `'label'=value[unit];[warn];[crit];[min];[max]`, separated by blanks.
//!
//! It is shown and decides nothing, so that a part that cannot be read is left out.

use towpath_sdk::prelude::*;

/// Numbers that are taken of one program; an answer keeps a few dozen.
const NUMBERS_MAX: usize = 20;

/// The longest name of a number, in bytes.
const NAME_BYTES_MAX: usize = 60;

/// Returns the numbers in performance data.
pub(crate) fn performance(text: &str) -> Vec<Measurement> {
    let mut left = text.trim_start();
    let mut found = Vec::new();
    while let Some((label, rest)) = label(left) {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        if found.len() < NUMBERS_MAX {
            found.extend(measurement(label, &rest[..end]));
        }
        left = rest[end..].trim_start();
    }
    found
}

/// Returns the label that a text begins with, and what is behind its equals sign.
fn label(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('\'') {
        Some(quoted) => quoted.split_once("'="),
        None => text.split_once('='),
    }
}

fn measurement(label: &str, fields: &str) -> Option<Measurement> {
    let mut fields = fields.split(';');
    let value = fields.next()?;
    let unit_at = value.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).unwrap_or(value.len());
    let (number, unit) = value.split_at(unit_at);
    let number = finite(number)?;
    let unit = match unit {
        "" | "c" => "1",
        "s" | "ms" | "us" | "%" | "B" | "KB" | "MB" | "GB" | "TB" => unit,
        _ => return None,
    };
    let name = name(label)?;
    let critical = fields.nth(1).and_then(finite);
    let measured = Measurement::new(&name, number, unit);
    Some(match critical {
        Some(critical) => measured.against(critical),
        None => measured,
    })
}

fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Returns a label as measurements are named: small letters, digits and hyphens.
fn name(label: &str) -> Option<String> {
    let mut name = String::new();
    for character in label.chars().map(|character| character.to_ascii_lowercase()) {
        if character.is_ascii_alphanumeric() {
            name.push(character);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if name.len() == NAME_BYTES_MAX {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[(&str, f64, &str, Option<f64>)]) {
        let found = performance(text);
        let found: Vec<_> =
            found.iter().map(|found| (found.name.as_str(), found.value, found.unit.as_str(), found.limit)).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn numbers_with_units_and_limits_are_read() {
        check("time=0.012s;1;2;0 size=348B;;;0", &[("time", 0.012, "s", Some(2.0)), ("size", 348.0, "B", None)]);
        check("  '/var used'=93%;80;90;0;100", &[("var-used", 93.0, "%", Some(90.0))]);
        check("load1=-1.5;~:3;@10:20", &[("load1", -1.5, "1", None)]);
        check("requests=7c", &[("requests", 7.0, "1", None)]);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        check("", &[]);
        check("nothing to see", &[]);
        check("a=U b=2", &[("b", 2.0, "1", None)]);
        check("a=NaN b=inf c=1e999 d=3furlong '='=1 --=2", &[]);
        check("'open=1", &[]);
        let many: String = (0..1_000).map(|number| format!("n{number}=1 ")).collect();
        assert_eq!(performance(&many).len(), NUMBERS_MAX);
        assert_eq!(performance(&format!("{}=1", "x".repeat(500)))[0].name.len(), NAME_BYTES_MAX);
    }
}
