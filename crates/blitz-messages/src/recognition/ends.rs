//! Where values may end.

/// Places where a value may end, for each.
const MOST_ENDS: usize = 12;

/// Where a value at the beginning of `rest` may end, so that `literal` follows.
pub(super) fn ends(rest: &str, literal: &str) -> Vec<usize> {
    rest.match_indices(literal).map(|(at, _)| at).take(MOST_ENDS).collect()
}

/// Where the first of two values side by side may end: at what joins texts, or one of them is empty.
pub(super) fn joints(rest: &str) -> Vec<usize> {
    let joins = |it: char| it.is_whitespace() || ".,;:(".contains(it);
    let places = rest.char_indices().filter(|(_, it)| joins(*it));
    let sides = places.flat_map(|(at, it)| [at, at + it.len_utf8()]);
    let mut ends: Vec<usize> = std::iter::once(0).chain(sides).take(2 * MOST_ENDS).collect();
    ends.push(rest.len());
    ends
}
