//! Which tensor of a file is which parameter of a net.

use std::collections::{BTreeMap, HashSet};

use super::contents::{Contents, Dictionary, Entry, Stored};
use super::fault::{Fault, holds, unreadable};
use super::options::LoadOptions;

/// A parameter's name and its shape.
pub(super) type Target = (String, Vec<i64>);

/// Parts of names that programs add when they wrap a net: `DataParallel`,
/// `DistributedDataParallel` and `AveragedModel`, `torch.compile`, FSDP, and checkpointed activations.
const WRAPPERS: [&str; 4] =
    ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];

/// Keys and prefixes that a message lists.
const MOST_NAMED: usize = 6;

/// Why a file was not loaded.
pub(super) enum Misfit {
    /// It is of another net, or nobody can tell of which.
    Fit { reason: String, remedy: Option<String> },
    /// It cannot be read.
    Read(Fault),
}

/// The tensor of each target, in the order of the targets.
pub(super) fn choose<'a>(
    contents: &'a Contents,
    targets: &[Target],
    options: &LoadOptions,
) -> Result<Vec<&'a Entry>, Misfit> {
    let candidates = candidates(contents, options)?;
    let fits: Vec<_> = candidates
        .iter()
        .map(|dictionary| (dictionary, fit(targets, dictionary, options)))
        .collect();
    let mut fitting = fits
        .iter()
        .filter_map(|(dictionary, fit)| fit.as_ref().ok().map(|entries| (dictionary, entries)));
    match (fitting.next(), fitting.next()) {
        (Some((_, entries)), None) => {
            for entry in entries {
                if let Stored::Unreadable(described) = &*entry.tensor {
                    return Err(Misfit::Read(unreadable(&entry.name, described)));
                }
            }
            Ok(entries.clone())
        }
        (Some(_), Some(_)) => {
            let keys = fits.iter().filter(|(_, fit)| fit.is_ok());
            let keys: Vec<_> = keys.map(|(dictionary, _)| dictionary.key.as_str()).collect();
            Err(Misfit::Fit {
                reason: format!("it holds several nets that fit ({})", quoted(&keys)),
                remedy: Some(format!(
                    "choose one: checkpoint::load_with(&mut vs, path, &LoadOptions {{ key: \
                     Some({:?}.into()), ..Default::default() }})",
                    keys[0]
                )),
            })
        }
        (None, _) => Err(explain(fits, targets)),
    }
}

/// The dictionaries that may be meant.
fn candidates<'a>(
    contents: &'a Contents,
    options: &LoadOptions,
) -> Result<Vec<&'a Dictionary>, Misfit> {
    let all = &contents.dictionaries;
    if all.is_empty() {
        return Err(Misfit::Read(holds(&contents.whole)));
    }
    if let Some(key) = &options.key {
        let found: Vec<_> = all.iter().filter(|dictionary| dictionary.key == *key).collect();
        if found.is_empty() {
            let keys: Vec<_> = all.iter().map(|dictionary| dictionary.key.as_str()).collect();
            return Err(Misfit::Fit {
                reason: format!("it has no tensors below the key \"{key}\""),
                remedy: Some(format!("its dictionaries of tensors are: {}", quoted(&keys))),
            });
        }
        return Ok(found);
    }
    let pure: Vec<_> = all.iter().filter(|dictionary| dictionary.others.is_empty()).collect();
    Ok(if pure.is_empty() { all.iter().collect() } else { pure })
}

fn quoted(names: &[&str]) -> String {
    let shown = names.iter().take(MOST_NAMED).map(|name| match *name {
        "" => "the whole file".to_owned(),
        name => format!("\"{name}\""),
    });
    let shown: Vec<_> = shown.collect();
    let more = if names.len() > MOST_NAMED { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Why none of the dictionaries fits: what is said of the largest.
fn explain(fits: Vec<(&&Dictionary, Result<Vec<&Entry>, Misfit>)>, targets: &[Target]) -> Misfit {
    let keys: Vec<_> = fits.iter().map(|(dictionary, _)| dictionary.key.as_str()).collect();
    let others = (keys.len() > 1).then(|| {
        format!("; it holds tensors below {}, which LoadOptions::key chooses", quoted(&keys))
    });
    let largest = fits.into_iter().rev().max_by_key(|(dictionary, _)| dictionary.entries.len());
    let Some((dictionary, Err(misfit))) = largest else {
        return Misfit::Fit { reason: "it holds no tensors".to_owned(), remedy: None };
    };
    let Misfit::Fit { reason, remedy } = misfit else { return misfit };
    let place = match dictionary.key.as_str() {
        "" => String::new(),
        key => format!("in its key \"{key}\", "),
    };
    let reason = format!("{place}{reason}{}", others.unwrap_or_default());
    Misfit::Fit { reason, remedy: remedy.or_else(|| advice(dictionary, targets)) }
}

/// The entries of the targets, where all of them are there and nothing else is.
fn fit<'a>(
    targets: &[Target],
    dictionary: &'a Dictionary,
    options: &LoadOptions,
) -> Result<Vec<&'a Entry>, Misfit> {
    let prefix = options.prefix.as_deref().unwrap_or("");
    let without = |entry: &'a Entry| Some((entry.name.strip_prefix(prefix)?.to_owned(), entry));
    let found: Vec<_> = dictionary.entries.iter().filter_map(without).collect();
    if found.is_empty() && !prefix.is_empty() {
        let names: Vec<_> = dictionary.entries.iter().map(|entry| entry.name.as_str()).collect();
        return Err(Misfit::Fit {
            reason: format!("none of its names begins with \"{prefix}\""),
            remedy: Some(format!("its names are: {}", quoted(&names))),
        });
    }
    // Rather one of which something is known.
    let others = dictionary.others.iter().filter(|(name, _)| name.starts_with(prefix));
    if let Some((name, value)) = others.max_by_key(|(_, value)| !value.remedy.is_empty()) {
        let remedy = match value.remedy.as_str() {
            "" => {
                "save the tensors alone in Python: torch.save({k: v for k, v in \
                   torch.load(path).items() if torch.is_tensor(v)}, path)"
            }
            remedy => remedy,
        };
        return Err(Misfit::Fit {
            reason: format!("\"{name}\" is {}, not a tensor", value.what),
            remedy: Some(remedy.to_owned()),
        });
    }
    let plain = |reason| Misfit::Fit { reason, remedy: None };
    let direct = assigned(targets, &found);
    let Err(reason) = direct else { return direct.map_err(plain) };
    let unwrapped: Vec<_> = found.iter().map(|(name, entry)| (unwrapped(name), *entry)).collect();
    let bare: Vec<Target> =
        targets.iter().map(|(name, size)| (self::unwrapped(name), size.clone())).collect();
    let changed = unwrapped.iter().zip(&found).any(|(after, before)| after.0 != before.0)
        || bare.iter().zip(targets).any(|(after, before)| after.0 != before.0);
    // Where two names become the same, nobody can tell which parameter is meant.
    let distinct = |names: Vec<&String>| names.iter().collect::<HashSet<_>>().len() == names.len();
    let distinct = distinct(bare.iter().map(|(name, _)| name).collect())
        && distinct(unwrapped.iter().map(|(name, _)| name).collect());
    match changed && distinct {
        true => assigned(&bare, &unwrapped).map_err(plain),
        false => Err(plain(reason)),
    }
}

/// The name without what wrappers added to it.
fn unwrapped(name: &str) -> String {
    let parts: Vec<_> = name.split('.').filter(|part| !WRAPPERS.contains(part)).collect();
    parts.join(".")
}

/// The entry of each target by its name, or the first difference in names and shapes, in the order
/// of the names: the same mistake gives the same message each time.
fn assigned<'a>(
    targets: &[Target],
    found: &[(String, &'a Entry)],
) -> Result<Vec<&'a Entry>, String> {
    let mut by_name: BTreeMap<&str, &'a Entry> = BTreeMap::new();
    for (name, entry) in found {
        if by_name.insert(name, entry).is_some() {
            return Err(format!("it has two parameters {name}"));
        }
    }
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
    let unknown = by_name.iter().find(|(name, entry)| {
        // A single number that PyTorch's batch normalisation keeps, and tch's does not.
        let counted = name.strip_suffix("num_batches_tracked");
        let counted = counted
            .is_some_and(|layer| expected.contains_key(format!("{layer}running_mean").as_str()))
            && entry.tensor.size().is_none_or(|size| size.is_empty());
        !expected.contains_key(*name) && !counted
    });
    match unknown {
        Some((name, entry)) => {
            let size = entry.tensor.size().unwrap_or_default();
            Err(format!("the net has no parameter {name}, found of shape {size:?}"))
        }
        None => Ok(targets.iter().map(|(name, _)| by_name[name.as_str()]).collect()),
    }
}

/// The beginning of names that would make the dictionary fit, as an option.
fn advice(dictionary: &Dictionary, targets: &[Target]) -> Option<String> {
    let (target, _) = targets.first()?;
    let beginnings = dictionary.entries.iter().filter_map(|entry| {
        let beginning = entry.name.strip_suffix(target.as_str())?;
        beginning.ends_with('.').then_some(beginning)
    });
    let mut fitting = beginnings.filter(|beginning| {
        let prefix = Some((*beginning).to_owned());
        fit(targets, dictionary, &LoadOptions { prefix, ..LoadOptions::default() }).is_ok()
    });
    if let Some(beginning) = fitting.next() {
        let part = beginning.trim_end_matches('.');
        return Some(format!(
            "the net was saved as the part \"{part}\" of a larger one (a LightningModule's, say): \
             checkpoint::load_with(&mut vs, path, &LoadOptions {{ prefix: \
             Some({beginning:?}.into()), ..Default::default() }}) takes \"{beginning}\" off its names"
        ));
    }
    let entry = dictionary.entries.first()?;
    let own = targets.iter().find_map(|(name, _)| {
        name.strip_suffix(entry.name.as_str()).filter(|beginning| beginning.ends_with('.'))
    })?;
    let bare: HashSet<&str> =
        targets.iter().filter_map(|(name, _)| name.strip_prefix(own)).collect();
    let all = bare.len() == targets.len()
        && dictionary.entries.iter().all(|entry| bare.contains(entry.name.as_str()));
    all.then(|| {
        format!(
            "the names of this net begin with \"{own}\", the file's do not: build it at vs.root()"
        )
    })
}
