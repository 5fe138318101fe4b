//! One picture out of many: `torchvision.utils.make_grid`.

use half::bf16;
use tch::{Kind, TchError, Tensor};

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
        /// Value that becomes 0, finite.
        low: f64,
        /// Value that becomes 1, finite.
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
    /// Value of those pixels: one that the pictures' kind has.
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
/// floating-point; [`Error::Option`] for `nrow` below 1, negative `padding`, a range without extent,
/// and a `pad_value` that the pictures' kind does not have, such as 300, -1, 0.5 or NaN for bytes;
/// [`Error::Torch`] where there is no memory for the grid.
pub fn make_grid(images: &Tensor, options: &GridOptions) -> Result<Tensor> {
    check(images, options)?;
    lay_out(images, options).map_err(Error::torch("make_grid"))
}

/// [`make_grid`] of what `check` has let pass.
fn lay_out(images: &Tensor, options: &GridOptions) -> Result<Tensor, TchError> {
    let images = scaled(images, options.scaling)?;
    // [N, 1, H, W] -> [N, 3, H, W]
    let images = if images.size()[1] == 1 { images.f_repeat([1, 3, 1, 1])? } else { images };
    let (count, channels, height, width) = images.size4()?;
    if count == 1 {
        // [1, C, H, W] -> [C, H, W]
        let image = images.f_squeeze_dim(0)?;
        let mut grid = image.f_zeros_like()?;
        grid.f_copy_(&image)?;
        return Ok(grid);
    }
    let columns = options.nrow.min(count);
    let rows = (count + columns - 1) / columns;
    let padding = options.padding;
    let (height_step, width_step) = (height + padding, width + padding);
    let size = [channels, height_step * rows + padding, width_step * columns + padding];
    // Two steps, since tch's `full` panics where there is no memory.
    let mut grid = Tensor::f_zeros(size, (images.kind(), images.device()))?;
    let _ = grid.f_fill_(options.pad_value)?;
    for index in 0..count {
        let (row, column) = (index / columns, index % columns);
        let window = grid.f_narrow(1, row * height_step + padding, height)?;
        let mut window = window.f_narrow(2, column * width_step + padding, width)?;
        window.f_copy_(&images.f_get(index)?)?;
    }
    Ok(grid)
}

fn check(images: &Tensor, options: &GridOptions) -> Result<()> {
    let shape = |expected: &str, got: String| {
        Err(Error::Shape { operation: "make_grid", expected: expected.to_owned(), got })
    };
    const EXPECTED: &str = "at least one picture, in shape [N, C, H, W]";
    if !images.defined() {
        return shape(EXPECTED, "an undefined tensor".to_owned());
    }
    let size = images.size();
    if size.len() != 4 || size.contains(&0) {
        return shape(EXPECTED, format!("{size:?}"));
    }
    if options.scaling != Scaling::Keep && !is_float(images.kind()) {
        return shape("floating-point pictures to scale", format!("kind {:?}", images.kind()));
    }
    if let Scaling::Range { low, high } = options.scaling
        && !(low < high
            && [low, high].iter().all(|end| end.is_finite() && has(images.kind(), *end)))
    {
        let expected = "two finite values of the pictures' kind, the smaller one first".to_owned();
        let got = format!("{low} and {high}");
        return Err(Error::option("scaling", expected, got));
    }
    if options.nrow < 1 {
        return Err(Error::option("nrow", "at least 1", options.nrow));
    }
    if options.padding < 0 {
        return Err(Error::option("padding", "at least 0", options.padding));
    }
    // A side of the largest grid, one row or one column; its area must be a number.
    let side = (size[2].max(size[3]) as f64 + options.padding as f64) * (size[0] + 1) as f64;
    if side * side * size[1].max(3) as f64 > i64::MAX as f64 / 16.0 {
        return Err(Error::option("padding", "small enough for a grid in memory", options.padding));
    }
    if !has(images.kind(), options.pad_value) {
        return Err(Error::option(
            "pad_value",
            format!("a value of the pictures' kind, {:?}", images.kind()),
            options.pad_value,
        ));
    }
    Ok(())
}

/// Whether `kind` has the value, floating-point kinds one near it. libtorch refuses what is out of
/// range, upon which tch panics, and takes 255 for -1 and 0 for 0.5 in bytes.
fn has(kind: Kind, value: f64) -> bool {
    let whole = |least: f64, most: f64| value.fract() == 0.0 && (least..=most).contains(&value);
    let float = |most: f64| !value.is_finite() || value.abs() <= most;
    match kind {
        Kind::Bool => whole(0.0, 1.0),
        Kind::Uint8 => whole(0.0, 255.0),
        Kind::Int8 => whole(-128.0, 127.0),
        Kind::Int16 => whole(i16::MIN.into(), i16::MAX.into()),
        Kind::Int => whole(i32::MIN.into(), i32::MAX.into()),
        // 2^63 is the first f64 that is too large.
        Kind::Int64 => whole(i64::MIN as f64, i64::MAX as f64) && value < i64::MAX as f64,
        Kind::Half | Kind::ComplexHalf => float(65_504.0),
        Kind::BFloat16 => float(bf16::MAX.into()),
        Kind::Float | Kind::ComplexFloat => float(f32::MAX.into()),
        Kind::Double | Kind::ComplexDouble => true,
        _ => false, // quantised: whole numbers that stand for others
    }
}

fn scaled(images: &Tensor, scaling: Scaling) -> Result<Tensor, TchError> {
    // torchvision's guard against pictures of one value.
    const LEAST_RANGE: f64 = 1e-5;
    let (low, high) = match scaling {
        Scaling::Keep => return Ok(images.shallow_clone()),
        Scaling::MinMax => {
            (images.f_min()?.f_double_value(&[])?, images.f_max()?.f_double_value(&[])?)
        }
        Scaling::MinMaxEach => {
            let (low, high) = (images.f_amin([1, 2, 3], true)?, images.f_amax([1, 2, 3], true)?);
            let range = high.f_sub(&low)?.f_clamp_min(LEAST_RANGE)?;
            return images.f_sub(&low)?.f_div(&range);
        }
        Scaling::Range { low, high } => (low, high),
    };
    let shifted = images.f_clamp(low, high)?.f_sub_scalar(low)?;
    shifted.f_div_scalar((high - low).max(LEAST_RANGE))
}

fn is_float(kind: Kind) -> bool {
    matches!(kind, Kind::Half | Kind::BFloat16 | Kind::Float | Kind::Double)
}
