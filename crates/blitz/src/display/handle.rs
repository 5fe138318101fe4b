//! An output that can be replaced.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use super::frontend::{self, Frontend};
use super::{Bundle, Output, Show};

/// Shows `value` now; the handle replaces it later, in the same place.
///
/// ```no_run
/// use blitz::display::{self, Markdown};
///
/// let mut status = display::show_updatable(Markdown("*waiting*"));
/// status.update(Markdown("**done**"));
/// ```
pub fn show_updatable(value: impl Show) -> Handle {
    Handle::on(Output::standard(), &value.bundle())
}

/// An output on the screen. It stays there when the handle is dropped, and a handle that is kept
/// in a variable updates it from later cells too.
///
/// In a stock evcxr kernel an update replaces what the running cell shows. A plain program prints
/// the first value, and when the handle is dropped the last one.
#[must_use = "the handle is what updates the output; use display::show where none is needed"]
pub struct Handle {
    place: Place,
    /// What a plain program has still to print.
    unprinted: Option<Bundle>,
}

impl Handle {
    /// Replaces what is shown.
    pub fn update(&mut self, value: impl Show) {
        let bundle = value.bundle();
        match self.place.output.frontend() {
            Frontend::Blitz => self.place.draw(&bundle),
            // Its kernel keeps the last of what a cell prints.
            Frontend::Stock => self.place.output.show(&bundle),
            Frontend::Program => self.unprinted = Some(bundle),
        }
    }

    fn on(output: Output, bundle: &Bundle) -> Handle {
        let mut place = Place::new(output);
        match place.output.frontend() {
            Frontend::Blitz => place.draw(bundle),
            Frontend::Stock | Frontend::Program => place.output.show(bundle),
        }
        Handle { place, unprinted: None }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(bundle) = self.unprinted.take() {
            self.place.output.show(&bundle);
        }
    }
}

/// A place among the outputs of the Rust Blitz kernel, empty at first.
pub(crate) struct Place {
    pub(crate) output: Output,
    id: Option<String>,
}

impl Place {
    pub(crate) fn new(output: Output) -> Place {
        Place { output, id: None }
    }

    /// Fills the place, replacing what is there.
    pub(crate) fn draw(&mut self, bundle: &Bundle) {
        let command = match &self.id {
            Some(id) => frontend::update(id, bundle),
            None => frontend::display_as(self.id.insert(unique_id()), bundle),
        };
        self.output.write(&command);
    }
}

/// A name that no other output of this kernel has, nor one in the notebook from earlier kernels.
///
/// Every cell is a library with a copy of this crate, so a counter would start anew in each. The
/// random keys of the standard library differ from call to call and from thread to thread.
fn unique_id() -> String {
    let random = RandomState::new().build_hasher().finish();
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("blitz-{:x}-{time:x}-{random:016x}", std::process::id())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;
    use crate::display::Text;
    use crate::display::output::test::output;

    fn texts(frontend: Frontend) -> [String; 4] {
        let (output, memory) = output(frontend);
        let mut handle = Handle::on(output, &Text("first").bundle());
        let first = memory.take();
        handle.update(Text("second"));
        let second = memory.take();
        handle.update(Text("third"));
        let third = memory.take();
        drop(handle);
        [first, second, third, memory.take()]
    }

    #[test]
    fn the_kernel_is_told_to_replace_the_same_output() {
        let [first, second, third, rest] = texts(Frontend::Blitz);
        let value: serde_json::Value = serde_json::from_str(&first[7..]).unwrap();
        let id = value["display"]["id"].as_str().unwrap();
        assert_eq!(first, frontend::display_as(id, &Text("first").bundle()));
        assert_eq!(second, frontend::update(id, &Text("second").bundle()));
        assert_eq!(third, frontend::update(id, &Text("third").bundle()));
        assert_eq!(rest, "");
    }

    #[test]
    fn a_stock_kernel_keeps_the_last_block() {
        let blocks = |text| frontend::blocks(&Text(text).bundle());
        assert_eq!(
            texts(Frontend::Stock),
            [blocks("first"), blocks("second"), blocks("third"), String::new()]
        );
    }

    #[test]
    fn a_program_prints_the_first_and_the_last_value() {
        assert_eq!(texts(Frontend::Program), ["first\n", "", "", "third\n"]);
    }

    #[test]
    fn names_differ_from_call_to_call_and_thread_to_thread() {
        let threads: Vec<_> = (0..4)
            .map(|_| thread::spawn(|| (0..500).map(|_| unique_id()).collect::<Vec<_>>()))
            .collect();
        let names: HashSet<String> =
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(names.len(), 2_000);
    }
}
