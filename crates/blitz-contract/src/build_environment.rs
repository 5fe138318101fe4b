//! The variables that change what cargo compiles.

/// cargo's variables that are the person's and say nothing about how to compile.
const KEPT: [&str; 4] = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_TERM_"];

/// Whether the variable `name` would make cargo compile the notebooks' dependencies anew, or
/// otherwise, if set-up and kernels did not both do without it: the person's own settings, and what
/// cargo tells the programs that it runs about their package (ring's build script reads that).
pub fn changes_what_is_compiled(name: &str) -> bool {
    (name.starts_with("CARGO") && !KEPT.iter().any(|kept| name.starts_with(kept)))
        || (name.starts_with("RUST") && name.contains("FLAGS"))
        || name.starts_with("LIBTORCH")
        || ["RUSTC", "RUSTC_WRAPPER", "OUT_DIR"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_the_network_stays() {
        let kept =
            ["CARGO_HOME", "CARGO_HTTP_PROXY", "CARGO_NET_OFFLINE", "PATH", "RUST_BACKTRACE"];
        assert!(!kept.into_iter().any(changes_what_is_compiled));
        let changing =
            ["CARGO_PKG_NAME", "CARGO_PROFILE_DEV_LTO", "RUSTFLAGS", "LIBTORCH", "RUSTC_WRAPPER"];
        assert!(changing.into_iter().all(changes_what_is_compiled));
    }
}
