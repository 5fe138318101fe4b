//! Where cells keep their variables: evcxr's module of the same purpose, compiled once instead of
//! with each cell. Names, behaviour and layout are evcxr's (`evcxr_internal_runtime.rs`), because a
//! cell that is compiled as evcxr wrote it works on the same store; what is generic there is split
//! here, so that a cell compiles next to nothing of it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

/// Precedes the name of a variable that was lost with its type.
pub const VARIABLE_CHANGED_TYPE: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
/// Says that an error left the cell.
pub const USER_ERROR_OCCURRED: &str = "EVCXR_ERROR_OCCURRED";

/// The variables of all cells.
pub struct VariableStore {
    variables: HashMap<String, Box<dyn Any + 'static>>,
}

/// An empty store that lives until the process ends.
pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::new(VariableStore::new()))
}

impl VariableStore {
    /// An empty store.
    #[allow(clippy::new_without_default)]
    pub fn new() -> VariableStore {
        VariableStore { variables: HashMap::new() }
    }

    /// Stores a variable.
    pub fn put_variable<T: 'static>(&mut self, name: &str, value: T) {
        self.put(name, Box::new(value));
    }

    /// Whether a variable has this type, if it is there. When it has another one, says so.
    pub fn check_variable<T: 'static>(&mut self, name: &str) -> bool {
        self.check(name, TypeId::of::<T>())
    }

    /// Takes a variable out of the store.
    pub fn take_variable<T: 'static>(&mut self, name: &str) -> T {
        match self.take(name).downcast() {
            Ok(value) => *value,
            Err(_) => changed(),
        }
    }

    /// Drops variables.
    pub fn forget(&mut self, names: &[&str]) {
        names.iter().for_each(|name| drop(self.variables.remove(*name)));
    }

    /// The value stored under `name`, made on first use.
    pub fn lazy_arc<T: 'static, F: FnOnce() -> T>(&mut self, name: &str, create: F) -> Arc<T> {
        let value = self.variables.entry(name.to_owned());
        match value.or_insert_with(|| Box::new(Arc::new(create()))).downcast_mut() {
            Some(value) => Arc::clone(value),
            None => panic!("lazy_arc {name} changed type"),
        }
    }

    /// Takes over all variables of `other`.
    pub fn merge(&mut self, mut other: VariableStore) {
        self.variables.extend(other.variables.drain());
    }

    #[inline(never)]
    fn put(&mut self, name: &str, value: Box<dyn Any>) {
        self.variables.insert(name.to_owned(), value);
    }

    #[inline(never)]
    fn check(&self, name: &str, wanted: TypeId) -> bool {
        let found = self.variables.get(name).map(|value| (**value).type_id());
        let is_lost = found.is_some_and(|found| found != wanted);
        if is_lost {
            eprintln!("The type of the variable {name} was redefined, so was lost.");
            println!("{VARIABLE_CHANGED_TYPE}{name}");
        }
        !is_lost
    }

    #[inline(never)]
    fn take(&mut self, name: &str) -> Box<dyn Any> {
        let value = self.variables.remove(name);
        value.unwrap_or_else(|| panic!("Variable '{name}' has gone missing"))
    }
}

#[inline(never)]
#[cold]
fn changed() -> ! {
    panic!("Variable changed type");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_comes_back_unless_its_type_has_changed() {
        // SAFETY: just made, and used by this test alone.
        let store = unsafe { &mut *create_variable_store() };
        store.put_variable("x", vec![1, 2]);
        assert!(store.check_variable::<Vec<i32>>("x"));
        assert!(!store.check_variable::<Vec<u8>>("x"));
        assert!(store.check_variable::<Vec<u8>>("not there"));
        let mut other = VariableStore::new();
        other.put_variable("y", 'y');
        store.merge(other);
        assert_eq!(store.take_variable::<Vec<i32>>("x"), [1, 2]);
        assert_eq!(store.take_variable::<char>("y"), 'y');
        store.put_variable("gone", 1);
        store.forget(&["gone", "never there"]);
        assert!(store.check_variable::<u8>("gone"), "it is not there");
        assert_eq!(*store.lazy_arc("z", || 5), 5);
        assert_eq!(*store.lazy_arc("z", || 6), 5);
    }
}
