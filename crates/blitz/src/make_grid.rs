//! One picture out of many: `torchvision.utils.make_grid`.

use std::cmp::Ordering;

use tch::{Kind, Tensor};

use crate::error::{Error, Result};

/// What happens to the values before the pictures are laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scaling {
    /// They stay as they are (`normalize=False`).
    Keep,
    /// The smallest becomes 0 and the largest 1, over all pictures (`normalize=True`).
    MinMax,
    /// The smallest becomes 0 and the largest 1, in each picture by itself (`scale_each=True`).
    MinMaxEach,
    /// `low` becomes 0 and `high` becomes 1; values outside are cut off (`value_range`).
    Range {
        /// Value that becomes 0.
        low: f64,
        /// Value that becomes 1.
        high: f64,
    },
}

/// How [`make_grid`] lays pictures out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GridOptions {
    /// Pictures per row (torchvision calls it so), at least 1.
    pub nrow: i64,
    /// Pixels around and between pictures, at least 0.
    pub padding: i64,
    /// Value of those pixels.
    pub pad_value: f64,
    /// Scaling of the values.
    pub scaling: Scaling,
}

impl Default for GridOptions {
    fn default() -> GridOptions {
        GridOptions { nrow: 8, padding: 2, pad_value: 0.0, scaling: Scaling::Keep }
    }
}

/// Lays `[N, C, H, W]` pictures out in rows and returns one `[C, H', W']` picture of the same kind
/// and device, as `torchvision.utils.make_grid` does.
///
/// One channel becomes three equal ones, and a single picture comes back without padding.
/// `images` is not modified.
///
/// # Errors
///
/// [`Error::Shape`] for another rank, for no picture at all, and for scaling values that are not
/// floating-point; [`Error::Option`] for `nrow` below 1, negative `padding`, and a range without extent.
pub fn make_grid(images: &Tensor, options: &GridOptions) -> Result<Tensor> {
    check(images, options)?;
    let images = scaled(images, options.scaling);
    // [N, 1, H, W] -> [N, 3, H, W]
    let images = if images.size()[1] == 1 { images.repeat([1, 3, 1, 1]) } else { images };
    let (count, channels, height, width) = images.size4().map_err(Error::torch("make_grid"))?;
    if count == 1 {
        // [1, C, H, W] -> [C, H, W]
        return Ok(images.squeeze_dim(0).copy());
    }
    let columns = options.nrow.min(count);
    let rows = (count + columns - 1) / columns;
    let padding = options.padding;
    let (height_step, width_step) = (height + padding, width + padding);
    let size = [channels, height_step * rows + padding, width_step * columns + padding];
    let grid = Tensor::full(size, options.pad_value, (images.kind(), images.device()));
    for index in 0..count {
        let (row, column) = (index / columns, index % columns);
        let window = grid.narrow(1, row * height_step + padding, height);
        let mut window = window.narrow(2, column * width_step + padding, width);
        window.copy_(&images.get(index));
    }
    Ok(grid)
}

fn check(images: &Tensor, options: &GridOptions) -> Result<()> {
    let shape = |expected: &str, got: String| {
        Err(Error::Shape { operation: "make_grid", expected: expected.to_owned(), got })
    };
    let option = |option, expected: &str, got: i64| {
        Err(Error::Option { option, expected: expected.to_owned(), got: got.to_string() })
    };
    let size = images.size();
    if size.len() != 4 || size[0] == 0 {
        return shape("at least one picture, in shape [N, C, H, W]", format!("{size:?}"));
    }
    if options.scaling != Scaling::Keep && !is_float(images.kind()) {
        return shape("floating-point pictures to scale", format!("kind {:?}", images.kind()));
    }
    if let Scaling::Range { low, high } = options.scaling
        && low.partial_cmp(&high) != Some(Ordering::Less)
    {
        let expected = "two values, the smaller one first".to_owned();
        let got = format!("{low} and {high}");
        return Err(Error::Option { option: "scaling", expected, got });
    }
    if options.nrow < 1 {
        return option("nrow", "at least 1", options.nrow);
    }
    if options.padding < 0 {
        return option("padding", "at least 0", options.padding);
    }
    Ok(())
}

fn scaled(images: &Tensor, scaling: Scaling) -> Tensor {
    // torchvision's guard against pictures of one value.
    const LEAST_RANGE: f64 = 1e-5;
    let (low, high) = match scaling {
        Scaling::Keep => return images.shallow_clone(),
        Scaling::MinMax => (images.min().double_value(&[]), images.max().double_value(&[])),
        Scaling::MinMaxEach => {
            let (low, high) = (images.amin([1, 2, 3], true), images.amax([1, 2, 3], true));
            return (images - &low) / (high - low).clamp_min(LEAST_RANGE);
        }
        Scaling::Range { low, high } => (low, high),
    };
    (images.clamp(low, high) - low) / (high - low).max(LEAST_RANGE)
}

fn is_float(kind: Kind) -> bool {
    matches!(kind, Kind::Half | Kind::BFloat16 | Kind::Float | Kind::Double)
}
