//! Python's names in a cell that does not compile: what they are in Rust.
//!
//! Rust's side of most of PyTorch's names is read from the table that the crate `blitz` documents and tests;
//! those of the language itself, and what the table has no example for, are here.

use evcxr::CompilationError;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Examples that the table has not.
// Not translated: code.
const EXAMPLES: [(&str, &str); 40] = [
    ("range(3)", "0..3"),
    ("len(a)", "a.len()"),
    ("print(x)", "println!(\"{x}\")"),
    ("int(n)", "n as i64"),
    ("float(n)", "n as f64"),
    ("str(n)", "n.to_string()"),
    ("abs(n)", "n.abs()"),
    ("round(n)", "n.round()"),
    ("max(n, m)", "n.max(m)"),
    ("min(n, m)", "n.min(m)"),
    ("sum(a)", "a.iter().sum::<i64>()"),
    ("any(a)", "a.iter().any(|x| …)"),
    ("all(a)", "a.iter().all(|x| …)"),
    ("sorted(a)", "a.sort()"),
    ("reversed(a)", "a.iter().rev()"),
    ("enumerate(a)", "a.iter().enumerate()"),
    ("zip(a, b)", "a.iter().zip(&b)"),
    ("map(f, a)", "a.iter().map(f)"),
    ("list(range(3))", "(0..3).collect::<Vec<_>>()"),
    ("dict(a=1)", "std::collections::HashMap::from([(\"a\", 1)])"),
    ("set(s)", "s.chars().collect::<std::collections::HashSet<_>>()"),
    ("open(path).read()", "std::fs::read_to_string(path)?"),
    ("isinstance(x, …)", "match x { … }"),
    ("pass", "{}"),
    ("a.append(3)", "a.push(3)"),
    ("d.items()", "d.iter()"),
    ("s.strip()", "s.trim()"),
    ("s.upper()", "s.to_uppercase()"),
    ("s.lower()", "s.to_lowercase()"),
    ("s.startswith(t)", "s.starts_with(t)"),
    ("s.endswith(t)", "s.ends_with(t)"),
    ("x.item()", "f64::try_from(&x)?"),
    ("x.mean()", "x.mean(Kind::Float)"),
    ("x.float()", "x.to_kind(Kind::Float)"),
    ("x.long()", "x.to_kind(Kind::Int64)"),
    ("net.eval()", "nn::ModuleT::forward_t(&net, &input, false)"),
    ("net.train()", "nn::ModuleT::forward_t(&net, &input, true)"),
    ("torch.save(net.state_dict(), path)", "checkpoint::save(&vs, path)?"),
    ("x.cpu()", "x.to_device(Device::Cpu)"),
    ("x.cuda()", "x.to_device(Device::cuda_if_available())"),
];

/// Python's types, and Rust's.
// Not translated: code.
const TYPES: [(&str, &str); 7] = [
    ("int", "i64"),
    ("float", "f64"),
    ("list", "Vec<f64>"),
    ("dict", "std::collections::HashMap<String, f64>"),
    ("set", "std::collections::HashSet<i64>"),
    ("tuple", "(i64, f64)"),
    ("None", "Option<i64>"),
];

/// Modules of Python's that hold functions and classes.
const MODULES: [&str; 7] = ["torch", "nn", "F", "optim", "dist", "np", "numpy"];

/// Types that nobody calls and takes for a net.
const NO_NETS: [&str; 2] = ["String", "Tensor"];

/// Longer examples than this explain a single name no more, in bytes.
const LONGEST: usize = 80;

/// The table of Python and Rust.
pub struct Python {
    table: PathBuf,
    rows: OnceLock<Vec<Row>>,
}

/// An expression in both languages.
type Row = (String, String);

impl Python {
    /// The table in the file `table`, which is read when it is first needed.
    pub fn new(table: PathBuf) -> Python {
        Python { table, rows: OnceLock::new() }
    }

    /// What Rust has for the name of Python's that `error` is about, if it is about one. `code` is the cell,
    /// and `place` where it stands there, in bytes.
    pub fn help(&self, error: &CompilationError, code: &str, place: usize) -> Option<String> {
        self.row(&error.message(), error.code()?, code.get(place..)?)
            .map(|(python, rust)| format!("Python's `{python}` is `{rust}` in Rust"))
    }

    /// The row that explains `message`, which rustc has numbered `number`. `rest` is the cell from the place
    /// of the error on.
    fn row(&self, message: &str, number: &str, rest: &str) -> Option<Row> {
        let name = message.split('`').nth(1).unwrap_or_default();
        let written = rest.split(|it: char| !is_in_name(it)).next().unwrap_or_default();
        match number {
            "E0412" | "E0425" if message.starts_with("cannot find type") => {
                of(&TYPES, |python| python == name)
            }
            "E0423" | "E0425" | "E0433" => match rest.strip_prefix(name).and_then(member) {
                // `torch.rand(3)`, as Python or with Rust's path.
                Some(member) if MODULES.contains(&name) => {
                    self.shortest(&format!("{name}.{member}"))
                }
                Some(_) => None,
                None if rest[written.len()..].starts_with('(') => {
                    of(&EXAMPLES, |python| python.starts_with(&format!("{written}(")))
                }
                None => of(&EXAMPLES, |python| python == name),
            },
            "E0599" | "E0609" | "E0610" => {
                self.shortest(&format!(".{name}(")).or_else(|| self.shortest(&format!(".{name}")))
            }
            "E0061" => self.call(written, rest),
            "E0608" if message.ends_with("Tensor`") => self.exactly("x[0]"),
            "E0614" if rest.trim_start().starts_with('*') => self.exactly("a ** 2"),
            "E0618" if is_struct(name) => self.exactly("net(input)"),
            _ => None,
        }
    }

    /// The shortest row of which Python's side has `part`, a name with what is before it, or a call of it.
    fn shortest(&self, part: &str) -> Option<Row> {
        let is_end = |it: Option<char>| it.is_none_or(|it| !is_in_name(it));
        let has = |row: &&Row| {
            let is_whole = |at: usize| {
                let starts = part.starts_with('.') || is_end(row.0[..at].chars().next_back());
                let after = row.0[at + part.len()..].chars().next();
                starts && (part.ends_with('(') || is_end(after))
            };
            row.0.match_indices(part).any(|(at, _)| is_whole(at))
        };
        self.rows().iter().filter(has).min_by_key(|row| row.0.len()).cloned()
    }

    /// The row with a call of the method `name` that has as many arguments as the one at the beginning of
    /// `rest`, or as few as there are.
    fn call(&self, name: &str, rest: &str) -> Option<Row> {
        let call = format!(".{name}(");
        let wanted = arguments(rest);
        let calls = self.rows().iter().filter(|row| row.0.contains(&call));
        let differs = |row: &&Row| {
            let at = row.0.find(&call).map_or(0, |at| at + 1);
            (arguments(&row.0[at..]).abs_diff(wanted), row.0.len())
        };
        calls.min_by_key(differs).cloned()
    }

    fn exactly(&self, python: &str) -> Option<Row> {
        self.rows().iter().find(|row| row.0 == python).cloned()
    }

    fn rows(&self) -> &[Row] {
        self.rows.get_or_init(|| {
            let table = fs::read_to_string(&self.table).unwrap_or_default();
            let own = EXAMPLES.map(|(python, rust)| (python.to_owned(), rust.to_owned()));
            let tells = |(python, rust): &Row| {
                python.len() <= LONGEST
                    && !python.contains("; ")
                    && python != rust.trim_end_matches(';')
            };
            own.into_iter().chain(table.lines().filter_map(row_of)).filter(tells).collect()
        })
    }
}

/// The line of a table with code in both languages.
fn row_of(line: &str) -> Option<Row> {
    let cells = line.strip_prefix("| `")?.strip_suffix("` |")?;
    let (python, rust) = cells.split_once("` | `")?;
    Some((python.replace("\\|", "|"), rust.replace("\\|", "|")))
}

/// The first row of a table whose Python's side `is` the one.
fn of(table: &[(&str, &str)], is: impl Fn(&str) -> bool) -> Option<Row> {
    let (python, rust) = table.iter().find(|(python, _)| is(python))?;
    Some(((*python).to_owned(), (*rust).to_owned()))
}

/// Whether a type that is called can be a net: a struct of somebody's.
fn is_struct(name: &str) -> bool {
    let name = name.rsplit("::").next().unwrap_or(name);
    name.starts_with(char::is_uppercase) && name.chars().all(is_in_name) && !NO_NETS.contains(&name)
}

fn is_in_name(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

/// The name behind a `.` or `::` at the beginning of `rest`.
fn member(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix("::").or_else(|| rest.strip_prefix('.'))?;
    rest.split(|it: char| !is_in_name(it)).next().filter(|name| !name.is_empty())
}

/// How many arguments the first call in `text` has.
fn arguments(text: &str) -> usize {
    let Some((_, inside)) = text.split_once('(') else { return 0 };
    let (mut depth, mut commas, mut is_empty) = (0_usize, 0, true);
    for character in inside.chars() {
        match character {
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            '(' | '[' | '{' => depth += 1,
            ',' if depth == 0 => commas += 1,
            _ => {}
        }
        is_empty &= character.is_whitespace();
    }
    if is_empty { 0 } else { commas + 1 }
}

#[cfg(test)]
mod tests;
