//! Files of which what fits is taken, as `load_state_dict(state, strict=False)` does.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use super::{
    Assignment, Found, Misfit, Named, Target, below_key, below_prefix, build_at_root, by_name,
    is_batch_count, is_chosen, not_a_tensor, others_below_prefix, part_of_larger, quoted,
    several_fit, with_places, without_wrappers,
};
use crate::checkpoint::contents::{Contents, Dictionary};
use crate::checkpoint::options::LoadOptions;

/// What the dictionary that fits best has for the targets.
pub(super) fn choose<'a>(
    contents: &'a Contents,
    targets: &[Target],
    options: &LoadOptions,
) -> Result<Assignment<'a>, Misfit> {
    let dictionaries = below_key(contents, options)?;
    let mut assignments = Vec::new();
    let mut misfit = None;
    for dictionary in &dictionaries {
        match assign(targets, dictionary, options) {
            Ok(assignment) => assignments.push((dictionary.key.as_str(), assignment)),
            Err(other) => misfit = misfit.or(Some(other)),
        }
    }
    // Of those that load the most, the one that leaves the least.
    let rank = |assignment: &Assignment| (loaded(assignment), Reverse(assignment.unexpected.len()));
    let best = assignments.iter().map(|(_, assignment)| rank(assignment)).max();
    let is_best = |assignment: &Assignment| Some(rank(assignment)) == best;
    let keys: Vec<_> = assignments
        .iter()
        .filter(|(_, assignment)| loaded(assignment) > 0 && is_best(assignment))
        .map(|(key, _)| *key)
        .collect();
    match (keys.as_slice(), misfit) {
        ([key], _) => {
            let best = assignments.into_iter().find(|(other, _)| other == key);
            Ok(best.expect("it is one of them").1)
        }
        ([], Some(misfit)) => Err(misfit),
        ([], None) => Err(nothing_fits(&dictionaries, targets, options)),
        (several, _) => Err(several_fit(several)),
    }
}

fn loaded(assignment: &Assignment) -> usize {
    assignment.found.iter().filter(|found| matches!(found, Found::Tensor(_))).count()
}

/// What one dictionary has, by its names as they are, or without what wrappers added to them where
/// more fits then.
fn assign<'a>(
    targets: &[Target],
    dictionary: &'a Dictionary,
    options: &LoadOptions,
) -> Result<Assignment<'a>, Misfit> {
    let found = below_prefix(dictionary, options)?;
    let only = options.only.as_deref();
    let mut best = compared(targets, &found, only)?;
    if let Some(bare) = without_wrappers(targets, &found, options) {
        let other = compared(&bare.targets, &bare.found, bare.only.as_deref())?;
        if loaded(&other) > loaded(&best) {
            best = other;
        }
    }
    for (name, value) in others_below_prefix(dictionary, options) {
        if targets.iter().any(|(target, _)| target == name) {
            return Err(not_a_tensor(name, value));
        }
        if is_chosen(name, only) {
            best.unexpected.push(name.to_owned());
        }
    }
    Ok(best)
}

/// What `found` has for each of the targets, by names and shapes.
fn compared<'a>(
    targets: &[Target],
    found: &[Named<'a>],
    only: Option<&[String]>,
) -> Result<Assignment<'a>, Misfit> {
    let by_name = by_name(found, only).map_err(|reason| Misfit::Fit { reason, remedy: None })?;
    let of_target = targets.iter().map(|(name, size)| {
        let Some(entry) = by_name.get(name.as_str()) else { return Found::Nothing };
        match entry.tensor.size().filter(|got| got != size) {
            Some(got) => Found::OtherShape(got),
            None => Found::Tensor(entry),
        }
    });
    let names: HashSet<&str> = targets.iter().map(|(name, _)| name.as_str()).collect();
    let expects = |name: &str| names.contains(name);
    let unexpected = found.iter().filter(|(name, entry)| {
        is_chosen(name, only) && !expects(name) && !is_batch_count(name, entry, expects)
    });
    Ok(Assignment {
        found: of_target.collect(),
        unexpected: unexpected.map(|(name, _)| name.clone()).collect(),
    })
}

/// Why nothing was loaded: what is said of the largest dictionary.
fn nothing_fits(dictionaries: &[&Dictionary], targets: &[Target], options: &LoadOptions) -> Misfit {
    let keys: Vec<_> = dictionaries.iter().map(|dictionary| dictionary.key.as_str()).collect();
    let largest = dictionaries.iter().rev().max_by_key(|dictionary| dictionary.entries.len());
    let Some(dictionary) = largest else {
        return Misfit::Fit { reason: "it holds no tensors".to_owned(), remedy: None };
    };
    if targets.is_empty() {
        let remedy = Some("build the net in this VarStore first, then load".to_owned());
        return Misfit::Fit { reason: "the net has no parameters".to_owned(), remedy };
    }
    let found = match below_prefix(dictionary, options) {
        Ok(found) => found,
        Err(misfit) => return misfit,
    };
    let (reason, remedy) = cause(targets, &found);
    let reason = with_places(&dictionary.key, &format!("nothing in it fits: {reason}"), &keys);
    Misfit::Fit { reason, remedy: Some(remedy) }
}

/// What hinders, and what helps.
fn cause(targets: &[Target], found: &[Named]) -> (String, String) {
    let build = "build a net with layers of the same names and sizes".to_owned();
    let sizes: BTreeMap<&str, Option<&[i64]>> =
        found.iter().map(|(name, entry)| (name.as_str(), entry.tensor.size())).collect();
    let of_other_shape = targets
        .iter()
        .find_map(|(name, size)| Some((name, size, sizes.get(name.as_str()).copied().flatten()?)));
    if let Some((name, size, got)) = of_other_shape {
        let reason = format!(
            "every name that both have is of another shape, such as {name}: {got:?} in the file, \
             {size:?} in the net"
        );
        return (reason, build);
    }
    let file: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    let net: Vec<_> = targets.iter().map(|(name, _)| name.as_str()).collect();
    let reason = format!(
        "no name is the same (the file has {}, the net {})",
        first_two(&file),
        first_two(&net)
    );
    let of_file = beginning(&file, &net);
    let of_net =
        beginning(&net, &file).filter(|own| net.iter().all(|name| name.starts_with(own.as_str())));
    let remedy = match (of_file, of_net) {
        (Some(beginning), _) => part_of_larger(&beginning),
        (None, Some(own)) => build_at_root(&own),
        (None, None) => build,
    };
    (reason, remedy)
}

fn first_two(names: &[&str]) -> String {
    let more = if names.len() > 2 { ", ..." } else { "" };
    format!("{}{more}", quoted(&names[..names.len().min(2)]))
}

/// What stands, with its dot, before the most of `names` that otherwise are among `bare`.
fn beginning(names: &[&str], bare: &[&str]) -> Option<String> {
    let bare: HashSet<&str> = bare.iter().copied().collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names {
        for (dot, _) in name.match_indices('.') {
            let (beginning, rest) = name.split_at(dot + 1);
            if bare.contains(rest) {
                *counts.entry(beginning).or_default() += 1;
            }
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(beginning, _)| beginning.to_owned())
}
