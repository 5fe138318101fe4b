//! Commands that evcxr does not have.

use crate::notebook::definition::Definition;
use crate::notebook::store::Store;
use crate::syntax;
use blitz_messages::Messages;
use evcxr::EvalOutputs;

/// Lists the definitions of the notebook.
const DEFINITIONS: &str = ":definitions";
/// evcxr's own, with the types by which it keeps them.
const VARIABLES: &str = ":vars";
const DESCRIPTION: &str = "List the definitions and the cells that they come from";

const NOTHING: &str = "Nothing is defined yet.";

/// Our commands in a cell, taken out of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    lists_definitions: bool,
    lists_variables: bool,
    helps: bool,
}

impl Commands {
    /// Takes our commands out of `code`. No line moves.
    pub fn take(code: &str) -> (String, Commands) {
        let rust = syntax::commands::without_commands(code);
        let mut commands = Commands::default();
        let mut rest = String::with_capacity(code.len());
        for (line, rust) in code.split_inclusive('\n').zip(rust.split_inclusive('\n')) {
            let is_command = rust.trim().is_empty();
            commands.helps |= is_command && line.trim() == ":help";
            commands.lists_variables |= is_command && line.trim() == VARIABLES;
            if is_command && line.trim() == DEFINITIONS {
                commands.lists_definitions = true;
                rest.push_str(rust);
            } else {
                rest.push_str(line);
            }
        }
        (rest, commands)
    }

    /// What they show, before what evcxr's show.
    pub fn show(self, store: &Store, outputs: &mut EvalOutputs, messages: &Messages) {
        if self.lists_variables {
            for text in outputs.content_by_mime_type.values_mut() {
                *text = with_last_names(text);
            }
        }
        if self.helps {
            let description = messages.translated(DESCRIPTION);
            let html = format!("<tr><td>{DEFINITIONS}</td><td>{description}</td></tr>");
            for (mime, text) in &mut outputs.content_by_mime_type {
                match mime.as_str() {
                    "text/html" => *text = text.replace("</table>", &format!("{html}\n</table>")),
                    _ => text.push_str(&format!("{DEFINITIONS:<17} {description}\n")),
                }
            }
        }
        if self.lists_definitions {
            let mut listed =
                EvalOutputs::text_html(as_text(store, messages), as_html(store, messages));
            listed.merge(std::mem::take(outputs));
            *outputs = listed;
        }
    }
}

/// `text` with the last name of each path that leads into a crate: nobody wrote the path.
fn with_last_names(text: &str) -> String {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("::") {
        let (before, path) = rest.split_at(start);
        shown.push_str(before);
        let end = path.find(|c| !is_name(c) && c != ':').unwrap_or(path.len());
        let (path, after) = path.split_at(end);
        match before.ends_with(is_name) {
            true => shown.push_str(path),
            false => shown.push_str(path.rsplit("::").next().unwrap_or_default()),
        }
        rest = after;
    }
    shown + rest
}

fn place(definition: &Definition, messages: &Messages) -> String {
    let place = format!("cell [{}], line {}", definition.origin.cell, definition.origin.line);
    let place = messages.translated(&place);
    match &definition.set_aside {
        None => place,
        Some(reason) => messages.translated(&format!("{place}, set aside: {reason}")),
    }
}

fn as_text(store: &Store, messages: &Messages) -> String {
    let titles = store.definitions().iter().map(|it| it.title.chars().count());
    let width = titles.max().unwrap_or_default();
    let line = |it: &Definition| format!("{:<width$}  {}\n", it.title, place(it, messages));
    match store.definitions() {
        [] => messages.translated(NOTHING) + "\n",
        all => all.iter().map(line).collect(),
    }
}

fn as_html(store: &Store, messages: &Messages) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let row = |it: &Definition| {
        format!(
            "<tr><td><code>{}</code></td><td>{}</td></tr>",
            escaped(&it.title),
            escaped(&place(it, messages))
        )
    };
    let rows: String = store.definitions().iter().map(row).collect();
    match store.definitions() {
        [] => messages.translated(NOTHING),
        _ => {
            let heads = [messages.translated("Definition"), messages.translated("Place")];
            format!("<table><tr><th>{}</th><th>{}</th></tr>{rows}</table>", heads[0], heads[1])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_the_names_of_their_types_without_the_paths() {
        let listed = "a: ::std::vec::Vec<::blitz::prelude::Tensor>\nb: m::q::H\nc: (i64, &str)\n\
                      d: ::std::boxed::Box<dyn ::std::ops::Fn(i32) -> ::std::string::String>";
        let shown = "a: Vec<Tensor>\nb: m::q::H\nc: (i64, &str)\nd: Box<dyn Fn(i32) -> String>";
        assert_eq!(with_last_names(listed), shown);
        assert!(Commands::take(":vars\n").1.lists_variables);
    }

    #[test]
    fn our_commands_are_taken_out_and_evcxrs_stay() {
        let (code, commands) = Commands::take(":definitions\n:vars\nlet x = 1;\n");
        assert_eq!(code, "            \n:vars\nlet x = 1;\n");
        assert!(commands.lists_definitions && !commands.helps);
        assert_eq!(Commands::take(":help").1, Commands { helps: true, ..Commands::default() });
        assert_eq!(Commands::take("let x = 1;"), ("let x = 1;".to_owned(), Commands::default()));
    }
}
