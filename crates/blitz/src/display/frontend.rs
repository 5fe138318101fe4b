//! Who reads the program's output, and in which words it is told to show something.

use std::ffi::OsString;

use blitz_contract::{marks, variables};
use serde_json::{Map, Value, json};

use super::Bundle;

/// Who reads the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frontend {
    /// The Rust Blitz kernel, which understands the commands below.
    Blitz,
    /// A stock evcxr kernel. See
    /// <https://github.com/evcxr/evcxr/blob/main/evcxr_jupyter/README.md#custom-output>.
    Stock,
    /// A person or a file: the cells of a notebook are not involved.
    Program,
}

/// When outputs are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clear {
    /// At once.
    Now,
    /// When the next output arrives.
    OnNext,
}

impl Frontend {
    /// Decides by the environment variables that the kernels set, which `variable` looks up.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<OsString>) -> Frontend {
        if variable(variables::KERNEL).is_some() {
            Frontend::Blitz
        } else if variable(variables::EVCXR_RUNTIME).is_some() {
            Frontend::Stock
        } else {
            Frontend::Program
        }
    }
}

/// Asks the Rust Blitz kernel to show `bundle` as an output of its own.
pub(crate) fn display(bundle: &Bundle) -> String {
    command("display", bundle.to_json())
}

/// As [`display`], but the output can be replaced under the name `id`.
pub(crate) fn display_as(id: &str, bundle: &Bundle) -> String {
    command("display", with_id(id, bundle))
}

/// Asks the Rust Blitz kernel to replace the output `id`.
pub(crate) fn update(id: &str, bundle: &Bundle) -> String {
    command("update", with_id(id, bundle))
}

/// Asks the Rust Blitz kernel to remove the cell's outputs.
pub(crate) fn clear(when: Clear) -> String {
    let wait = when == Clear::OnNext;
    command("clear", Map::from_iter([("wait".to_owned(), wait.into())]))
}

/// The blocks that every evcxr kernel takes for the one output of the cell.
pub(crate) fn blocks(bundle: &Bundle) -> String {
    let block = |(mime_type, content): (&str, &Value)| {
        let content = match content {
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        format!("{}{mime_type}\n{content}{}", marks::BEGIN_CONTENT, marks::END_CONTENT)
    };
    bundle.forms().map(block).collect()
}

/// The line that a person reads.
pub(crate) fn line(bundle: &Bundle) -> String {
    match bundle.alt() {
        Some(alt) => format!("{alt}\n"),
        None => {
            let mime_types: Vec<&str> = bundle.forms().map(|(mime_type, _)| mime_type).collect();
            format!("[{}]\n", mime_types.join(", "))
        }
    }
}

fn with_id(id: &str, bundle: &Bundle) -> Map<String, Value> {
    let mut message = bundle.to_json();
    message.insert("id".to_owned(), id.into());
    message
}

/// One line, as [`marks::COMMAND`] says.
fn command(name: &str, message: Map<String, Value>) -> String {
    format!("{}{}\n", marks::COMMAND, json!({ name: message }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::{Html, Json, Markdown, Show, Svg, Text};
    use crate::picture::Picture;

    fn bytes(value: impl Show) -> String {
        display(&value.bundle())
    }

    #[test]
    fn the_environment_tells_the_front_end() {
        let of = |names: &[&str]| Frontend::of(|name| names.contains(&name).then(|| "1".into()));
        assert_eq!(of(&["BLITZ_KERNEL", "EVCXR_IS_RUNTIME"]), Frontend::Blitz);
        assert_eq!(of(&["EVCXR_IS_RUNTIME"]), Frontend::Stock);
        assert_eq!(of(&[]), Frontend::Program);
    }

    #[test]
    fn every_kind_is_one_command() {
        assert_eq!(
            bytes(Html("<b>\"x\"</b>\n")),
            "\x1eblitz {\"display\":{\"data\":{\"text/html\":\"<b>\\\"x\\\"</b>\\n\",\
             \"text/plain\":\"\\\"x\\\"\"}}}\n"
        );
        assert_eq!(
            bytes(Markdown("*x*")),
            "\x1eblitz {\"display\":{\"data\":{\"text/markdown\":\"*x*\",\
             \"text/plain\":\"*x*\"}}}\n"
        );
        assert_eq!(
            bytes(Svg("<svg><title>t</title></svg>")),
            "\x1eblitz {\"display\":{\"data\":{\"image/svg+xml\":\"<svg><title>t</title></svg>\",\
             \"text/plain\":\"t\"}}}\n"
        );
        assert_eq!(
            bytes(Json(json!({"a": [1, null]}))),
            "\x1eblitz {\"display\":{\"data\":{\"application/json\":{\"a\":[1,null]},\
             \"text/plain\":\"{\\n  \\\"a\\\": [\\n    1,\\n    null\\n  ]\\n}\"}}}\n"
        );
        assert_eq!(
            bytes(Text("gr\u{fc}n\x1e")),
            "\x1eblitz {\"display\":{\"data\":{\"text/plain\":\"gr\u{fc}n\\u001e\"}}}\n"
        );
    }

    #[test]
    fn a_picture_tells_its_size_and_alternative() {
        let picture = Picture::from_rgb(2, 1, &[0; 6], "Two dots.".to_owned()).unwrap();
        let png = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, picture.png());
        assert_eq!(
            bytes(&picture),
            format!(
                "\x1eblitz {{\"display\":{{\"data\":{{\"image/png\":\"{png}\",\
                 \"text/plain\":\"Two dots.\"}},\"metadata\":{{\"image/png\":\
                 {{\"alt\":\"Two dots.\",\"height\":1,\"width\":2}}}}}}}}\n"
            )
        );
        assert_eq!(
            blocks(&picture.bundle()),
            format!(
                "EVCXR_BEGIN_CONTENT image/png\n{png}\nEVCXR_END_CONTENT\n\
                 EVCXR_BEGIN_CONTENT text/plain\nTwo dots.\nEVCXR_END_CONTENT\n"
            )
        );
    }

    /// serde_json keeps or sorts keys, as other crates in the build ask of it; these are parsed.
    fn parsed(command: &str) -> Value {
        let line = command.strip_prefix("\x1eblitz ").unwrap().strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'));
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn updates_name_their_output_and_clearing_waits_or_not() {
        let bundle = Text("x").bundle();
        let expected = json!({"data": {"text/plain": "x"}, "id": "a"});
        assert_eq!(parsed(&display_as("a", &bundle)), json!({ "display": expected }));
        assert_eq!(parsed(&update("a", &bundle)), json!({ "update": expected }));
        assert_eq!(clear(Clear::Now), "\x1eblitz {\"clear\":{\"wait\":false}}\n");
        assert_eq!(clear(Clear::OnNext), "\x1eblitz {\"clear\":{\"wait\":true}}\n");
    }

    #[test]
    fn a_value_without_an_alternative_is_named_by_its_types() {
        let bundle = Bundle::new().with_text("text/html", "").with_json("a/json", json!([1]));
        assert_eq!(line(&bundle), "[a/json, text/html]\n");
        assert_eq!(
            blocks(&bundle.with_alt("two\nlines")),
            "EVCXR_BEGIN_CONTENT a/json\n[1]\nEVCXR_END_CONTENT\n\
             EVCXR_BEGIN_CONTENT text/html\n\nEVCXR_END_CONTENT\n\
             EVCXR_BEGIN_CONTENT text/plain\ntwo\nlines\nEVCXR_END_CONTENT\n"
        );
    }
}
