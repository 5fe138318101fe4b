//! Keeping a cell's variables, where evcxr alone cannot.
//!
//! evcxr keeps a variable under a type that is written down. rust-analyzer would find it, after seconds
//! of reading; rustc finds it while it compiles the cell ([`variable_types::inferred`]), and is told of it
//! after the cell ([`Persistence::take_inferred`]). Where a type has no name, the value may fit into a box:
//! then a second `let` behind the first, on the same line, gives the variable a type that can be written
//! down, and the cell is executed again. What cannot be kept is refused in words for a learner. This
//! stands in front of evcxr, so that it and `:vars` see the one type.

pub mod bindings;
mod owned;
mod rebinding;
mod refusal;
mod shadowing;

use crate::syntax::commands::{Command, commands};
use bindings::{Binding, bindings, end_of_statements};
use blitz_toolchain::variable_types::{self, INFERRED, Report, Variable};
use evcxr::{CommandContext, Error, EvalOutputs};
use rebinding::{Rebinding, rebinding};
use refusal::{borrowed, unnameable, without_a_name};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use refusal::NotKept;

/// Executions of a cell, each with more variables bound again.
const ATTEMPTS: usize = 3;

/// Executes cells and sees to it that their variables are kept.
pub struct Persistence {
    build_dir: PathBuf,
    /// The variables that are bound with `mut`.
    mutable: BTreeSet<String>,
    /// The names that cells have given a meaning where types stand.
    type_names: BTreeSet<String>,
    /// Types that evcxr does not know yet.
    inferred: Vec<Inferred>,
}

/// A variable whose type rustc has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inferred {
    /// The variable.
    pub name: String,
    /// How it is bound: `mut x: i64`.
    pub bound: String,
}

/// Why a cell was not executed to its end.
pub enum Unexecuted {
    /// What evcxr says.
    Engine(Error),
    /// A variable cannot be kept; nothing has run.
    NotKept(NotKept),
}

impl Persistence {
    /// For the kernel that builds in `build_dir`.
    pub fn new(build_dir: &Path) -> Self {
        Persistence {
            build_dir: build_dir.to_owned(),
            mutable: BTreeSet::new(),
            type_names: BTreeSet::new(),
            inferred: Vec::new(),
        }
    }

    /// Sees to it that variables survive `code`, which may give the names of their types another
    /// meaning. Best effort: a variable that cannot be helped is lost with its type.
    pub fn prepare(&self, context: &mut CommandContext, code: &str) {
        let mut names = shadowing::type_names(code);
        if code.contains('*') && !names.is_empty() {
            // Which of them a glob import names is not known here.
            names.extend(self.type_names.iter().cloned());
        }
        let is_meant = |type_name: &str| shadowing::mentions(type_name, &names);
        let meant: Vec<String> = context
            .variables_and_types()
            .filter(|(_, type_name)| is_meant(type_name))
            .map(|(name, _)| name.to_owned())
            .collect();
        if meant.is_empty() {
            return;
        }
        variable_types::forget(&self.build_dir);
        let _ = context.check("");
        let report = variable_types::read(&self.build_dir).unwrap_or_default();
        let statements = report.variables.iter().filter(|it| meant.contains(&it.name));
        let statements = statements.filter_map(|variable| {
            let type_name = shadowing::absolute(variable, &names)?;
            let (name, value) = (&variable.name, &variable.name);
            let mutability = if self.mutable.contains(name) { "mut " } else { "" };
            Some(format!("let {mutability}{name}: {type_name} = {value};\n"))
        });
        let statements: String = statements.collect();
        if !statements.is_empty() {
            let _ = context.execute(&statements);
        }
    }

    /// Executes `code`. What is added to its lines goes to `added`.
    ///
    /// # Errors
    /// It does not compile, its process ended, or a variable cannot be kept.
    pub fn execute(
        &mut self,
        context: &mut CommandContext,
        code: &str,
        added: &mut dyn FnMut(&str),
    ) -> Result<EvalOutputs, Unexecuted> {
        // A second execution would run them twice.
        let (commands, code) = without_shell_commands(code);
        let mut outputs = match commands {
            Some(commands) => context.execute(&commands).map_err(Unexecuted::Engine)?,
            None => EvalOutputs::new(),
        };
        let bindings = bindings(&code);
        let untyped = untyped(&bindings);
        let mut rebindings = inferred(&untyped, added);
        for attempt in 1.. {
            variable_types::forget(&self.build_dir);
            let error = match context.execute(&with(&code, &rebindings)) {
                Ok(more) => {
                    outputs.merge(more);
                    self.remember(&code, &bindings);
                    self.note_types(&rebindings);
                    return Ok(outputs);
                }
                Err(error) => error,
            };
            // Where its process has ended, the cell has run.
            let is_early = matches!(error, Error::CompilationErrors(_) | Error::Message(_));
            let report = variable_types::read(&self.build_dir).filter(|_| is_early);
            let Some(report) = report else {
                return Err(self.unexecuted(context, &code, error, &rebindings));
            };
            if let Some(refusal) = borrowed(&report, &bindings) {
                return Err(Unexecuted::NotKept(refusal));
            }
            // Those that rustc was to find now have to be written down.
            rebindings.retain(|(_, statement)| !statement.contains(INFERRED));
            let known = rebindings.len();
            for (binding, variable) in to_rebind(&report, &bindings, &untyped, &error) {
                if rebindings.iter().any(|(it, _)| it.name == binding.name) {
                    continue;
                }
                let Some(rebinding) = rebinding(variable) else {
                    return Err(Unexecuted::NotKept(unnameable(binding, variable, &error)));
                };
                let statement = self.statement(binding, rebinding);
                added(&statement);
                rebindings.push((binding.clone(), statement));
            }
            if rebindings.len() == known || attempt == ATTEMPTS {
                return Err(self.unexecuted(context, &code, error, &rebindings));
            }
        }
        unreachable!("the attempts are counted")
    }

    /// Notes what rustc has said of the variables whose types it was to find.
    fn note_types(&mut self, rebindings: &[(Binding, String)]) {
        let is_inferred = |(_, statement): &&(Binding, String)| statement.contains(INFERRED);
        let mut inferred = rebindings.iter().filter(is_inferred).peekable();
        if inferred.peek().is_none() {
            return;
        }
        let report = variable_types::read(&self.build_dir).unwrap_or_default();
        for (Binding { name, is_mut, .. }, _) in inferred {
            if let Some(variable) = report.variables.iter().find(|it| it.name == *name) {
                let mutability = if *is_mut { "mut " } else { "" };
                let type_name = self.written(&variable.type_name);
                let bound = format!("{mutability}{name}: {type_name}");
                self.inferred.push(Inferred { name: name.clone(), bound });
            }
        }
    }

    /// The types that rustc has found since the last call, which evcxr does not know yet.
    pub fn take_inferred(&mut self) -> Vec<Inferred> {
        std::mem::take(&mut self.inferred)
    }

    /// `type_name`, as rustc prints it, in the notebook: rustc prints `i32` for that type, whatever else
    /// has the name.
    fn written(&self, type_name: &str) -> String {
        shadowing::with_primitive(type_name, |word: &str| self.type_names.contains(word))
    }

    /// What gives a variable its new type.
    fn statement(&self, binding: &Binding, rebinding: Rebinding) -> String {
        let type_name = self.written(&rebinding.type_name);
        let mutability = if binding.is_mut { "mut " } else { "" };
        let (name, value) = (&binding.name, rebinding.value);
        match binding.initializer {
            None if binding.is_alone => format!(": {type_name}"),
            _ => format!(" let {mutability}{name}: {type_name} = {value};"),
        }
    }

    /// The error of the cell `code`, whose variables may have been bound again. One in such a statement is
    /// none that its author could understand: what is wrong without them says more.
    fn unexecuted(
        &self,
        context: &mut CommandContext,
        code: &str,
        error: Error,
        rebindings: &[(Binding, String)],
    ) -> Unexecuted {
        let Error::CompilationErrors(_) = &error else { return Unexecuted::Engine(error) };
        match rebindings {
            [] => Unexecuted::Engine(error),
            [(binding, statement), ..] => {
                variable_types::forget(&self.build_dir);
                let errors = context.check(code).unwrap_or_default();
                let report = variable_types::read(&self.build_dir).unwrap_or_default();
                if let Some(refusal) = borrowed(&report, &bindings(code)) {
                    return Unexecuted::NotKept(refusal);
                }
                if !errors.is_empty() {
                    return Unexecuted::Engine(Error::CompilationErrors(errors));
                }
                // evcxr only looks at a cell without using its last expression, which may be moved. Where
                // rustc was to find the types, no type can be wrong.
                if rebindings.iter().all(|(_, statement)| statement.contains(INFERRED)) {
                    return Unexecuted::Engine(error);
                }
                let type_name = statement.split_once(": ").map_or("", |it| it.1);
                let type_name = type_name.split(" = ").next().unwrap_or_default();
                Unexecuted::NotKept(without_a_name(binding, type_name))
            }
        }
    }

    /// Notes what [`Persistence::prepare`] must know of a cell that was executed.
    fn remember(&mut self, code: &str, bindings: &[Binding]) {
        for binding in bindings {
            match binding.is_mut {
                true => self.mutable.insert(binding.name.clone()),
                false => self.mutable.remove(&binding.name),
            };
        }
        self.type_names.extend(shadowing::type_names(code));
    }
}

/// The commands, if there are shell commands among them and Rust behind them, and `code` without the
/// shell commands.
fn without_shell_commands(code: &str) -> (Option<String>, String) {
    let commands = commands(code);
    let is_shell = |command: &&Command| command.text.starts_with('!');
    let length = commands.last().map_or(0, |last| last.range.end);
    if code[length..].trim().is_empty() || !commands.iter().any(|it| is_shell(&it)) {
        return (None, code.to_owned());
    }
    let mut rest = code.to_owned();
    for command in commands.iter().filter(is_shell) {
        rest.replace_range(command.range.clone(), &" ".repeat(command.range.len()));
    }
    (Some(code[..length].to_owned()), rest)
}

/// `code` with statements behind those that bind variables, and types where those have no value.
fn with(code: &str, rebindings: &[(Binding, String)]) -> String {
    let place = |binding: &Binding| match (&binding.initializer, binding.untyped) {
        (None, Some(place)) if binding.is_alone => place,
        (None, Some(_)) => end_of_statements(code),
        _ => binding.end,
    };
    let mut sorted: Vec<_> = rebindings.iter().collect();
    sorted.sort_by_key(|(binding, _)| std::cmp::Reverse(place(binding)));
    let mut code = code.to_owned();
    for (binding, statement) in sorted {
        code.insert_str(place(binding), statement);
    }
    code
}

/// The last of `bindings` of each variable, of those that have no type.
fn untyped(bindings: &[Binding]) -> Vec<Binding> {
    let is_last = |(at, binding): &(usize, &Binding)| {
        !bindings[at + 1..].iter().any(|later| later.name == binding.name)
    };
    let last = bindings.iter().enumerate().filter(is_last).map(|(_, binding)| binding);
    last.filter(|binding| binding.untyped.is_some()).cloned().collect()
}

/// What leaves the types of `untyped` to rustc.
fn inferred(untyped: &[Binding], added: &mut dyn FnMut(&str)) -> Vec<(Binding, String)> {
    let with_statement = |binding: &Binding| {
        let statement = match binding.initializer {
            None if binding.is_alone => variable_types::inferred::annotation(),
            _ => variable_types::inferred::statement(&binding.name, binding.is_mut),
        };
        added(&statement);
        (binding.clone(), statement)
    };
    untyped.iter().map(with_statement).collect()
}

/// The variables that need another type, with where they are bound.
fn to_rebind<'a>(
    report: &'a Report,
    bindings: &'a [Binding],
    untyped: &'a [Binding],
    error: &Error,
) -> impl Iterator<Item = (&'a Binding, &'a Variable)> {
    let message = match error {
        Error::Message(message) => message.clone(),
        _ => String::new(),
    };
    let needs = move |it: &&Variable| {
        let is_named = message.contains(&format!("variable `{}`", it.name));
        let is_untyped = untyped.iter().any(|binding| binding.name == it.name);
        is_untyped
            || is_named
            || it.is_misspelt
            || !it.is_nameable()
            || it.type_name.contains("dyn ")
    };
    report.variables.iter().filter(needs).filter_map(|variable| {
        let is_bound = |it: &&Binding| {
            it.name == variable.name && (it.initializer.is_some() || it.untyped.is_some())
        };
        bindings.iter().rfind(is_bound).map(|binding| (binding, variable))
    })
}

#[cfg(test)]
mod tests;
