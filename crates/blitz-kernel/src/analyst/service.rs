//! The process that answers.

use crate::analyst::question::{Answer, CommandLines, Question, READY, What};
use crate::engine;
use crate::session::build_dir::BuildDir;
use crate::syntax;
use crate::syntax::commands::{Command, commands};
use anyhow::{Context, Result, anyhow};
use blitz_contract::Layout;
use blitz_toolchain::Analysis;
use evcxr::CommandContext;
use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Completion of more names than these helps nobody.
const MOST_MATCHES: usize = 1_000;

/// rust-analyzer recurses deeply.
const STACK: usize = 256 * 1024 * 1024;

/// A question like those to come.
const FIRST_QUESTION: &str = "let x = tch::Tensor::new(); x.siz";

/// Answers questions, one JSON object a line, from standard input until it ends.
///
/// # Errors
/// evcxr cannot be started.
///
/// # Safety
/// This process has no other thread.
pub unsafe fn run(layout: &Layout) -> Result<()> {
    // A running cell goes before.
    // SAFETY: a plain system call.
    unsafe { libc::nice(5) };
    let dir = BuildDir::create(layout).context("no completion and documentation")?;
    // SAFETY: the caller's promise.
    unsafe { engine::prepare(layout, dir.path(), Analysis::Everything) }?;
    let layout = layout.clone();
    let thread = std::thread::Builder::new().stack_size(STACK);
    let service = thread.spawn(move || serve(&layout)).context("cannot start a thread")?;
    service.join().unwrap_or_else(|_| Err(anyhow!("the completion service panicked")))
}

fn serve(layout: &Layout) -> Result<()> {
    let mut context = engine::start(engine::idle_process(layout)?)?.0;
    engine::load_dependencies(&mut context).map_err(|error| anyhow!("{error}"))?;
    // rust-analyzer reads tch now and not when the first question waits.
    let _ = context.completions(FIRST_QUESTION, FIRST_QUESTION.len());
    say(READY)?;
    for line in std::io::stdin().lock().lines() {
        let question: Question = serde_json::from_str(&line.context("cannot read")?)?;
        // A panic, mostly rust-analyzer's, must not lose the questions to come.
        let answer = catch_unwind(AssertUnwindSafe(|| answer(&mut context, layout, &question)));
        let answer = answer.ok().and_then(Result::ok).unwrap_or_default();
        say(&serde_json::to_string(&answer)?)?;
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush().context("nobody listens")
}

fn answer(context: &mut CommandContext, layout: &Layout, question: &Question) -> Result<Answer> {
    match question.what {
        What::Complete => complete(context, layout, question),
        What::Inspect => inspect(context, layout, question),
    }
}

fn complete(context: &mut CommandContext, layout: &Layout, question: &Question) -> Result<Answer> {
    if in_command(question) {
        return complete_in(context, question, (question.code.clone(), question.position));
    }
    let answer = complete_in(context, question, question.source(layout, CommandLines::Kept))?;
    if !answer.matches.is_empty() {
        return Ok(answer);
    }
    // Brackets that are open yet can keep rust-analyzer from seeing where the cursor is.
    let mut closed = question.clone();
    closed.code.truncate(question.position);
    let brackets = syntax::closing_brackets(&closed.code);
    closed.code.push_str(&brackets);
    complete_in(context, &closed, closed.source(layout, CommandLines::Kept))
}

fn complete_in(
    context: &mut CommandContext,
    question: &Question,
    (source, position): (String, usize),
) -> Result<Answer> {
    let shift = position - question.position;
    let found = context.completions(&source, position)?;
    let matches = found.completions.into_iter().take(MOST_MATCHES);
    Ok(Answer {
        matches: matches.map(|found| (found.code, found.kind.to_owned())).collect(),
        start: found.start_offset.saturating_sub(shift),
        end: found.end_offset.saturating_sub(shift),
        documentation: None,
    })
}

fn inspect(context: &mut CommandContext, layout: &Layout, question: &Question) -> Result<Answer> {
    let Some(question) = to_inspect(question) else { return Ok(Answer::default()) };
    let (source, position) = question.source(layout, CommandLines::Left);
    let (text, html) = context.hover_at(&source, position)?;
    let found = !text.is_empty() && text != "No documentation found";
    Ok(Answer { documentation: found.then_some((text, html)), ..Answer::default() })
}

/// The question about the name that is meant, with the place at its end and nothing behind it.
fn to_inspect(question: &Question) -> Option<Question> {
    let code = &question.code;
    let end = name_end(code, question.position)?;
    let name_start = code[..end].trim_end_matches(is_name).len();
    let mut question = question.clone();
    question.code.truncate(end);
    question.position = end;
    // rust-analyzer knows a method only where it is called.
    if code[..name_start].trim_end().ends_with('.') {
        question.code.push('(');
        question.position += 1;
    }
    Some(question)
}

/// Whether the place is in a line that is a command of evcxr's.
fn in_command(question: &Question) -> bool {
    let is_there = |it: &Command| (it.range.start..=it.range.end).contains(&question.position);
    commands(&question.code).iter().any(|it| it.text.starts_with(':') && is_there(it))
}

/// Where the name at `position` ends. Behind a bracket or in arguments, the called name counts.
fn name_end(code: &str, position: usize) -> Option<usize> {
    let before = &code[..position];
    let after = &code[position..];
    let rest = after.find(|c: char| !is_name(c)).unwrap_or(after.len());
    if rest > 0 || before.ends_with(is_name) {
        return Some(position + rest);
    }
    let mut depth = 0;
    for (at, character) in before.char_indices().rev() {
        match character {
            ')' | ']' | '}' => depth += 1,
            '(' if depth == 0 => return before[..at].ends_with(is_name).then_some(at),
            '(' | '[' | '{' => depth -= 1,
            ';' => return None,
            _ => {}
        }
    }
    None
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::definitions::Definitions;

    #[test]
    fn the_name_at_the_cursor() {
        let end = |code: &str| {
            let position = code.find('|').expect("a cursor");
            name_end(&code.replace('|', ""), position)
        };
        assert_eq!(end("Ten|sor::ones"), Some(6));
        assert_eq!(end("x.matmul|"), Some(8));
        assert_eq!(end("x.matmul(|"), Some(8));
        assert_eq!(end("f(g(1), |)"), Some(1));
        assert_eq!(end("let x; |"), None);
    }

    /// What cells are made of, and what they are not.
    const PIECES: [&str; 40] = [
        "\u{feff}",
        "é",
        "中",
        "😀",
        "👩\u{200d}👧",
        "e\u{301}",
        "\u{202e}",
        "\0",
        "\u{2028}",
        "\u{a0}",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        ".",
        "::",
        ";",
        "!",
        ":dep ",
        "!ls",
        ":",
        "\"",
        "'a",
        "r#\"",
        "/*",
        "*/",
        "//",
        "\n",
        "\r\n",
        "\t",
        " ",
        "let ",
        "x",
        "1",
        "fn f() ",
        "vec![",
    ];

    #[test]
    fn any_code_and_any_cursor() {
        // A generator of numbers as good as this needs (Knuth's constants).
        let mut state = 20_260_u64;
        let mut below = |limit: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % limit
        };
        let mut definitions = Definitions::default();
        definitions.variables.push(("x".to_owned(), "i32".to_owned()));
        let layout = Layout::new("/srv");
        for _ in 0..5_000 {
            let length = below(9);
            let code: String = (0..length).map(|_| PIECES[below(PIECES.len())]).collect();
            let _ = syntax::completeness(&code);
            let places = code.char_indices().map(|(at, _)| at).chain([code.len()]);
            for position in places {
                let (code, definitions) = (code.clone(), definitions.clone());
                let question = Question { what: What::Inspect, code, position, definitions };
                let _ = (in_command(&question), to_inspect(&question));
                let (source, at) = question.source(&layout, CommandLines::Kept);
                assert!(source.is_char_boundary(at), "{:?} at {position}", question.code);
                let closing = syntax::closing_brackets(&question.code[..position]);
                assert!(closing.chars().all(|bracket| ")]}".contains(bracket)));
            }
        }
    }
}
