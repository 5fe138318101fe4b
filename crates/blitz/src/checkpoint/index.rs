//! Nets in several files, as Hugging Face's are: `model.safetensors.index.json` or
//! `pytorch_model.bin.index.json` says in which file each parameter lies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Component, Path};

use serde_json::Value;

use super::contents::{Contents, Described, Dictionary};
use super::fault::damaged;
use super::read::{Opened, open_shard};
use crate::error::Result;

/// Opens the files that the index names; they lie beside it.
pub(super) fn open(file: File, path: &Path) -> Result<Opened> {
    let fail = |reason: String| damaged(path)(reason.into());
    let not_an_index = || {
        damaged(path)(
            Described::new(
                "a text in JSON, but no index of parameters (it has no weight_map)",
                "name the file that holds the parameters",
            )
            .into(),
        )
    };
    let index: Value = serde_json::from_reader(BufReader::new(file)).map_err(|_| not_an_index())?;
    let map = index.get("weight_map").and_then(Value::as_object).ok_or_else(not_an_index)?;
    let mut names_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, file) in map {
        let file = file.as_str().filter(|file| is_plain(file));
        let file = file.ok_or_else(|| fail(format!("it names no file beside it for {name}")))?;
        names_of.entry(file).or_default().insert(name);
    }
    let mut opened = Opened {
        contents: Contents {
            dictionaries: vec![Dictionary::default()],
            notes: vec![Dictionary::of_json("metadata", &index["metadata"])],
            whole: Described::new("no parameters", ""),
        },
        shards: Vec::new(),
    };
    for (file, names) in names_of {
        let shard = open_shard(&path.with_file_name(file))?;
        let found = shard.contents.dictionaries.into_iter().find(|found| found.others.is_empty());
        let mut missing = names;
        for mut entry in found.unwrap_or_default().entries {
            if map.get(&entry.name).is_some_and(|place| place != file) {
                return Err(fail(format!("{} lies in {file} too", entry.name)));
            }
            missing.remove(entry.name.as_str());
            entry.shard = opened.shards.len();
            opened.contents.dictionaries[0].entries.push(entry);
        }
        if let Some(name) = missing.first() {
            return Err(fail(format!("{name} does not lie in {file}, as it says")));
        }
        opened.shards.extend(shard.shards);
    }
    Ok(opened)
}

/// Whether it is the name of a file beside the index.
fn is_plain(file: &str) -> bool {
    let mut parts = Path::new(file).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}
