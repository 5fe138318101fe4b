//! What a cell defines at its top level, whether or not it compiles.

use crate::notebook::definition::{Definition, Kind, Origin};
use crate::session::persistence::bindings::bindings;
use crate::syntax;
use ra_ap_syntax::AstNode;
use ra_ap_syntax::ast;

/// What a cell would define. Of code that is no Rust, as much as the parser makes of it.
#[derive(Clone, Debug, Default)]
pub struct Defined {
    /// Functions, types, methods, macros, imports …
    pub definitions: Vec<Definition>,
    /// The variables that it binds.
    pub variables: Vec<String>,
}

impl Defined {
    /// What `code` would define.
    pub fn by(code: &str) -> Defined {
        if syntax::is_too_deep(code) {
            return Defined::default();
        }
        let items = syntax::parsed_items(code).into_iter();
        let items = items.filter(|it| !matches!(it, ast::Item::ExternCrate(_)));
        let definitions = items.filter(|it| it.syntax().first_token().is_some());
        let definitions =
            definitions.flat_map(|it| Definition::of_item(&it, &Origin::default(), 0));
        let variables = bindings(code).into_iter().map(|it| it.name);
        // A constant in a pattern.
        let variables = variables.filter(|name| name != "None");
        Defined { definitions: definitions.collect(), variables: variables.collect() }
    }

    /// The names by which other cells call what it defines. A method is called by its type.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let is_named = |it: &&Definition| {
            !matches!(it.kind, Kind::Impl | Kind::Use | Kind::MacroCall) && !it.names.is_empty()
        };
        let definitions = self.definitions.iter().filter(is_named).map(Definition::name);
        definitions.chain(self.variables.iter().cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(code: &str) -> Vec<String> {
        Defined::by(code).names().collect()
    }

    #[test]
    fn what_stands_at_the_top_level_counts() {
        let code = "let mut x = 1; let (a, Some(b)) = g() else { panic!() };\nfn f<T>() { let inner = 1; }\nmacro_rules! m { () => {} }\nstruct S { field: u8 }";
        assert_eq!(names(code), ["f", "m", "S", "x", "a", "b"]);
        assert_eq!(names("impl S { fn method(&self) {} }\nuse a::b;"), [""; 0]);
        assert_eq!(names("{ let inner = 1; }"), [""; 0]);
    }

    #[test]
    fn code_that_is_no_rust_defines_what_can_be_read() {
        assert_eq!(names("fn broken( { let"), ["broken"]);
        assert_eq!(names("fn f() -> i64 { 1 if true else 2 }"), ["f"]);
        assert_eq!(names("fn f() { g(1; }\nlet x = 1"), ["f", "x"]);
        assert_eq!(names("fn f() { 1 }}"), ["f"]);
        assert_eq!(names("struct Net { a i64 }"), ["Net"]);
        assert_eq!(names("fn"), [""; 0]);
    }
}
