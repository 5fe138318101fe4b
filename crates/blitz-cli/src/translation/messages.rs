//! The messages that programs show to learners: which sources hold them, and their catalogues.

use super::catalogue::{Catalogue, Extracted};
use super::glossary::Glossary;
use super::language::{PageReport, Written};
use super::{rules, source};
use crate::project::Project;
use anyhow::{Context, Result};
use blitz_messages::{Entry, Messages, Template};
use std::fs;
use std::path::{Path, PathBuf};

/// Below a language's folder.
const DIR: &str = "messages";
/// ①, the first of many.
const FIRST_SAMPLE: u32 = 0x2460;

/// A catalogue of messages, and where they stand.
struct Domain {
    /// Of its catalogue, without the ending.
    name: &'static str,
    /// Files and folders of sources, from the repository.
    sources: &'static [&'static str],
    /// Those of them that speak to nobody, or only to somebody who goes far beyond the tutorial.
    without: &'static [&'static str],
}

const DOMAINS: [Domain; 4] = [
    Domain {
        name: "blitz",
        sources: &["crates/blitz/src"],
        without: &[
            "crates/blitz/src/autograd/gradcheck.rs",
            "crates/blitz/src/autograd/graph",
            "crates/blitz/src/autograd/node.rs",
            "crates/blitz/src/checkpoint/contents.rs",
            "crates/blitz/src/checkpoint/dtype.rs",
            "crates/blitz/src/checkpoint/generator.rs",
            "crates/blitz/src/checkpoint/index.rs",
            "crates/blitz/src/checkpoint/inspect.rs",
            "crates/blitz/src/checkpoint/pickle",
            "crates/blitz/src/checkpoint/plain.rs",
            "crates/blitz/src/checkpoint/pth",
            "crates/blitz/src/checkpoint/safetensors",
            "crates/blitz/src/checkpoint/signature.rs",
            "crates/blitz/src/checkpoint/strided.rs",
            "crates/blitz/src/data/loader/state.rs",
            "crates/blitz/src/device/cuda_backend.rs",
            "crates/blitz/src/display/handle.rs",
            "crates/blitz/src/display/kinds.rs",
            "crates/blitz/src/display/table.rs",
            "crates/blitz/src/distributed/engine.rs",
            "crates/blitz/src/distributed/environment.rs",
            "crates/blitz/src/distributed/launch/launcher.rs",
            "crates/blitz/src/distributed/nccl.rs",
            "crates/blitz/src/distributed/reducer.rs",
            "crates/blitz/src/distributed/rendezvous.rs",
            "crates/blitz/src/distributed/replica.rs",
            "crates/blitz/src/distributed/same_variables.rs",
            "crates/blitz/src/distributed/thread_state.rs",
            "crates/blitz/src/error/torch_text.rs",
            "crates/blitz/src/nn/describe",
            "crates/blitz/src/nn/diagram",
            "crates/blitz/src/nn/diagram.rs",
            "crates/blitz/src/nn/parameters.rs",
            "crates/blitz/src/nn/summary",
            "crates/blitz/src/nn/summary.rs",
            "crates/blitz/src/optim/sgd/state.rs",
            "crates/blitz/src/picture/font.rs",
            "crates/blitz/src/picture/make_grid.rs",
            "crates/blitz/src/picture/plot/alt.rs",
            "crates/blitz/src/picture/plot/chart.rs",
            "crates/blitz/src/tensor/repr",
            "crates/blitz/src/tensor/repr.rs",
            "crates/blitz/src/train/metrics/accuracy_bars.rs",
            "crates/blitz/src/train/metrics/confusion_matrix.rs",
            "crates/blitz/src/train/speed.rs",
            "crates/blitz/src/train/step/cuda_graph.rs",
            "crates/blitz/src/train/step/graphed.rs",
        ],
    },
    Domain {
        name: "kernel",
        sources: &[
            "crates/blitz-kernel/src/cells/input.rs",
            "crates/blitz-kernel/src/cells/questions.rs",
            "crates/blitz-kernel/src/failure",
            "crates/blitz-kernel/src/failure.rs",
            "crates/blitz-kernel/src/jupyter/control.rs",
            "crates/blitz-kernel/src/notebook.rs",
            "crates/blitz-kernel/src/notebook/definition.rs",
            "crates/blitz-kernel/src/notebook/fitting.rs",
            "crates/blitz-kernel/src/session/commands.rs",
            "crates/blitz-kernel/src/session/dependencies.rs",
            "crates/blitz-kernel/src/session/evaluator.rs",
            "crates/blitz-kernel/src/session/persistence/owned.rs",
            "crates/blitz-kernel/src/session/persistence/refusal.rs",
            "crates/blitz-kernel/src/syntax/fault.rs",
            "crates/blitz-kernel/src/syntax/python",
            "crates/blitz-kernel/src/syntax/python.rs",
        ],
        without: &[],
    },
    Domain {
        name: "exercises",
        sources: &["crates/blitz-cli/src/exercises/words.rs"],
        without: &[],
    },
    Domain { name: "programs", sources: &["crates/blitz-cli/src/program/words.rs"], without: &[] },
];

/// Compares a language's catalogues of messages with the sources. With `written`, brings them up to
/// date first.
///
/// # Errors
/// A source or a catalogue cannot be read, or a catalogue cannot be written.
pub fn update(
    project: &Project,
    (dir, language): (&Path, &str),
    glossary: &Glossary,
    written: Written,
) -> Result<Vec<PageReport>> {
    let report = |domain: &Domain| {
        let path = dir.join(DIR).join(domain.name).with_extension("po");
        let messages = domain.messages(project)?;
        let mut catalogue = Catalogue::read(&path, language)?;
        if written == Written::Yes {
            catalogue = catalogue.merged(&messages, language);
            fs::create_dir_all(dir.join(DIR))?;
            catalogue.write(&path)?;
        }
        let mut found = text_faults(&messages, &catalogue, glossary);
        found.extend(in_use(&messages, &catalogue));
        found.dedup();
        Ok(PageReport {
            left: catalogue.left(&messages),
            faults: found,
            messages: messages.len(),
            catalogue: path,
        })
    };
    DOMAINS.iter().map(report).collect()
}

/// The messages of the language whose folder is `dir`.
pub fn of(dir: &Path) -> Messages {
    Messages::new(Some(dir.join(DIR)))
}

impl Domain {
    /// The messages, each once, in the order of the sources.
    fn messages(&self, project: &Project) -> Result<Vec<Extracted>> {
        let without: Vec<PathBuf> = self.without.iter().map(|it| project.path(it)).collect();
        let mut messages: Vec<Extracted> = Vec::new();
        for source in self.sources {
            for path in rust_files(&project.path(source))? {
                if without.iter().any(|it| path.starts_with(it)) {
                    continue;
                }
                let told = || format!("cannot read {}", path.display());
                let text = fs::read_to_string(&path).with_context(told)?;
                let place = path.strip_prefix(project.path("crates")).unwrap_or(&path);
                let place = place.display().to_string().replace("/src/", "/");
                for text in source::messages(&text).with_context(told)? {
                    messages.push(Extracted { text, place: place.clone() });
                }
            }
        }
        Ok(messages)
    }
}

/// The Rust sources at a path, but for tests.
fn rust_files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        let is_source =
            path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs");
        return Ok(if is_source { vec![path.to_owned()] } else { Vec::new() });
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths.iter().map(|path| rust_files(path)).collect::<Result<Vec<_>>>()?.concat())
}

/// What becomes of the messages when they are used: each must be recognised as what it is, with the
/// values in its translation.
fn in_use(messages: &[Extracted], catalogue: &Catalogue) -> Vec<(String, String)> {
    let entry = |message: &Extracted| {
        let translation = catalogue.translation(&message.text)?.to_owned();
        Some(Entry { message: message.text.clone(), translation })
    };
    let known = blitz_messages::Catalogue::of(messages.iter().filter_map(entry));
    let fault = |message: &Extracted| {
        let (english, translation) = (
            Template::parse(&message.text)?,
            Template::parse(catalogue.translation(&message.text)?),
        );
        let Some(translation) = translation else { return Some("a brace is alone".to_owned()) };
        if !translation.has_placeholders_of(&english) {
            return Some("it has other placeholders than the text".to_owned());
        }
        let shown = known.translated(&filled(&english));
        let expected = filled(&translation);
        (shown != expected).then(|| format!("it would be shown as \"{shown}\", not \"{expected}\""))
    };
    messages.iter().filter_map(|it| Some((it.place.clone(), fault(it)?))).collect()
}

/// A text with samples for values, which are no message themselves.
fn filled(template: &Template) -> String {
    let samples = samples(template);
    template.filled(&samples.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A letter in a circle for each placeholder, the same for the same name.
fn samples(template: &Template) -> Vec<String> {
    let mut names = template.names().to_vec();
    names.sort();
    names.dedup();
    let circled = |name: &String| {
        let index = names.iter().position(|it| it == name).unwrap_or_default();
        char::from_u32(FIRST_SAMPLE + index as u32).map(String::from).unwrap_or_default()
    };
    template.names().iter().map(circled).collect()
}

/// What is wrong with the translations as texts: the rules of pages, which shall not take a placeholder's
/// name for a word.
fn text_faults(
    messages: &[Extracted],
    catalogue: &Catalogue,
    glossary: &Glossary,
) -> Vec<(String, String)> {
    let nameless = |text: &str| match Template::parse(text) {
        Some(template) => filled(&template),
        None => text.to_owned(),
    };
    let of = |message: &Extracted| {
        let translation = nameless(catalogue.translation(&message.text)?);
        let faults = rules::faults(&nameless(&message.text), &translation, glossary);
        let placed = faults.into_iter().map(|fault| (message.place.clone(), fault));
        Some(placed.collect::<Vec<_>>())
    };
    messages.iter().filter_map(of).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::write_atomically;

    /// What is wrong with the translation of a message, beside another one.
    fn told(message: &str, translation: &str) -> String {
        let other = ("{0} of {1} steps", "{1}步中的{0}步");
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("x.po");
        let entry = |(english, it): (&str, &str)| format!("msgid {english:?}\nmsgstr {it:?}\n\n");
        let text = ["msgid \"\"\nmsgstr \"Language: zh_CN\\n\"\n\n".to_owned()];
        let text: String =
            text.into_iter().chain([(message, translation), other].map(entry)).collect();
        write_atomically(&path, text.as_bytes()).expect("written");
        let catalogue = Catalogue::read(&path, "zh_CN").expect("a catalogue");
        let messages =
            [message, other.0].map(|text| Extracted { text: text.into(), place: "x".into() });
        let mut faults = text_faults(&messages, &catalogue, &Glossary::default());
        faults.extend(in_use(&messages, &catalogue));
        faults.into_iter().map(|(_, fault)| fault).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_message_keeps_its_placeholders_and_is_recognised() {
        assert_eq!(told("could not read {path}: {reason}", "无法读取{path}：{reason}"), "");
        let lost = told("could not read {path}: {reason}", "无法读取：{reason}");
        assert!(lost.contains("other placeholders"), "{lost}");
        let broken = told("could not read {path}", "无法读取 {path");
        assert!(broken.contains("a brace is alone"), "{broken}");
        // What stands in the other one's place means something else.
        let taken = told("{done} of {all} steps", "共{all}步，已走{done}步");
        assert!(taken.contains("it would be shown as"), "{taken}");
    }
}
