//! One place in memory for each static of a notebook.
//!
//! Every cell is a library of its own, and with the functions it would get statics of its own. So
//! each static is compiled once, into a library that is loaded for good, under a name made of what
//! it is; cells only declare it. A static whose text stays the same keeps its place, also when the
//! function around or beside it changes.

use crate::notebook::definition::Definition;
use crate::notebook::store::Store;
use crate::syntax;
use blitz_toolchain::notebook::words;
use ra_ap_syntax::ast::{self, HasAttrs, HasModuleItem, HasName, HasVisibility};
use ra_ap_syntax::{AstNode, Edition, SourceFile, TextRange};
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// A static in a definition's source.
struct Static {
    /// The symbol of its place.
    symbol: String,
    range: TextRange,
    /// With `export_name`, for the library that has it.
    real: String,
    /// For all others.
    declared: String,
}

/// The symbols of the statics in `definition`.
pub fn symbols(store: &Store, definition: &Definition) -> Vec<String> {
    statics(store, definition).into_iter().map(|it| it.symbol).collect()
}

/// The source of `definition` with each static declared, but for those in `real`, which it makes.
/// No line moves.
pub fn placed(store: &Store, definition: &Definition, real: &HashSet<String>) -> String {
    let mut source = definition.source.clone();
    let mut statics = statics(store, definition);
    statics.sort_by_key(|it| std::cmp::Reverse(it.range.start()));
    for found in statics {
        let range = usize::from(found.range.start())..usize::from(found.range.end());
        let text = if real.contains(&found.symbol) { &found.real } else { &found.declared };
        let lines = |text: &str| text.matches('\n').count();
        let missing = lines(&source[range.clone()]).saturating_sub(lines(text));
        source.replace_range(range, &format!("{text}{}", "\n".repeat(missing)));
    }
    source
}

fn statics(store: &Store, definition: &Definition) -> Vec<Static> {
    if !definition.words.contains("static") && !definition.words.contains("thread_local") {
        return Vec::new();
    }
    let file = SourceFile::parse(&definition.source, Edition::Edition2024).tree();
    let mut found: Vec<Static> = Vec::new();
    for node in file.syntax().descendants() {
        let is_foreign = node.ancestors().any(|it| ast::ExternItemList::can_cast(it.kind()));
        if let Some(item) = ast::Static::cast(node.clone())
            && !is_foreign
        {
            found.extend(of_static(store, definition, &item, &found));
        } else if let Some(call) = ast::MacroCall::cast(node.clone()) {
            found.extend(of_thread_local(store, definition, &call, &found));
        }
    }
    found
}

/// A symbol for the static with this text, in this definition.
fn symbol(store: &Store, definition: &Definition, text: &str, others: &[Static]) -> String {
    let owner = if definition.keys.is_empty() { &definition.source } else { &definition.keys[0] };
    let text = syntax::normalized(text);
    for count in 0.. {
        let mut hasher = DefaultHasher::new();
        (owner, &text, store.fingerprint(words(&text)), count).hash(&mut hasher);
        let symbol = format!("blitz_static_{:016x}", hasher.finish());
        if !others.iter().any(|it| it.symbol == symbol) {
            return symbol;
        }
    }
    unreachable!("a definition has fewer statics than there are numbers")
}

fn of_static(
    store: &Store,
    definition: &Definition,
    item: &ast::Static,
    others: &[Static],
) -> Option<Static> {
    let text = item.syntax().text().to_string();
    if ["no_mangle", "export_name", "thread_local"].iter().any(|name| {
        item.attrs().any(|it| it.syntax().text().to_string().contains(name))
    }) {
        return None;
    }
    let (name, kind) = (item.name()?, item.ty()?);
    let symbol = symbol(store, definition, &text, others);
    let visibility = item.visibility().map(|it| format!("{} ", it.syntax().text())).unwrap_or_default();
    let qualifier = if item.mut_token().is_some() { "static mut" } else { "safe static" };
    let kind = syntax::one_line(&kind.syntax().text().to_string());
    let declared = format!(
        "unsafe extern \"Rust\" {{ #[link_name = \"{symbol}\"] {visibility}{qualifier} {name}: {kind}; }}"
    );
    let real = format!("#[unsafe(export_name = \"{symbol}\")] {text}");
    Some(Static { symbol, range: item.syntax().text_range(), real, declared })
}

/// The statics of a `thread_local!`, whose key is a constant: that is kept in a static.
fn of_thread_local(
    store: &Store,
    definition: &Definition,
    call: &ast::MacroCall,
    others: &[Static],
) -> Option<Static> {
    if call.path()?.segment()?.name_ref()?.text() != "thread_local" {
        return None;
    }
    let tree = call.token_tree()?.syntax().text().to_string();
    let inner = tree.get(1..tree.len() - 1)?;
    let file = SourceFile::parse(inner, Edition::Edition2024).tree();
    let text = call.syntax().text().to_string();
    let symbol = symbol(store, definition, &text, others);
    let mut declared = String::new();
    let mut keys = String::new();
    for (count, item) in file.items().enumerate() {
        let ast::Item::Static(item) = item else { return None };
        let (name, kind) = (item.name()?, item.ty()?);
        let kind = syntax::one_line(&kind.syntax().text().to_string());
        let visibility =
            item.visibility().map(|it| format!("{} ", it.syntax().text())).unwrap_or_default();
        declared.push_str(&format!(
            "#[link_name = \"{symbol}_{count}\"] {visibility}safe static {name}: \
             ::std::thread::LocalKey<{kind}>; "
        ));
        keys.push_str(&format!(
            " #[unsafe(export_name = \"{symbol}_{count}\")] static BLITZ_KEY_{name}: \
             ::std::thread::LocalKey<{kind}> = {name};"
        ));
    }
    // With the semicolon that may follow, which ends the macro's statement.
    let end = if text.ends_with(['}', ';']) { "" } else { ";" };
    let real = format!("{text}{end}{keys}");
    let declared = format!("unsafe extern \"Rust\" {{ {declared}}}");
    let range = call.syntax().text_range();
    Some(Static { symbol, range, real, declared })
}
