//! Python in a cell: what it would be in Rust.
//!
//! Told only of what the parser cannot read, and before rustc is asked: that would take each word of
//! Python by itself for something of Rust's that lacks a semicolon.

mod words;

use super::fault::Fault;
use super::{PRELUDE, is_too_deep, opening, tokens_of, wrapped};
use ra_ap_syntax::{Edition, SourceFile, SyntaxKind, SyntaxToken, T};
use std::ops::Range;
use words::{Place, WORDS, Word};

/// The first thing in `code`, in which nothing is a command, that is Python and no Rust, if there is one.
pub fn python(code: &str) -> Option<Fault> {
    if is_too_deep(code) {
        return None;
    }
    let parsed = SourceFile::parse(&wrapped(code), Edition::Edition2024);
    if parsed.errors().is_empty() {
        return None;
    }
    let end = PRELUDE.len() + code.len();
    let is_in_cell = |token: &SyntaxToken| {
        let range = token.text_range();
        usize::from(range.start()) >= PRELUDE.len() && usize::from(range.end()) <= end
    };
    let tokens = tokens_of(&parsed.tree()).into_iter().filter(is_in_cell);
    let tokens: Vec<SyntaxToken> =
        tokens.filter(|it| it.kind() != SyntaxKind::WHITESPACE).collect();
    let cell = Cell { code, within: enclosing(&tokens), tokens };
    (0..cell.tokens.len()).find_map(|at| cell.fault_at(at))
}

/// A cell and its tokens, without white space.
struct Cell<'a> {
    code: &'a str,
    tokens: Vec<SyntaxToken>,
    /// For each of them the bracket that it stands in.
    within: Vec<Option<usize>>,
}

impl Cell<'_> {
    fn fault_at(&self, at: usize) -> Option<Fault> {
        let token = self.tokens.get(at)?;
        // A macro may take anything but prefixes of texts.
        self.prefixed(at).or_else(|| match is_in_macro(token) {
            true => None,
            false => self
                .word(at)
                .or_else(|| self.comment(at))
                .or_else(|| self.block(at))
                .or_else(|| self.comprehension(at))
                .or_else(|| self.choice(at))
                .or_else(|| self.index(at))
                .or_else(|| self.product(at))
                .or_else(|| self.dictionary(at)),
        })
    }

    fn word(&self, at: usize) -> Option<Fault> {
        let text = self.tokens[at].text();
        let is_here = |it: &&Word| {
            it.words.contains(&text) && it.places.iter().any(|place| self.is_at(*place, at))
        };
        let found = WORDS.iter().find(is_here)?;
        let message = format!("`{text}` is Python's");
        Some(self.fault(at..at + 1, message, found.help.to_owned()))
    }

    fn is_at(&self, place: Place, at: usize) -> bool {
        let before = at.checked_sub(1).filter(|before| self.share_line(*before, at));
        let after = Some(at + 1).filter(|after| self.share_line(at, *after));
        let follows = |is: &dyn Fn(&SyntaxToken) -> bool| {
            after.is_some_and(|after| self.tokens.get(after).is_some_and(is))
        };
        match place {
            // Also of the line that begins with a bracket, as `} elif`.
            Place::Statement => {
                before.is_none_or(|it| self.tokens[it].kind() == T!['}']) && follows(&begins_value)
            }
            Place::BeforeWord => follows(&begins_value),
            Place::Between => {
                before.is_some_and(|it| ends_value(&self.tokens[it])) && follows(&begins_value)
            }
            Place::BeforeColon => follows(&|it| it.kind() == T![:]),
            Place::Called => follows(&|it| it.kind() == T!['(']),
        }
    }

    /// `# a comment`
    fn comment(&self, at: usize) -> Option<Fault> {
        let next = self.tokens.get(at + 1);
        let is_attribute = next.is_some_and(|it| matches!(it.kind(), T!['['] | T![!]));
        if self.tokens[at].kind() != T![#] || is_attribute {
            return None;
        }
        let line = &self.code[self.range(at..at + 1).start..];
        let line = line.lines().next().unwrap_or_default().trim_start_matches('#').trim();
        let help = format!("write `// {line}`");
        Some(self.fault(at..at + 1, "`#` does not begin a comment, `//` does".to_owned(), help))
    }

    /// `if x > 1:`, at the end of its line.
    fn block(&self, at: usize) -> Option<Fault> {
        let is_last = !self.share_line(at, at + 1);
        if self.tokens[at].kind() != T![:] || !is_last {
            return None;
        }
        let first = (0..=at).rev().take_while(|it| self.share_line(*it, at)).last()?;
        let opens = ["for", "if", "while", "else", "try", "match"];
        let has_brace = self.tokens[first..at].iter().any(|it| it.kind() == T!['{']);
        if !opens.contains(&self.tokens[first].text()) || has_brace {
            return None;
        }
        let range = self.range(first..at);
        let help =
            format!("write `{} {{`, and `}}` behind the last line of the block", &self.code[range]);
        let message = "a block stands between `{` and `}`, not behind `:`".to_owned();
        Some(self.fault(at..at + 1, message, help))
    }

    /// `f"{x}"`
    fn prefixed(&self, at: usize) -> Option<Fault> {
        let next = self.tokens.get(at + 1).filter(|it| it.kind() == SyntaxKind::STRING)?;
        let is_next = self.range(at..at + 1).end == self.range(at + 1..at + 2).start;
        if !matches!(self.tokens[at].text(), "f" | "F") || !is_next {
            return None;
        }
        let text = next.text();
        let help = format!("write `format!({text})`; within `println!`, the text alone");
        Some(self.fault(at..at + 2, "`f` before a text is Python's".to_owned(), help))
    }

    /// `[x * 2 for x in a]`
    fn comprehension(&self, at: usize) -> Option<Fault> {
        let before = at.checked_sub(1)?;
        let is_one = self.tokens[at].kind() == T![for]
            && ends_value(&self.tokens[before])
            && self.share_line(before, at);
        let open = self.within[at]?;
        if !is_one || !matches!(self.tokens[open].kind(), T!['['] | T!['(']) {
            return None;
        }
        let value = &self.code[self.range(open + 1..at)];
        let name = self.tokens.get(at + 1)?.text();
        let help = format!(
            "write `(0..3).map(|{name}| {value}).collect::<Vec<_>>()`, or `a.iter().map(…)`"
        );
        Some(self.fault(at..at + 1, "a list is not made by `for`".to_owned(), help))
    }

    /// `1 if x else 2`
    fn choice(&self, at: usize) -> Option<Fault> {
        let before = at.checked_sub(1)?;
        let line = (at..self.tokens.len()).take_while(|it| self.share_line(at, *it));
        let is_open = |it: usize| matches!(self.tokens[it].kind(), T!['{'] | T![=>]);
        let otherwise = line.take_while(|it| !is_open(*it));
        let mut otherwise = otherwise.filter(|it| self.tokens[*it].kind() == T![else]);
        let is_one = self.tokens[at].kind() == T![if]
            && ends_value(&self.tokens[before])
            && self.share_line(before, at);
        let otherwise = is_one.then(|| otherwise.next())??;
        let condition = &self.code[self.range(at + 1..otherwise)];
        let message = "`if` stands before both values".to_owned();
        Some(self.fault(
            at..at + 1,
            message,
            format!("write `if {condition} {{ … }} else {{ … }}`"),
        ))
    }

    /// `x[:, 0]`, `x[1, 2]`
    fn index(&self, at: usize) -> Option<Fault> {
        let before = at.checked_sub(1)?;
        let is_index = self.tokens[at].kind() == T!['[']
            && ends_value(&self.tokens[before])
            && self.range(before..at).end == self.range(at..at + 1).start;
        let close = is_index.then(|| self.closing(at))??;
        let is_direct = |it: &usize| self.within[*it] == Some(at);
        let direct: Vec<usize> = (at + 1..close).filter(is_direct).collect();
        let is = |kind: SyntaxKind| direct.iter().any(|it| self.tokens[*it].kind() == kind);
        if !is(T![:]) && !is(T![,]) && !direct.iter().any(|it| self.is_step(*it)) {
            return None;
        }
        let message = "a tensor is not indexed by `[]`".to_owned();
        let ends = direct.iter().copied().filter(|it| self.tokens[*it].kind() == T![,]);
        let (mut parts, mut from) = (Vec::new(), at + 1);
        for end in ends.chain([close]) {
            parts.push(self.part(from..end, &direct));
            from = end + 1;
        }
        let help = match parts.into_iter().collect::<Option<Vec<String>>>().as_deref() {
            Some([part]) => format!("write `.i({part})` instead"),
            Some(parts) => format!("write `.i(({}))` instead", parts.join(", ")),
            None => {
                "write `.i((.., 1))` for `[:, 1]`, and `.slice(dim, start, end, step)` for steps"
                    .to_owned()
            }
        };
        Some(self.fault(at..close + 1, message, help))
    }

    /// One part of an index as Rust has it: `1..3` for `1:3`.
    fn part(&self, range: Range<usize>, direct: &[usize]) -> Option<String> {
        if range.clone().any(|it| self.is_step(it)) {
            return None;
        }
        let is_colon = |it: &usize| direct.contains(it) && self.tokens[*it].kind() == T![:];
        let colons: Vec<usize> = range.clone().filter(is_colon).collect();
        let text = |range: Range<usize>| match range.is_empty() {
            true => "",
            false => &self.code[self.range(range)],
        };
        let is_negative = range.clone().any(|it| self.tokens[it].kind() == T![-]);
        match colons[..] {
            [] => (!range.is_empty()).then(|| text(range).to_owned()),
            [colon] if !is_negative => {
                Some(format!("{}..{}", text(range.start..colon), text(colon + 1..range.end)))
            }
            _ => None,
        }
    }

    /// The `::` of `[::2]`, which is none of a path.
    fn is_step(&self, at: usize) -> bool {
        let next = self.tokens.get(at + 1).map(SyntaxToken::kind);
        let ends = |kind: SyntaxKind| kind.is_literal() || matches!(kind, T![']'] | T![,] | T![-]);
        self.tokens[at].kind() == T![::] && next.is_some_and(ends)
    }

    /// `a @ b`
    fn product(&self, at: usize) -> Option<Fault> {
        let before = at.checked_sub(1)?;
        let after = self.tokens.get(at + 1)?;
        let is_one = self.tokens[at].kind() == T![@]
            && ends_value(&self.tokens[before])
            && begins_value(after)
            && self.tokens[at].parent().is_some_and(|it| it.kind() == SyntaxKind::ERROR);
        let help = format!("write `{}.matmul(&{})`", self.tokens[before].text(), after.text());
        let message = "`@` does not multiply matrices".to_owned();
        is_one.then(|| self.fault(at..at + 1, message, help))
    }

    /// `{"a": 1}`
    fn dictionary(&self, at: usize) -> Option<Fault> {
        let kind = |at: usize| self.tokens.get(at).map(SyntaxToken::kind);
        let is_one = kind(at) == Some(T!['{'])
            && kind(at + 1) == Some(SyntaxKind::STRING)
            && kind(at + 2) == Some(T![:]);
        let message = "`{ … }` is a block, not a dictionary".to_owned();
        let help = "write `std::collections::HashMap::from([(\"a\", 1), (\"b\", 2)])`".to_owned();
        is_one.then(|| self.fault(at..at + 1, message, help))
    }

    fn fault(&self, tokens: Range<usize>, message: String, help: String) -> Fault {
        Fault { range: self.range(tokens), message, helps: vec![help] }
    }

    /// Where tokens stand in the cell, in bytes.
    fn range(&self, tokens: Range<usize>) -> Range<usize> {
        let offset = |at: ra_ap_syntax::TextSize| usize::from(at) - PRELUDE.len();
        let (first, last) = (&self.tokens[tokens.start], &self.tokens[tokens.end - 1]);
        offset(first.text_range().start())..offset(last.text_range().end())
    }

    /// Whether both tokens are there, and stand in the same line.
    fn share_line(&self, one: usize, other: usize) -> bool {
        let (one, other) = (one.min(other), one.max(other));
        let is_there = other < self.tokens.len();
        is_there && !self.code[self.range(one..other + 1)].contains('\n')
    }

    /// The bracket that closes the one at `at`.
    fn closing(&self, at: usize) -> Option<usize> {
        let is_close = |it: &usize| opening(self.tokens[*it].kind()).is_some();
        (at + 1..self.tokens.len()).filter(is_close).find(|it| self.within[*it] == Some(at))
    }
}

/// For each token the bracket that is open before it.
fn enclosing(tokens: &[SyntaxToken]) -> Vec<Option<usize>> {
    let mut open: Vec<usize> = Vec::new();
    let bracket = |(at, token): (usize, &SyntaxToken)| {
        let within = open.last().copied();
        match token.kind() {
            T!['('] | T!['['] | T!['{'] => open.push(at),
            kind if opening(kind).is_some() => drop(open.pop()),
            _ => {}
        }
        within
    };
    tokens.iter().enumerate().map(bracket).collect()
}

fn is_in_macro(token: &SyntaxToken) -> bool {
    token.parent_ancestors().any(|it| it.kind() == SyntaxKind::TOKEN_TREE)
}

/// Whether a value can begin with the token.
fn begins_value(token: &SyntaxToken) -> bool {
    let kind = token.kind();
    matches!(kind, SyntaxKind::IDENT | T![true] | T![false] | T![self] | T![super])
        || kind.is_literal()
}

/// Whether a value can end with the token.
fn ends_value(token: &SyntaxToken) -> bool {
    begins_value(token) || matches!(token.kind(), T![')'] | T![']'])
}

#[cfg(test)]
mod tests;
