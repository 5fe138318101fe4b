//! A notebook's definitions: a store of our own in front of evcxr.
//!
//! evcxr keeps items by their bare name, so an `impl` cannot be run again, macros get lost and one
//! name hides another. Here a cell is taken apart before evcxr sees it ([`cell`]). What it defines
//! goes into the [`store`], where the newest definition wins; rustc says what fits it ([`fitting`]).
//! evcxr holds the store's text as one item of a fixed name, which rust-analyzer reads at the
//! crate's root; for each cell, `blitz_toolchain` gives rustc what of it that cell can reach. The
//! items stay at the root of one crate, so paths, privacy, macros and the orphan rule are Rust's own.
//! Only statics lie elsewhere ([`statics`]).

pub mod cell;
pub mod definition;
pub mod fitting;
pub mod statics;
pub mod store;

use crate::syntax::commands::{commands, without_commands};
use anyhow::{Context, Result};
use blitz_contract::marks;
use blitz_toolchain::notebook::{Definition as ForRustc, Notebook as ForToolchain, Step};
use blitz_toolchain::{Checked, Compiler};
use cell::Cell;
use definition::{Definition, Origin};
use evcxr::{CommandContext, EvalOutputs};
use fitting::{Fault, Fitted};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use store::Store;

/// evcxr's command for a new process.
const RESTART: &str = ":restart";

/// A notebook's definitions, and what evcxr and the process that runs cells have of them.
pub struct Notebook {
    store: Store,
    build_dir: PathBuf,
    /// What evcxr has.
    known: Store,
    /// The statics that the process has loaded.
    placed: HashSet<String>,
    /// The statics that cannot be shared.
    own: HashSet<String>,
    /// Variables whose type is another one now, which the process still has.
    forgotten: Vec<String>,
    steps: usize,
    runs: usize,
}

/// Why a cell failed.
pub enum Failed {
    /// evcxr says so. The changes did not come about.
    Evcxr(evcxr::Error, Changes),
    /// What it defines does not compile. What would have been set aside has its reason with it.
    Definitions(Vec<Fault>, Vec<Definition>),
    /// The person did not want to wait.
    Cancelled,
}

/// What changed besides what the cell says.
#[derive(Default)]
pub struct Changes {
    /// Definitions of other cells that no longer fit.
    pub set_aside: Vec<Definition>,
    /// Definitions that fit again.
    pub back: Vec<Definition>,
    /// Variables that are gone, with their types.
    pub dropped: Vec<(String, String)>,
}

impl Changes {
    /// Each change in a sentence for the person.
    pub fn described(&self) -> Vec<String> {
        let aside = self.set_aside.iter().map(|it| {
            let reason = it.set_aside.as_deref().unwrap_or_default();
            format!("{} no longer fits and is set aside until it does: {reason}\n", it.described())
        });
        let back = self.back.iter().map(|it| format!("{} fits again.\n", it.described()));
        let dropped = self.dropped.iter().map(|(name, kind)| {
            format!(
                "The variable `{name}` is dropped: its type `{kind}` is defined anew. Run the cell \
                 again that makes it.\n"
            )
        });
        aside.chain(back).chain(dropped).collect()
    }
}

impl Notebook {
    /// A notebook without definitions, for a kernel that builds in `build_dir`.
    pub fn new(build_dir: &Path) -> Self {
        let (store, known) = (Store::default(), Store::default());
        let (placed, own, forgotten) = (HashSet::new(), HashSet::new(), Vec::new());
        Notebook {
            store,
            build_dir: build_dir.to_owned(),
            known,
            placed,
            own,
            forgotten,
            steps: 0,
            runs: 0,
        }
    }

    /// The definitions.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The cell and line that each line has of what evcxr knows, as far as one has.
    pub fn lines(&self) -> Vec<Option<(usize, usize)>> {
        let lines = |it: &Definition| {
            let (cell, first) = (it.origin.cell, it.origin.line);
            (0..it.lines()).map(move |line| Some((cell, first + line)))
        };
        self.known.definitions().iter().flat_map(lines).collect()
    }

    /// The process that runs cells is gone, with statics and variables.
    pub fn process_ended(&mut self) {
        self.placed.clear();
        self.forgotten.clear();
    }

    /// evcxr has cleared its state, and the process is another one.
    fn cleared(&mut self) {
        self.process_ended();
        (self.store, self.known) = (Store::default(), Store::default());
    }

    /// Executes a cell by `execute`, evcxr's own way. Returns what changed with it.
    ///
    /// # Errors
    /// The cell does not compile, and then nothing has changed; or what became of it when it ran.
    pub fn execute(
        &mut self,
        context: &mut CommandContext,
        code: &str,
        origin: &Origin,
        execute: &mut dyn FnMut(&mut CommandContext, &str) -> Result<EvalOutputs, evcxr::Error>,
    ) -> Result<(EvalOutputs, Changes), Failed> {
        self.runs += 1;
        let origin = Origin { run: self.runs, ..origin.clone() };
        let mut restarted = EvalOutputs::default();
        let mut rest = None;
        if commands(code).iter().any(|it| it.text == RESTART) {
            restarted = self.restart(context, code, execute)?;
            rest = Some(without_commands(code));
        }
        let code = rest.as_deref().unwrap_or(code);
        let cell = Cell::parse(code, &origin, |name| self.store.makes_items(name));
        let Some(cell) = cell.filter(|cell| !cell.definitions.is_empty()) else {
            self.know(context, &self.store.clone(), &[])?;
            restarted.merge(execute(context, code)?);
            self.forgotten.clear();
            self.after_commands(code);
            return Ok((restarted, Changes::default()));
        };
        let mut outputs = restarted;
        if !cell.commands.is_empty() {
            outputs.merge(execute(context, &cell.commands)?);
            self.after_commands(&cell.commands);
        }
        let before = self.store.clone();
        let (store, mut changes) = self.fitted(context, &cell, &origin)?;
        let lost = lost_variables(context, &before, &store);
        let names: Vec<String> = lost.iter().map(|(name, _)| name.clone()).collect();
        self.know(context, &store, &names)?;
        self.store = store;
        self.forgotten.extend(names);
        changes.dropped = lost.clone();
        if !cell.has_statements {
            return Ok((outputs, changes));
        }
        self.write(None).map_err(as_evcxr)?;
        match execute(context, &cell.statements) {
            Ok(of_statements) => {
                self.forgotten.clear();
                outputs.merge(of_statements);
                Ok((outputs, changes))
            }
            Err(error @ evcxr::Error::SubprocessTerminated(_)) => Err(error.into()),
            Err(error) => {
                // Nothing has run: everything is as it was.
                self.store = before;
                let kept = |name: &String| !lost.iter().any(|(lost, _)| lost == name);
                self.forgotten.retain(kept);
                self.know(context, &self.store.clone(), &[])?;
                let bound = |(name, kind): &(String, String)| format!("mut {name}: {kind}");
                self.declare(context, &lost.iter().map(bound).collect::<Vec<_>>())?;
                Err(Failed::Evcxr(error, changes))
            }
        }
    }

    /// Executes the commands with which `code` begins, one of which restarts the process. evcxr goes
    /// on with the variables that it had before them.
    fn restart(
        &mut self,
        context: &mut CommandContext,
        code: &str,
        execute: &mut dyn FnMut(&mut CommandContext, &str) -> Result<EvalOutputs, evcxr::Error>,
    ) -> Result<EvalOutputs, evcxr::Error> {
        let lines: String = commands(code).iter().map(|it| format!("{}\n", it.text)).collect();
        let outputs = execute(context, &lines)?;
        self.after_commands(&lines);
        let lost: Vec<String> =
            context.variables_and_types().map(|(name, _)| name.to_owned()).collect();
        self.know(context, &self.store.clone(), &lost)?;
        Ok(outputs)
    }

    /// evcxr has executed the commands with which `code` begins.
    fn after_commands(&mut self, code: &str) {
        for command in commands(code) {
            match command.text {
                ":clear" => self.cleared(),
                RESTART => self.process_ended(),
                _ => {}
            }
        }
    }

    /// The store with what `cell` defines, and what fits it.
    fn fitted(
        &self,
        context: &mut CommandContext,
        cell: &Cell,
        origin: &Origin,
    ) -> Result<(Store, Changes), Failed> {
        let wanted = self.store.with_cell(cell.definitions.clone(), origin.id.as_deref());
        if wanted.is_like(&self.store)
            && !wanted.definitions().iter().any(|it| it.set_aside.is_some())
        {
            return Ok((wanted, Changes::default()));
        }
        let compiler = compiler(context)?;
        let is_new = |it: &Definition| it.origin.run == origin.run;
        let fitted = fitting::fit(&compiler, &self.store, &wanted, is_new);
        match fitted.map_err(as_evcxr)? {
            Fitted::Fits(store) => {
                let changes = Changes {
                    set_aside: newly_aside(&self.store, &store),
                    back: back(&self.store, &store, is_new),
                    dropped: Vec::new(),
                };
                Ok((store, changes))
            }
            Fitted::Fails(faults, store) => {
                Err(Failed::Definitions(faults, newly_aside(&self.store, &store)))
            }
            Fitted::Cancelled => Err(Failed::Cancelled),
        }
    }

    /// Gives evcxr the definitions of `store`, where it has others, and lets it take variables for
    /// lost. New statics get their place.
    fn know(
        &mut self,
        context: &mut CommandContext,
        store: &Store,
        lost: &[String],
    ) -> Result<(), evcxr::Error> {
        let library = self.place_statics(store).map_err(as_evcxr)?;
        if store.is_like(&self.known) && lost.is_empty() && library.is_none() {
            self.known = store.clone();
            return self.write(None).map_err(as_evcxr);
        }
        let known = std::mem::replace(&mut self.known, store.clone());
        let step = Step { load: library, lost: lost.to_vec(), ..Step::default() };
        let given = self.take_step(context, step, &text(store));
        if given.is_err() {
            self.known = known;
            self.write(None).map_err(as_evcxr)?;
        }
        given
    }

    /// Lets evcxr execute `code`, for which nothing is compiled: the process takes `step`.
    fn take_step(
        &mut self,
        context: &mut CommandContext,
        step: Step,
        code: &str,
    ) -> Result<(), evcxr::Error> {
        self.steps += 1;
        self.write(Some(Step { number: self.steps, ..step })).map_err(as_evcxr)?;
        let taken = context.execute(code);
        self.write(None).map_err(as_evcxr)?;
        taken.map(drop)
    }

    /// Tells evcxr of variables that the process has: how each is bound, as `mut x: i64`.
    ///
    /// # Errors
    /// evcxr does not take it.
    pub fn declare(
        &mut self,
        context: &mut CommandContext,
        variables: &[String],
    ) -> Result<(), evcxr::Error> {
        if variables.is_empty() {
            return Ok(());
        }
        let lets = variables.iter().map(|bound| format!("let {bound} = loop {{}};\n"));
        self.take_step(context, Step::default(), &lets.collect::<String>())
    }

    /// Compiles the statics of `store` that have no place yet into a library.
    fn place_statics(&mut self, store: &Store) -> Result<Option<PathBuf>> {
        let symbols = store.active().flat_map(|it| statics::symbols(store, it));
        let is_missing = |it: &String| !self.placed.contains(it) && !self.own.contains(it);
        let missing: HashSet<String> = symbols.filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(None);
        }
        // Not translated: a mistake of the kernel.
        let compiler =
            Compiler::of_this_process().context("the dependencies are not compiled yet")?;
        let source = self.source(store, &missing);
        let dir = self.build_dir.join("statics");
        let library =
            dir.join(format!("libstatics_{}{}", self.steps + 1, std::env::consts::DLL_SUFFIX));
        let compiles = |checked| match checked {
            Checked::Errors(errors) => Ok(errors.is_empty()),
            Checked::Cancelled => anyhow::bail!("compilation cancelled"), // Not translated
        };
        let is_made = compiles(compiler.library(&source, &library)?)?;
        if is_made && compiles(compiler.check(&self.source(store, &HashSet::new()))?)? {
            self.placed.extend(missing);
            return Ok(Some(library));
        }
        // A type that a declaration cannot name, such as one with a lifetime left out: each cell has
        // its own.
        self.own.extend(missing);
        Ok(None)
    }

    /// A crate of `store` that makes the statics in `real` and declares the others, as cells do.
    fn source(&self, store: &Store, real: &HashSet<String>) -> String {
        let mut source = "#![allow(warnings)]\n".to_owned();
        for definition in store.active() {
            source.push_str(&statics::placed(store, definition, real, &self.own));
            source.push('\n');
        }
        source
    }

    /// Writes down for the toolchain what evcxr has.
    fn write(&self, step: Option<Step>) -> Result<()> {
        let none = HashSet::new();
        let declared = |it: &Definition| statics::placed(&self.known, it, &none, &self.own);
        let mut notebook = for_toolchain(&self.known, declared);
        notebook.step = step;
        notebook.forgotten = self.forgotten.clone();
        notebook.save(&self.build_dir)
    }
}

/// What checks definitions. Where nothing has been compiled yet, or a dependency's sources have changed
/// since, evcxr compiles the dependencies first.
fn compiler(context: &mut CommandContext) -> Result<Compiler, evcxr::Error> {
    if let Some(compiler) = Compiler::of_this_process() {
        return Ok(compiler);
    }
    context.execute("();")?;
    let compiler = Compiler::of_this_process().context("the dependencies are not compiled yet");
    compiler.map_err(as_evcxr)
}

impl From<evcxr::Error> for Failed {
    fn from(error: evcxr::Error) -> Self {
        Failed::Evcxr(error, Changes::default())
    }
}

fn as_evcxr(error: anyhow::Error) -> evcxr::Error {
    format!("{error:#}").into()
}

/// The definitions of `store` as the toolchain needs them, those that take part, with `source`.
pub fn for_toolchain(store: &Store, source: impl Fn(&Definition) -> String) -> ForToolchain {
    let types = store.type_names();
    let of = |it: &Definition| {
        let leads =
            if it.set_aside.is_some() { Some(<_>::default()) } else { store.leads(&types, it) };
        ForRustc {
            source: source(it),
            always: leads.is_none(),
            names: leads.unwrap_or_default(),
            words: it.words.clone(),
        }
    };
    ForToolchain { definitions: store.definitions().iter().map(of).collect(), ..<_>::default() }
}

/// What evcxr gets: one module to its parser.
fn text(store: &Store) -> String {
    let mut text = format!("{}\n", marks::BEGIN_DEFINITIONS);
    for definition in store.definitions() {
        match definition.set_aside {
            None => text.push_str(&definition.source),
            Some(_) => text.extend(definition.source.chars().filter(|it| *it == '\n')),
        }
        text.push('\n');
    }
    text + marks::END_DEFINITIONS
}

/// The variables whose types are others in `after` than in `before`.
fn lost_variables(
    context: &CommandContext,
    before: &Store,
    after: &Store,
) -> Vec<(String, String)> {
    let words = |kind| type_words(kind).into_iter();
    let mut known: HashMap<&str, bool> = HashMap::new();
    let mut lost: Vec<(String, String)> = Vec::new();
    for (name, kind) in context.variables_and_types() {
        let changed = *known
            .entry(kind)
            .or_insert_with(|| before.fingerprint(words(kind)) != after.fingerprint(words(kind)));
        if changed {
            lost.push((name.to_owned(), kind.to_owned()));
        }
    }
    lost.sort();
    lost
}

/// The words of a type by which the notebook's own definitions can be meant: what follows `::` belongs
/// to what stands before it.
fn type_words(kind: &str) -> Vec<&str> {
    let start = |word: &str| word.as_ptr() as usize - kind.as_ptr() as usize;
    let is_own = |word: &&str| {
        let before = &kind[..start(word)];
        !before.ends_with("::") || before.ends_with("crate::")
    };
    blitz_toolchain::notebook::words(kind).filter(is_own).collect()
}

fn newly_aside(before: &Store, after: &Store) -> Vec<Definition> {
    let aside = after.definitions().iter().filter(|it| it.set_aside.is_some());
    aside.filter(|it| !before.has_set_aside(it)).cloned().collect()
}

fn back(before: &Store, after: &Store, is_new: impl Fn(&Definition) -> bool) -> Vec<Definition> {
    after.active().filter(|it| !is_new(it) && before.has_set_aside(it)).cloned().collect()
}
