//! "Did you mean": the known word nearest to one that is not known.

/// The shortest beginning of a word that is taken for the word.
const BEGINNING_CHARS_MIN: usize = 3;

/// Returns the known word that was probably meant: at most a third of the letters differ, or it is cut short.
pub(crate) fn nearest<'w>(found: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let found = found.to_lowercase();
    let letters = found.chars().count();
    let allowed = (letters / 3).max(1);
    let distance = |word: &str| match letters >= BEGINNING_CHARS_MIN && word.to_lowercase().starts_with(&found) {
        true => allowed,
        false => strsim::damerau_levenshtein(&found, &word.to_lowercase()),
    };
    known.into_iter().map(|word| (distance(word), word)).filter(|(d, _)| *d <= allowed).min().map(|(_, word)| word)
}

/// Returns the hint that names it.
pub(crate) fn did_you_mean<'w>(found: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    nearest(found, known).map(|word| format!("did you mean {word:?}?"))
}
