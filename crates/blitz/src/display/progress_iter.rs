//! A progress bar around an iterator.

use super::{ProgressBar, ProgressOptions};

/// Goes through `items` under a [`ProgressBar`], as tqdm does in Python. The total is taken from
/// the iterator where it knows its length.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// for number in display::progress(0..1_000) {
///     // ... the work
/// }
/// ```
pub fn progress<I: IntoIterator>(items: I) -> ProgressIter<I::IntoIter> {
    progress_with(items, ProgressOptions::default())
}

/// As [`progress`], with a label, a unit and a refresh interval.
///
/// ```no_run
/// use blitz::prelude::*;
/// use blitz::display::ProgressOptions;
///
/// let cifar10 = Cifar10::load(&Cifar10Options::default())?;
/// let mut loader = DataLoader::new(&cifar10.test, LoaderOptions::default())?;
/// let options = ProgressOptions { unit: "batches".into(), ..Default::default() };
/// let mut batches = display::progress_with(&mut loader, options);
/// while let Some(batch) = batches.next() {
///     batches.message(format!("first label {}", batch.labels.int64_value(&[0])));
/// }
/// # Ok::<(), blitz::Error>(())
/// ```
pub fn progress_with<I: IntoIterator>(
    items: I,
    options: ProgressOptions,
) -> ProgressIter<I::IntoIter> {
    let items = items.into_iter();
    let total = match items.size_hint() {
        (least, Some(most)) if least == most => Some(least as u64),
        _ => None,
    };
    ProgressIter { items, bar: ProgressBar::with_options(total, options), working: false }
}

/// An iterator with a bar. An item counts as done when the next one is asked for.
///
/// `next` unwinds where the person asked to stop; see
/// [`crate::display::interrupt::Watch::unwind_if_requested`].
#[must_use = "iterators do nothing until they are asked for items"]
pub struct ProgressIter<I> {
    items: I,
    bar: ProgressBar,
    /// Whether an item is out, being worked on.
    working: bool,
}

impl<I> ProgressIter<I> {
    /// Sets the text at the end of the line, such as the running loss.
    pub fn message(&mut self, text: impl Into<String>) {
        self.bar.message(text);
    }
}

impl<I: Iterator> Iterator for ProgressIter<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        if std::mem::take(&mut self.working) {
            self.bar.count(1);
        }
        self.bar.watch().unwind_if_requested();
        let item = self.items.next();
        self.working = item.is_some();
        if item.is_none() {
            self.bar.end();
        }
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for ProgressIter<I> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_done_when_the_next_is_asked_for() {
        let mut items = progress(vec!['a', 'b', 'c']);
        assert_eq!((items.len(), items.bar.done()), (3, 0));
        assert_eq!((items.next(), items.bar.done()), (Some('a'), 0));
        assert_eq!((items.next(), items.bar.done()), (Some('b'), 1));
        assert_eq!(items.len(), 1);
        assert_eq!((items.next(), items.next()), (Some('c'), None));
        assert_eq!((items.bar.done(), items.next()), (3, None));
    }

    #[test]
    fn a_length_that_is_not_known_is_no_total() {
        let odd = |number: &i32| number % 2 == 1;
        let options = ProgressOptions { label: "odd".to_owned(), ..Default::default() };
        assert_eq!(progress_with((0..9).filter(odd), options).sum::<i32>(), 16);
    }
}
