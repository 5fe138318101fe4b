//! Files that have what the net has, and nothing else.

use std::collections::{BTreeMap, HashSet};

use super::{
    Assignment, Found, Misfit, Named, Target, below_key, below_prefix, build_at_root, by_name,
    is_batch_count, is_chosen, not_a_tensor, others_below_prefix, part_of_larger, several_fit,
    with_places, without_wrappers,
};
use crate::checkpoint::contents::{Contents, Dictionary, Entry};
use crate::checkpoint::options::LoadOptions;

/// The tensor of each target, in the order of the targets.
pub(super) fn choose<'a>(
    contents: &'a Contents,
    targets: &[Target],
    options: &LoadOptions,
) -> Result<Assignment<'a>, Misfit> {
    let fits: Vec<_> = candidates(contents, options)?
        .into_iter()
        .map(|dictionary| (dictionary, fit(targets, dictionary, options)))
        .collect();
    let fitting: Vec<_> = fits
        .iter()
        .filter_map(|(dictionary, fit)| Some((dictionary.key.as_str(), fit.as_ref().ok()?)))
        .collect();
    match fitting.as_slice() {
        [(_, entries)] => {
            let found = entries.iter().map(|entry| Found::Tensor(entry));
            Ok(Assignment { found: found.collect(), unexpected: Vec::new() })
        }
        [] => Err(explain(fits, targets, options)),
        several => Err(several_fit(&several.iter().map(|(key, _)| *key).collect::<Vec<_>>())),
    }
}

/// The dictionaries that may be meant.
fn candidates<'a>(
    contents: &'a Contents,
    options: &LoadOptions,
) -> Result<Vec<&'a Dictionary>, Misfit> {
    let all = below_key(contents, options)?;
    let is_pure = |dictionary: &&&Dictionary| dictionary.others.is_empty();
    let pure: Vec<_> = all.iter().filter(is_pure).copied().collect();
    Ok(if pure.is_empty() || options.key.is_some() { all } else { pure })
}

/// Why none of the dictionaries fits: what is said of the largest.
fn explain(
    fits: Vec<(&Dictionary, Result<Vec<&Entry>, Misfit>)>,
    targets: &[Target],
    options: &LoadOptions,
) -> Misfit {
    let keys: Vec<_> = fits.iter().map(|(dictionary, _)| dictionary.key.as_str()).collect();
    let largest = fits.into_iter().rev().max_by_key(|(dictionary, _)| dictionary.entries.len());
    let Some((dictionary, Err(misfit))) = largest else {
        return Misfit::Fit { reason: "it holds no tensors".to_owned(), remedy: None };
    };
    let Misfit::Fit { reason, remedy } = misfit else { return misfit };
    let reason = with_places(&dictionary.key, &reason, &keys);
    Misfit::Fit { reason, remedy: remedy.or_else(|| advice(dictionary, targets, options)) }
}

/// The entries of the targets, where all of them are there and nothing else is.
fn fit<'a>(
    targets: &[Target],
    dictionary: &'a Dictionary,
    options: &LoadOptions,
) -> Result<Vec<&'a Entry>, Misfit> {
    let found = below_prefix(dictionary, options)?;
    let only = options.only.as_deref();
    // Rather one of which something is known.
    let others = others_below_prefix(dictionary, options).filter(|(name, _)| is_chosen(name, only));
    if let Some((name, value)) = others.max_by_key(|(_, value)| !value.remedy.is_empty()) {
        let prefix = options.prefix.as_deref().unwrap_or("");
        return Err(not_a_tensor(&format!("{prefix}{name}"), value));
    }
    let plain = |reason| Misfit::Fit { reason, remedy: None };
    let direct = assigned(targets, &found, only);
    let Err(reason) = direct else { return direct.map_err(plain) };
    match without_wrappers(targets, &found, options) {
        Some(bare) => assigned(&bare.targets, &bare.found, bare.only.as_deref()).map_err(plain),
        None => Err(plain(reason)),
    }
}

/// The entry of each target by its name, or the first difference in names and shapes, in the order
/// of the names: the same mistake gives the same message each time.
fn assigned<'a>(
    targets: &[Target],
    found: &[Named<'a>],
    only: Option<&[String]>,
) -> Result<Vec<&'a Entry>, String> {
    let by_name = by_name(found, only)?;
    let expected: BTreeMap<&str, &[i64]> =
        targets.iter().map(|(name, size)| (name.as_str(), size.as_slice())).collect();
    for (name, size) in &expected {
        let Some(entry) = by_name.get(name) else {
            return Err(format!("it has no parameter {name}, expected of shape {size:?}"));
        };
        if let Some(got) = entry.tensor.size().filter(|got| got != size) {
            return Err(format!("parameter {name} has shape {got:?}, expected {size:?}"));
        }
    }
    let expects = |name: &str| expected.contains_key(name);
    let unknown = by_name
        .iter()
        .find(|(name, entry)| !expects(name) && !is_batch_count(name, entry, expects));
    match unknown {
        Some((name, entry)) => {
            let size = entry.tensor.size().unwrap_or_default();
            Err(format!("the net has no parameter {name}, found of shape {size:?}"))
        }
        None => Ok(targets.iter().map(|(name, _)| by_name[name.as_str()]).collect()),
    }
}

/// The beginning of names that would make the dictionary fit, as an option.
fn advice(dictionary: &Dictionary, targets: &[Target], options: &LoadOptions) -> Option<String> {
    let (target, _) = targets.first()?;
    let beginnings = dictionary.entries.iter().filter_map(|entry| {
        let beginning = entry.name.strip_suffix(target.as_str())?;
        beginning.ends_with('.').then_some(beginning)
    });
    let mut fitting = beginnings.filter(|beginning| {
        let prefix = Some((*beginning).to_owned());
        fit(targets, dictionary, &LoadOptions { prefix, ..options.clone() }).is_ok()
    });
    if let Some(beginning) = fitting.next() {
        return Some(part_of_larger(beginning));
    }
    let entry = dictionary.entries.first()?;
    let own = targets.iter().find_map(|(name, _)| {
        name.strip_suffix(entry.name.as_str()).filter(|beginning| beginning.ends_with('.'))
    })?;
    let bare: HashSet<&str> =
        targets.iter().filter_map(|(name, _)| name.strip_prefix(own)).collect();
    let all = bare.len() == targets.len()
        && dictionary.entries.iter().all(|entry| bare.contains(entry.name.as_str()));
    all.then(|| build_at_root(own))
}
