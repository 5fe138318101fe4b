//! The graph behind a tensor, as a picture and as text.
