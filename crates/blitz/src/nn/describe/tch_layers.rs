//! The lines of tch's own layers, read off their derived debug forms.

use super::debug_tree::Value;

/// PyTorch's line for the layer of tch that `value`, a struct `name`, is; `None` for other
/// structs, and for layers that this module does not know.
pub(super) fn line(name: &str, value: &Value) -> Option<String> {
    match name {
        "Conv" => convolution("Conv", value),
        "ConvTransposeND" => convolution("ConvTranspose", value),
        "Linear" => {
            let &[out_features, in_features] = shape(value.field("ws")?)?.as_slice() else {
                return None;
            };
            let bias = python(is_tensor(value.field("bs")?));
            Some(format!(
                "Linear(in_features={in_features}, out_features={out_features}, bias={bias})"
            ))
        }
        "BatchNorm" => batch_norm(value),
        "LayerNorm" => {
            let config = value.field("config")?;
            let shape = tuple(&integers(value.field("normalized_shape")?)?);
            let affine = truth(config.field("elementwise_affine")?)?;
            Some(format!("LayerNorm({shape}, eps={}, elementwise_affine={affine})", eps(config)?))
        }
        "GroupNorm" => {
            let config = value.field("config")?;
            let [groups, channels] = ["num_groups", "num_channels"].map(|name| value.field(name));
            let (groups, channels) = (groups?.atom()?, channels?.atom()?);
            let affine = truth(config.field("affine")?)?;
            Some(format!("GroupNorm({groups}, {channels}, eps={}, affine={affine})", eps(config)?))
        }
        _ => None,
    }
}

/// `Conv2d(...)` and its like; PyTorch shows only what differs from the defaults.
fn convolution(name: &str, value: &Value) -> Option<String> {
    let config = value.field("config")?;
    let list = |name: &str| integers(config.field(name)?);
    let groups: i64 = config.field("groups")?.atom()?.parse().ok()?;
    let shape = shape(value.field("ws")?)?;
    let (&[first, second], kernel_size) = shape.split_first_chunk()?;
    let (in_channels, out_channels) = match name {
        "Conv" => (second * groups, first),
        _ => (first, second * groups),
    };
    let stride = list("stride")?;
    let mut text = format!("{name}{}d({in_channels}, {out_channels}", stride.len());
    text += &format!(", kernel_size={}, stride={}", tuple(kernel_size), tuple(&stride));
    let mut append = |name: &str, value: &[i64], usual: i64| {
        if value.iter().any(|side| *side != usual) {
            text += &format!(", {name}={}", tuple(value));
        }
    };
    append("padding", &list("padding")?, 0);
    append("dilation", &list("dilation")?, 1);
    if let Some(output_padding) = list("output_padding") {
        append("output_padding", &output_padding, 0);
    }
    if groups != 1 {
        text += &format!(", groups={groups}");
    }
    if !is_tensor(value.field("bs")?) {
        text += ", bias=False";
    }
    match config.field("padding_mode").and_then(Value::atom) {
        None | Some("Zeros") => {}
        Some(mode) => text += &format!(", padding_mode={}", mode.to_lowercase()),
    }
    Some(text + ")")
}

fn batch_norm(value: &Value) -> Option<String> {
    let config = value.field("config")?;
    let features = shape(value.field("running_mean")?)?;
    let [features] = features.as_slice() else { return None };
    let dimensions = value.field("nd")?.atom()?;
    let momentum = number(config.field("momentum")?)?;
    let affine = truth(config.field("affine")?)?;
    let eps = eps(config)?;
    Some(format!(
        "BatchNorm{dimensions}d({features}, eps={eps}, momentum={momentum}, affine={affine}, \
         track_running_stats=True)"
    ))
}

/// `Tensor[[6, 1, 5, 5], Float]`, or the numbers themselves of a tensor with few.
fn shape(tensor: &Value) -> Option<Vec<i64>> {
    let text = tensor.atom()?;
    let Some(text) = text.strip_prefix("Tensor[[") else {
        let numbers = text.strip_prefix('[')?.strip_suffix(']')?;
        return Some(vec![numbers.split(',').count() as i64]);
    };
    let (sizes, _) = text.split_once(']')?;
    sizes.split(", ").map(|size| size.parse().ok()).collect()
}

fn integers(list: &Value) -> Option<Vec<i64>> {
    let Value::Group { items, .. } = list else { return None };
    items.iter().map(|(_, item)| item.atom()?.parse().ok()).collect()
}

fn eps(config: &Value) -> Option<String> {
    number(config.field("eps")?)
}

/// A number as Python writes it: an exponent has two digits.
fn number(value: &Value) -> Option<String> {
    let text = value.atom()?;
    let Some((mantissa, exponent)) = text.split_once('e') else { return Some(text.to_owned()) };
    let exponent: i32 = exponent.parse().ok()?;
    let sign = if exponent < 0 { '-' } else { '+' };
    Some(format!("{mantissa}e{sign}{:02}", exponent.abs()))
}

fn truth(value: &Value) -> Option<&'static str> {
    Some(python(value.atom()? == "true"))
}

fn python(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// `(5, 5)`; Python writes a tuple of one with a comma.
fn tuple(values: &[i64]) -> String {
    match values {
        [value] => format!("({value},)"),
        _ => format!("({})", values.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// tch prints the shape of a tensor, or the numbers of a short one, in one line; a list of another
/// kind has a line for each.
pub(super) fn is_tensor(value: &Value) -> bool {
    match value {
        Value::Atom(text) => text.starts_with("Tensor[") || (text.starts_with('[') && text != "[]"),
        Value::Group { name, items, .. } => {
            ["Some", ""].contains(&name.as_str()) && items.iter().any(|(_, item)| is_tensor(item))
        }
    }
}
