//! The header of `.safetensors`, as it stands there: `serde_json::Value` would keep one of two
//! tensors with the same name.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// libtorch's own limit.
const LARGEST_RANK: usize = 64;

pub(super) struct Header {
    /// All tensors in the header's order.
    pub(super) places: Vec<(String, Place)>,
    /// What stands below `__metadata__`: texts, as the format has it.
    pub(super) metadata: serde_json::Value,
}

/// Where a tensor lies and what it is.
pub(super) struct Place {
    pub(super) dtype: String,
    pub(super) shape: Vec<i64>,
    /// Bytes after the header.
    pub(super) start: u64,
    pub(super) end: u64,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Header, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a dictionary of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut places = Vec::new();
        let mut metadata = serde_json::Value::Null;
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                metadata = map.next_value()?;
            } else {
                places.push((name, map.next_value()?));
            }
        }
        Ok(Header { places, metadata })
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Place, D::Error> {
        deserializer.deserialize_map(PlaceVisitor)
    }
}

struct PlaceVisitor;

impl<'de> Visitor<'de> for PlaceVisitor {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tensor's dtype, shape and data_offsets")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Place, A::Error> {
        let (mut dtype, mut shape, mut offsets) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            let twice = match key.as_str() {
                "dtype" => dtype.replace(map.next_value::<String>()?).is_some(),
                "shape" => shape.replace(map.next_value::<Sizes>()?).is_some(),
                "data_offsets" => offsets.replace(map.next_value::<(u64, u64)>()?).is_some(),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    false
                }
            };
            if twice {
                return Err(A::Error::custom(format!("\"{key}\" stands there twice")));
            }
        }
        let (Some(dtype), Some(Sizes(shape)), Some((start, end))) = (dtype, shape, offsets) else {
            return Err(A::Error::custom("a tensor lacks its dtype, shape or data_offsets"));
        };
        Ok(Place { dtype, shape, start, end })
    }
}

/// A shape, no longer than one can be.
struct Sizes(Vec<i64>);

impl<'de> Deserialize<'de> for Sizes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sizes, D::Error> {
        deserializer.deserialize_seq(SizesVisitor)
    }
}

struct SizesVisitor;

impl<'de> Visitor<'de> for SizesVisitor {
    type Value = Sizes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a shape")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Sizes, A::Error> {
        let mut sizes = Vec::new();
        while let Some(size) = seq.next_element()? {
            if sizes.len() == LARGEST_RANK {
                return Err(A::Error::custom("a shape of more than 64 dimensions"));
            }
            sizes.push(size);
        }
        Ok(Sizes(sizes))
    }
}
