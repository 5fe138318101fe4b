//! Names for types that are hidden in a private module: a public alias leads to them.

use ra_ap_syntax::ast::{self, HasGenericParams, HasModuleItem, HasName};
use ra_ap_syntax::{AstNode, Edition, SourceFile};

/// A type alias of the cells.
struct Alias {
    /// Its path from the crate's root.
    path: String,
    /// The last part of what it stands for.
    target: String,
}

/// `type_name` with the alias in `source` of a type in the place of that type's own path, where
/// there is one.
pub fn with_aliases(source: &str, type_name: &str) -> String {
    let mut written = type_name.to_owned();
    if !source.contains("type ") {
        return written;
    }
    let mut aliases = Vec::new();
    collect(SourceFile::parse(source, Edition::Edition2024).tree().items(), "", &mut aliases);
    for alias in &aliases {
        if let Some((start, end)) = path_to(&written, &alias.target) {
            written.replace_range(start..end, &alias.path);
        }
    }
    written
}

fn collect(items: impl Iterator<Item = ast::Item>, path: &str, aliases: &mut Vec<Alias>) {
    for item in items {
        match item {
            ast::Item::Module(module) => {
                let (Some(name), Some(list)) = (module.name(), module.item_list()) else {
                    continue;
                };
                collect(list.items(), &format!("{path}{}::", name.text()), aliases);
            }
            ast::Item::TypeAlias(alias) if alias.generic_param_list().is_none() => {
                let (Some(name), Some(target)) = (alias.name(), alias.ty()) else { continue };
                let target = target.syntax().text().to_string();
                // The path before it is written from where the alias stands.
                let end = target.find('<').unwrap_or(target.len());
                let start = target[..end].rfind("::").map_or(0, |at| at + 2);
                let target = target[start..].to_owned();
                aliases.push(Alias { path: format!("{path}{}", name.text()), target });
            }
            _ => {}
        }
    }
}

/// Where a path of several names, from the crate's root, ends with `target` in a type.
fn path_to(type_name: &str, target: &str) -> Option<(usize, usize)> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let found = type_name.find(&format!("::{target}"))?;
    let end = found + 2 + target.len();
    let start = type_name[..found].rfind(|c| !is_path(c)).map_or(0, |at| at + 1);
    let is_whole = !type_name[end..].starts_with(|c: char| is_path(c) || c == '<');
    (is_whole && !type_name[start..].starts_with("::")).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_type_has_the_name_of_its_alias() {
        let source = "mod shapes { mod hidden { pub struct Inner; pub struct Of<T>(T); }
            pub type Shape = hidden::Inner; pub type Many = hidden::Of<u8>; pub type Other = u8; }";
        let cases = [
            ("shapes::hidden::Inner", "shapes::Shape"),
            ("::std::vec::Vec<shapes::hidden::Inner>", "::std::vec::Vec<shapes::Shape>"),
            ("shapes::hidden::Of<u8>", "shapes::Many"),
            ("shapes::hidden::Of<i8>", "shapes::hidden::Of<i8>"),
            ("::other::hidden::Inner", "::other::hidden::Inner"),
            ("shapes::hidden::Inner2", "shapes::hidden::Inner2"),
        ];
        for (type_name, expected) in cases {
            assert_eq!(with_aliases(source, type_name), expected);
        }
    }
}
