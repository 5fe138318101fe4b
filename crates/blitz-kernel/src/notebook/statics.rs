//! One place in memory for each static of a notebook.
//!
//! Every cell is a library of its own, and with the functions it would get statics of its own. So
//! each static is compiled once, into a library that is loaded for good, under a name made of what
//! it is; cells only declare it. A static whose text stays the same keeps its place, also when the
//! function around or beside it changes.

pub mod macros;

use crate::notebook::definition::{Definition, Kind};
use crate::notebook::store::Store;
use crate::syntax;
use blitz_toolchain::notebook::words;
use ra_ap_syntax::ast::{self, HasAttrs, HasModuleItem, HasName, HasVisibility};
use ra_ap_syntax::{AstNode, Edition, SourceFile, TextRange};
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// A static in a definition's source.
pub struct Static {
    /// The symbol of its place.
    pub symbol: String,
    /// Where it stands.
    pub range: TextRange,
    /// With `export_name`, for the library that has it.
    pub real: String,
    /// For all others.
    pub declared: String,
}

/// What has to have a place for `definition`: the symbols of its statics, and of those that the
/// notebook's macros make in it.
pub fn symbols(store: &Store, definition: &Definition) -> Vec<String> {
    let own = statics(store, definition).into_iter().map(|it| it.symbol);
    own.chain(macros::symbols(store, definition)).collect()
}

/// The source of `definition` with each static declared, but for those in `real`, which it makes, and
/// those in `own`, which stay as they are. No line moves.
pub fn placed(
    store: &Store,
    definition: &Definition,
    real: &HashSet<String>,
    own: &HashSet<String>,
) -> String {
    let mut statics = statics(store, definition);
    if definition.kind == Kind::Macro {
        statics = macros::statics(definition);
        // A macro's statics have the name of what it is called with behind their own.
        for found in &mut statics {
            if real.iter().any(|it| it.starts_with(&found.symbol)) {
                found.declared.clone_from(&found.real);
            }
        }
    }
    let mut source = definition.source.clone();
    statics.sort_by_key(|it| std::cmp::Reverse(it.range.start()));
    let is_own = |it: &Static| own.iter().any(|own| own.starts_with(&it.symbol));
    for found in statics.into_iter().filter(|it| !is_own(it)) {
        let range = usize::from(found.range.start())..usize::from(found.range.end());
        let text = if real.contains(&found.symbol) { &found.real } else { &found.declared };
        let lines = |text: &str| text.matches('\n').count();
        let missing = lines(&source[range.clone()]).saturating_sub(lines(text));
        source.replace_range(range, &format!("{text}{}", "\n".repeat(missing)));
    }
    source
}

fn statics(store: &Store, definition: &Definition) -> Vec<Static> {
    let has = |word: &str| definition.words.contains(word);
    if definition.kind == Kind::Macro || !(has("static") || has("thread_local")) {
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
    if ["no_mangle", "export_name", "thread_local"]
        .iter()
        .any(|name| item.attrs().any(|it| it.syntax().text().to_string().contains(name)))
    {
        return None;
    }
    let (name, kind) = (item.name()?, item.ty()?);
    let symbol = symbol(store, definition, &text, others);
    let visibility =
        item.visibility().map(|it| format!("{} ", it.syntax().text())).unwrap_or_default();
    let qualifier = if item.mut_token().is_some() { "static mut" } else { "safe static" };
    let kind = with_lifetimes(&kind);
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
        let kind = with_lifetimes(&kind);
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

/// The type of a static with the lifetimes that a declaration has to name.
fn with_lifetimes(kind: &ast::Type) -> String {
    let text = kind.syntax().text().to_string();
    let start = kind.syntax().text_range().start();
    // References in a function's type are about its calls.
    let is_of_call = |it: &ast::RefType| {
        it.syntax().ancestors().any(|it| {
            ast::FnPtrType::can_cast(it.kind()) || ast::ParenthesizedArgList::can_cast(it.kind())
        })
    };
    let references = kind.syntax().descendants().filter_map(ast::RefType::cast);
    let bare = references.filter(|it| it.lifetime().is_none() && !is_of_call(it));
    let ends = bare.filter_map(|it| Some(usize::from(it.amp_token()?.text_range().end() - start)));
    let mut ends: Vec<usize> = ends.collect();
    ends.sort_unstable();
    let mut text = text;
    for end in ends.into_iter().rev() {
        text.insert_str(end, "'static ");
    }
    syntax::one_line(&text)
}
