//! What rustc advises, as lines of the cell: of a suggestion evcxr has only the piece that is put in.

/// How many lines of a mended cell are shown.
const MOST_LINES: usize = 4;

/// What rustc shows for a `help` in what it has `rendered`: the lines as they would be after it, or the line
/// that it is about with marks.
pub fn mended(rendered: &str, help: &str) -> Vec<String> {
    let all: Vec<&str> = rendered.lines().collect();
    let Some(head) =
        all.iter().position(|line| line.trim_start().starts_with(&format!("help: {help}")))
    else {
        return marked(&all, help).unwrap_or_default();
    };
    let is_inside = |line: &&&str| {
        let text = line.trim_start();
        !text.is_empty() && !text.starts_with("help: ") && !text.starts_with("note: ")
    };
    let section: Vec<&str> = all[head + 1..].iter().take_while(is_inside).copied().collect();
    let marks = |at: usize| {
        let below = section.get(at + 1).and_then(|line| line.trim_start().strip_prefix("| "));
        below.is_some_and(|it| it.contains('+') && it.trim_matches(['+', '~', ' ']).is_empty())
    };
    let line = |(at, line): (usize, &&str)| {
        let (kind, code) = numbered(line)?;
        let is_mended = matches!(kind, "+" | "~") || kind == "|" && marks(at);
        // What is put in among evcxr's lines has their indentation.
        let code = Some(code.trim_start()).filter(|it| it.starts_with("use ")).unwrap_or(code);
        // With the end of evcxr's line behind it, it is not the cell's.
        (is_mended && !code.ends_with(")));")).then(|| code.to_owned())
    };
    section.iter().enumerate().filter_map(line).take(MOST_LINES).collect()
}

/// The lines by which a help is told, with the [mended] ones.
pub fn told(message: &str, mended: &[String]) -> Vec<String> {
    let head = message.lines().enumerate().map(|(at, line)| match at {
        0 => format!("\x1b[1mhelp\x1b[0m: {line}"),
        _ => line.to_owned(),
    });
    head.chain(mended.iter().map(|line| format!("  | {line}"))).collect()
}

/// The line of a report that has `help` as a label, and the marks below it.
fn marked(report: &[&str], help: &str) -> Option<Vec<String>> {
    let at = report.iter().position(|line| line.ends_with(&format!("- help: {help}")))?;
    let (_, code) = report[..at].iter().rev().find_map(|line| numbered(line))?;
    let (margin, _) = report[at].split_once("help: ")?;
    let (_, marks) = margin.split_once("| ")?;
    Some(vec![code.to_owned(), marks.trim_end().replace('-', "^")])
}

/// A line of a report with a number: what stands behind that, and the code.
fn numbered(line: &str) -> Option<(&str, &str)> {
    let rest = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    let (kind, code) = rest.strip_prefix(' ')?.split_at_checked(1)?;
    let is_numbered = rest.len() < line.trim_start().len();
    is_numbered.then(|| (kind, code.strip_prefix(' ').unwrap_or(code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helps_are_shown_as_lines_of_the_cell() {
        let replaced = "error\nhelp: compare\n  |\n3 | if a == 0 {\n  |       +\n\nnote: x\n";
        assert_eq!(mended(replaced, "compare"), ["if a == 0 {"]);
        let removed = "help: drop it\n   |\n12 - f(1, 2)\n12 + f(1)\n   |\nhelp: other\n9 + no";
        assert_eq!(mended(removed, "drop it"), ["f(1)"]);
        let added = "help: import this\n  |\n1 +       use a::b;\n  |";
        assert_eq!(mended(added, "import this"), ["use a::b;"]);
        let label = "3 |     x + 1;\n  |          - help: remove this semicolon";
        assert_eq!(mended(label, "remove this semicolon"), ["    x + 1;", "         ^"]);
        let evcxrs = "help: call it\n  |\n1 + x.print()));\n  |";
        assert_eq!(mended(evcxrs, "call it"), [""; 0]);
        assert_eq!(mended("help: a word alone", "a word alone"), [""; 0]);
    }
}
