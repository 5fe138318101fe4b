//! Where elements lie, counted in elements from the first one on.

/// How many elements lie between the first and the last, both included; 0 where there are none.
pub(super) fn extent(shape: &[usize], strides: &[usize]) -> usize {
    if shape.contains(&0) {
        return 0;
    }
    1 + shape.iter().zip(strides).map(|(length, stride)| (length - 1) * stride).sum::<usize>()
}

/// Whether two elements may lie at the same place. Says so of some odd strides that only nearly
/// meet, as `ndarray` does.
pub(super) fn may_overlap(shape: &[usize], strides: &[usize]) -> bool {
    if shape.contains(&0) {
        return false;
    }
    let dims = shape.iter().copied().zip(strides.iter().copied());
    let mut dims: Vec<(usize, usize)> = dims.filter(|&(length, _)| length > 1).collect();
    dims.sort_unstable_by_key(|&(_, stride)| stride);
    let mut reached = 0;
    dims.into_iter().any(|(length, stride)| {
        let overlaps = stride <= reached;
        reached += (length - 1) * stride;
        overlaps
    })
}

/// The strides of an array in libtorch's numbers, or `None` where one is negative. Strides that are
/// never taken, along dimensions of length 1 or in an empty array, say nothing.
pub(super) fn of_array(shape: &[usize], strides: &[isize]) -> Option<Vec<usize>> {
    let is_empty = shape.contains(&0);
    let stride = |(&length, &stride): (&usize, &isize)| match is_empty || length == 1 {
        true => Some(1),
        false => usize::try_from(stride).ok(),
    };
    shape.iter().zip(strides).map(stride).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_is_found() {
        assert!(!may_overlap(&[2, 3], &[3, 1]) && !may_overlap(&[3, 2], &[1, 3]));
        assert!(!may_overlap(&[2, 3], &[8, 2]) && !may_overlap(&[1, 3], &[0, 1]));
        assert!(!may_overlap(&[], &[]) && !may_overlap(&[0, 3], &[0, 0]));
        assert!(may_overlap(&[2, 3], &[0, 1]) && may_overlap(&[3, 3], &[1, 1]));
        assert!(may_overlap(&[2, 3], &[2, 1]));
    }

    #[test]
    fn the_extent_counts_gaps() {
        assert_eq!(extent(&[2, 3], &[3, 1]), 6);
        assert_eq!(extent(&[2, 3], &[10, 2]), 15);
        assert_eq!((extent(&[], &[]), extent(&[0, 3], &[3, 1])), (1, 0));
    }

    #[test]
    fn only_strides_that_are_taken_count() {
        assert_eq!(of_array(&[2, 1], &[1, -5]), Some(vec![1, 1]));
        assert_eq!(of_array(&[0, 2], &[-1, -1]), Some(vec![1, 1]));
        assert_eq!(of_array(&[3], &[-1]), None);
    }
}
