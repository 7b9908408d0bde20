//! "Did you mean": the known word nearest to one that is not known.

/// Returns the known word that was probably meant: at most a third of the letters may differ.
pub(crate) fn nearest<'w>(found: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let allowed = (found.chars().count() / 3).max(1);
    let distance = |word: &str| strsim::damerau_levenshtein(&found.to_lowercase(), &word.to_lowercase());
    known.into_iter().map(|word| (distance(word), word)).filter(|(d, _)| *d <= allowed).min().map(|(_, word)| word)
}

/// Returns the hint that names it.
pub(crate) fn did_you_mean<'w>(found: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    nearest(found, known).map(|word| format!("did you mean {word:?}?"))
}
