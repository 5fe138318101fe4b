//! Lists and tuples: the first element that differs is named.

use std::fmt::Debug;

use super::compare::Compare;

/// Elements beyond which a list is not shown whole.
const SHOWN: usize = 12;

fn list_difference<G: Compare<E>, E: Debug>(got: &[G], expected: &[E]) -> Option<String> {
    // The precision is that of floating point numbers; other elements have none.
    let whole = match expected.len() {
        ..=SHOWN => format!(" of {expected:.6?}"),
        _ => String::new(),
    };
    if got.len() != expected.len() {
        let (got, expected) = (counted(got.len()), counted(expected.len()));
        return Some(format!("gave {got}, expected the {expected}{whole}"));
    }
    let mut pairs = got.iter().zip(expected).enumerate();
    pairs.find_map(|(index, (got, expected))| {
        let told = got.difference(expected)?;
        Some(at_index(&told, index, &whole))
    })
}

/// What was told of an element, and where it stands, in the first line: tensors are shown below it.
fn at_index(told: &str, index: usize, whole: &str) -> String {
    match told.split_once('\n') {
        None => format!("{told} at index {index}{whole}"),
        Some((told, rest)) => format!("{told}, at index {index}{whole}\n{rest}"),
    }
}

/// As [`at_index`] for a part of a tuple.
fn in_part(told: &str, part: usize) -> String {
    match told.split_once('\n') {
        None => format!("{told} in part {part} of the tuple"),
        Some((told, rest)) => format!("{told}, in part {part} of the tuple\n{rest}"),
    }
}

fn counted(length: usize) -> String {
    match length {
        1 => "1 value".to_owned(),
        _ => format!("{length} values"),
    }
}

impl<G: Compare<E>, E: Debug> Compare<[E]> for [G] {
    fn difference(&self, expected: &[E]) -> Option<String> {
        list_difference(self, expected)
    }
}

macro_rules! compare_lists {
    ($([$($generics:tt)*] $got:ty, $expected:ty;)*) => { $(
        impl<G: Compare<E>, E: Debug, $($generics)*> Compare<$expected> for $got {
            fn difference(&self, expected: &$expected) -> Option<String> {
                list_difference(self.as_ref(), expected.as_ref())
            }
        }
    )* };
}
compare_lists! {
    [const N: usize] [G], [E; N];
    [] [G], Vec<E>;
    [] [G], &[E];
    [const N: usize] Vec<G>, [E; N];
    [] Vec<G>, Vec<E>;
    [] Vec<G>, &[E];
    [const N: usize, const M: usize] [G; M], [E; N];
    [const M: usize] [G; M], Vec<E>;
    [const M: usize] [G; M], &[E];
}

macro_rules! compare_tuples {
    ($($($got:ident $expected:ident $index:tt),+;)*) => { $(
        impl<$($got: Compare<$expected>, $expected),+> Compare<($($expected,)+)> for ($($got,)+) {
            fn difference(&self, expected: &($($expected,)+)) -> Option<String> {
                $(
                    if let Some(told) = self.$index.difference(&expected.$index) {
                        return Some(in_part(&told, $index));
                    }
                )+
                None
            }
        }
    )* };
}
compare_tuples! {
    G0 E0 0, G1 E1 1;
    G0 E0 0, G1 E1 1, G2 E2 2;
    G0 E0 0, G1 E1 1, G2 E2 2, G3 E3 3;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Tensor;

    #[test]
    fn the_first_element_that_differs_is_named() {
        let size = vec![2i64, 3, 4];
        assert_eq!(size.difference(&[2, 3, 4]), None);
        let told = size.difference(&[2, 5, 6]).unwrap();
        assert_eq!(told, "gave 3, expected 5 at index 1 of [2, 5, 6]");
        let told = size.difference(&[2, 3]).unwrap();
        assert_eq!(told, "gave 3 values, expected the 2 values of [2, 3]");
        let told = vec![0i64; 20].difference(&vec![1i64; 20]).unwrap();
        assert_eq!(told, "gave 0, expected 1 at index 0");
        let told = vec![0.0, 0.5].difference(&[0.0, 1.0 / 3.0]).unwrap();
        assert_eq!(told, "gave 0.5, expected 0.3333333 at index 1 of [0.000000, 0.333333]");
        let names = vec!["a".to_owned()];
        assert_eq!(names.difference(&["a"]), None);
        assert_eq!(names.as_slice().difference(&["a"]), None);
    }

    #[test]
    fn tuples_are_compared_part_by_part() {
        assert_eq!((1i64, "a").difference(&(1, "a")), None);
        let told = (1i64, 2.0).difference(&(1, 3.0)).unwrap();
        assert_eq!(told, "gave 2, expected 3 in part 1 of the tuple");
        let (one, two) = (Tensor::from(1i64), Tensor::from(2i64));
        let told = (1i64, one).difference(&(1i64, two)).unwrap();
        assert!(told.lines().next().unwrap().ends_with(", in part 1 of the tuple"), "{told}");
    }
}
