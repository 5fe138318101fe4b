//! Commands that evcxr does not have.

use crate::notebook::definition::Definition;
use crate::notebook::store::Store;
use crate::syntax;
use evcxr::EvalOutputs;

/// Lists the definitions of the notebook.
const DEFINITIONS: &str = ":definitions";
const DESCRIPTION: &str = "List the definitions and the cells that they come from";

/// Our commands in a cell, taken out of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    lists_definitions: bool,
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
    pub fn show(self, store: &Store, outputs: &mut EvalOutputs) {
        if self.helps {
            let html = format!("<tr><td>{DEFINITIONS}</td><td>{DESCRIPTION}</td></tr>");
            for (mime, text) in &mut outputs.content_by_mime_type {
                match mime.as_str() {
                    "text/html" => *text = text.replace("</table>", &format!("{html}\n</table>")),
                    _ => text.push_str(&format!("{DEFINITIONS:<17} {DESCRIPTION}\n")),
                }
            }
        }
        if self.lists_definitions {
            let mut listed = EvalOutputs::text_html(as_text(store), as_html(store));
            listed.merge(std::mem::take(outputs));
            *outputs = listed;
        }
    }
}

fn place(definition: &Definition) -> String {
    let place = format!("cell [{}], line {}", definition.origin.cell, definition.origin.line);
    match &definition.set_aside {
        None => place,
        Some(reason) => format!("{place}, set aside: {reason}"),
    }
}

fn as_text(store: &Store) -> String {
    let titles = store.definitions().iter().map(|it| it.title.chars().count());
    let width = titles.max().unwrap_or_default();
    let line = |it: &Definition| format!("{:<width$}  {}\n", it.title, place(it));
    match store.definitions() {
        [] => "Nothing is defined yet.\n".to_owned(),
        all => all.iter().map(line).collect(),
    }
}

fn as_html(store: &Store) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let row = |it: &Definition| {
        format!(
            "<tr><td><code>{}</code></td><td>{}</td></tr>",
            escaped(&it.title),
            escaped(&place(it))
        )
    };
    let rows: String = store.definitions().iter().map(row).collect();
    match store.definitions() {
        [] => "Nothing is defined yet.".to_owned(),
        _ => format!("<table><tr><th>Definition</th><th>Place</th></tr>{rows}</table>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_commands_are_taken_out_and_evcxrs_stay() {
        let (code, commands) = Commands::take(":definitions\n:vars\nlet x = 1;\n");
        assert_eq!(code, "            \n:vars\nlet x = 1;\n");
        assert!(commands.lists_definitions && !commands.helps);
        assert_eq!(Commands::take(":help").1, Commands { helps: true, ..Commands::default() });
        assert_eq!(Commands::take("let x = 1;"), ("let x = 1;".to_owned(), Commands::default()));
    }
}
