//! Which tensor of a file is which parameter of a net.

mod exact;
mod partial;

use std::collections::{BTreeMap, HashSet};

use super::contents::{Contents, Described, Dictionary, Entry, Stored};
use super::fault::{Fault, holds, unreadable};
use super::options::{LoadOptions, Mismatches};

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

/// What a file has for each parameter, and what else it has.
pub(super) struct Assignment<'a> {
    /// In the order of the targets.
    pub(super) found: Vec<Found<'a>>,
    /// Names in the file, as the net would have them, that it does not have.
    pub(super) unexpected: Vec<String>,
}

/// What a file has for a parameter.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    /// A tensor of its shape, or one whose shape nobody knows.
    Tensor(&'a Entry),
    /// A tensor of this shape.
    OtherShape(&'a [i64]),
    Nothing,
    /// Nobody asks: the options leave it out.
    LeftOut,
}

/// A tensor of the file, and its name as the net would have it.
type Named<'a> = (String, &'a Entry);

/// What the file has for the targets, as far as the options let it differ.
pub(super) fn choose<'a>(
    contents: &'a Contents,
    targets: &[Target],
    options: &LoadOptions,
) -> Result<Assignment<'a>, Misfit> {
    check_only(targets, options)?;
    let is_wanted = |name: &str| is_chosen(name, options.only.as_deref());
    let wanted: Vec<Target> = targets.iter().filter(|(name, _)| is_wanted(name)).cloned().collect();
    if contents.dictionaries.is_empty() {
        return Err(Misfit::Read(holds(&contents.whole)));
    }
    let Assignment { found, unexpected } = match options.mismatches {
        Mismatches::Refuse => exact::choose(contents, &wanted, options)?,
        Mismatches::Leave => partial::choose(contents, &wanted, options)?,
    };
    for found in &found {
        if let Found::Tensor(Entry { name, tensor, .. }) = found
            && let Stored::Unreadable(described) = &**tensor
        {
            return Err(Misfit::Read(unreadable(name, described)));
        }
    }
    let mut found = found.into_iter();
    let of_all = targets.iter().map(|(name, _)| match is_wanted(name) {
        true => found.next().unwrap_or(Found::Nothing),
        false => Found::LeftOut,
    });
    Ok(Assignment { found: of_all.collect(), unexpected })
}

/// Whether each of [`LoadOptions::only`] names something in the net.
fn check_only(targets: &[Target], options: &LoadOptions) -> Result<(), Misfit> {
    let only = options.only.as_deref().unwrap_or_default();
    let names_none = |one: &&String| {
        !targets.iter().any(|(name, _)| is_chosen(name, Some(std::slice::from_ref(*one))))
    };
    let (reason, one) = match (only.iter().find(names_none), &options.only) {
        (Some(one), _) => {
            (format!("the net has no parameter or layer {one}, as `only` has it"), one)
        }
        (None, Some(only)) if only.is_empty() => {
            let reason = "`only` is an empty list, which leaves everything out".to_owned();
            return Err(Misfit::Fit { reason, remedy: Some(names_are(targets, "")) });
        }
        _ => return Ok(()),
    };
    Err(Misfit::Fit { reason, remedy: Some(names_are(targets, one)) })
}

/// The net's names, those first that begin as `like` does.
fn names_are(targets: &[Target], like: &str) -> String {
    let first = like.split('.').next().unwrap_or_default();
    let mut names: Vec<&str> = targets.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_by_key(|name| !name.starts_with(first));
    format!("its names are: {}", quoted(&names))
}

/// Whether the name is in the list, or that of a layer around it.
fn is_chosen(name: &str, only: Option<&[String]>) -> bool {
    let within = |layer: &String| {
        let rest = name.strip_prefix(layer.trim_end_matches('.'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    only.is_none_or(|only| only.iter().any(within))
}

/// The dictionaries below the key that the options name, if they name one.
fn below_key<'a>(
    contents: &'a Contents,
    options: &LoadOptions,
) -> Result<Vec<&'a Dictionary>, Misfit> {
    let all = &contents.dictionaries;
    let Some(key) = &options.key else { return Ok(all.iter().collect()) };
    let found: Vec<_> = all.iter().filter(|dictionary| dictionary.key == *key).collect();
    if found.is_empty() {
        let keys: Vec<_> = all.iter().map(|dictionary| dictionary.key.as_str()).collect();
        return Err(Misfit::Fit {
            reason: format!("it has no tensors below the key \"{key}\""),
            remedy: Some(format!("its dictionaries of tensors are: {}", quoted(&keys))),
        });
    }
    Ok(found)
}

/// The tensors whose names begin with the prefix, without it.
fn below_prefix<'a>(
    dictionary: &'a Dictionary,
    options: &LoadOptions,
) -> Result<Vec<Named<'a>>, Misfit> {
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
    Ok(found)
}

/// Values that are no tensors and whose names begin with the prefix, without it.
fn others_below_prefix<'a>(
    dictionary: &'a Dictionary,
    options: &'a LoadOptions,
) -> impl Iterator<Item = (&'a str, &'a Described)> {
    let prefix = options.prefix.as_deref().unwrap_or("");
    let others = dictionary.others.iter();
    others.filter_map(move |other| Some((other.name.strip_prefix(prefix)?, &other.what)))
}

fn not_a_tensor(name: &str, value: &Described) -> Misfit {
    let remedy = match value.remedy.as_str() {
        "" => {
            "save the tensors alone in Python: torch.save({k: v for k, v in \
             torch.load(path).items() if torch.is_tensor(v)}, path)"
        }
        remedy => remedy,
    };
    Misfit::Fit {
        reason: format!("\"{name}\" is {}, not a tensor", value.what),
        remedy: Some(remedy.to_owned()),
    }
}

/// The same without what wrappers added to names, on both sides.
struct Unwrapped<'a> {
    targets: Vec<Target>,
    found: Vec<Named<'a>>,
    only: Option<Vec<String>>,
}

/// `None` where no name has such an addition, or where two names become the same: nobody can tell
/// which parameter is meant.
fn without_wrappers<'a>(
    targets: &[Target],
    found: &[Named<'a>],
    options: &LoadOptions,
) -> Option<Unwrapped<'a>> {
    let unwrapped: Vec<_> = found.iter().map(|(name, entry)| (unwrapped(name), *entry)).collect();
    let bare: Vec<Target> =
        targets.iter().map(|(name, size)| (self::unwrapped(name), size.clone())).collect();
    let changed = unwrapped.iter().zip(found).any(|(after, before)| after.0 != before.0)
        || bare.iter().zip(targets).any(|(after, before)| after.0 != before.0);
    let distinct = |names: Vec<&String>| names.iter().collect::<HashSet<_>>().len() == names.len();
    let distinct = distinct(bare.iter().map(|(name, _)| name).collect())
        && distinct(unwrapped.iter().map(|(name, _)| name).collect());
    let only = options.only.as_ref();
    let only = only.map(|only| only.iter().map(|name| self::unwrapped(name)).collect());
    (changed && distinct).then_some(Unwrapped { targets: bare, found: unwrapped, only })
}

/// The name without what wrappers added to it.
fn unwrapped(name: &str) -> String {
    let parts: Vec<_> = name.split('.').filter(|part| !WRAPPERS.contains(part)).collect();
    parts.join(".")
}

/// The tensors that are asked for, by their names.
fn by_name<'a, 'b>(
    found: &'b [Named<'a>],
    only: Option<&[String]>,
) -> Result<BTreeMap<&'b str, &'a Entry>, String> {
    let mut by_name = BTreeMap::new();
    for (name, entry) in found.iter().filter(|(name, _)| is_chosen(name, only)) {
        if by_name.insert(name.as_str(), *entry).is_some() {
            return Err(format!("it has two parameters {name}"));
        }
    }
    Ok(by_name)
}

/// Whether it is the single number that PyTorch's batch normalisation keeps and tch's does not.
fn is_batch_count(name: &str, entry: &Entry, expects: impl Fn(&str) -> bool) -> bool {
    let layer = name.strip_suffix("num_batches_tracked");
    layer.is_some_and(|layer| expects(&format!("{layer}running_mean")))
        && entry.tensor.size().is_none_or(|size| size.is_empty())
}

fn several_fit(keys: &[&str]) -> Misfit {
    Misfit::Fit {
        reason: format!("it holds several nets that fit ({})", quoted(keys)),
        remedy: Some(format!(
            "choose one: checkpoint::load_with(&mut vs, path, &LoadOptions {{ key: \
             Some({:?}.into()), ..Default::default() }})",
            keys[0]
        )),
    }
}

/// Where tensors were looked for and not found: `key` is that of the dictionary that a message is
/// about, `keys` are all.
fn with_places(key: &str, reason: &str, keys: &[&str]) -> String {
    let place = match key {
        "" => String::new(),
        key => format!("in its key \"{key}\", "),
    };
    let others = match keys.len() {
        0 | 1 => String::new(),
        _ => format!("; it holds tensors below {}, which LoadOptions::key chooses", quoted(keys)),
    };
    format!("{place}{reason}{others}")
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

/// What takes the beginning off the names of a file.
fn part_of_larger(beginning: &str) -> String {
    let part = beginning.trim_end_matches('.');
    format!(
        "the net was saved as the part \"{part}\" of a larger one (a LightningModule's, say): \
         checkpoint::load_with(&mut vs, path, &LoadOptions {{ prefix: \
         Some({beginning:?}.into()), ..Default::default() }}) takes \"{beginning}\" off its names"
    )
}

/// What makes the net's names begin as those of the file.
fn build_at_root(own: &str) -> String {
    format!("the names of this net begin with \"{own}\", the file's do not: build it at vs.root()")
}
