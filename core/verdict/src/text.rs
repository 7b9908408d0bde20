//! Numbers as a person reads them: `12,011`, `2.4 %`, `41 s`.

/// Returns a whole number with a comma between thousands.
pub(crate) fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a share as per cent.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

/// Returns a number with no more digits than a person compares: one place after the point from
/// 0.1 to 100, two significant ones below, none after the point above.
pub(crate) fn short(number: f64) -> String {
    let size = number.abs();
    if !number.is_finite() {
        return format!("{number}");
    }
    let places = if size == 0.0 || size >= 100.0 {
        0
    } else if size >= 1.0 {
        1
    } else {
        // The first digit that is not 0 stands at this place after the point; one more follows it.
        (-(size.log10().floor()) as usize).min(12) + usize::from(size < 0.1)
    };
    let text = format!("{number:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Returns a duration in the largest unit that keeps it above 2.
pub(crate) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..120_000 => format!("{} s", milliseconds / 1_000),
        120_000..7_200_000 => format!("{} min", milliseconds / 60_000),
        _ => format!("{} h", milliseconds / 3_600_000),
    }
}
