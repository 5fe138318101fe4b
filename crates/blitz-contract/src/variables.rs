//! The environment variables that one part sets, or a person, and another reads.

/// A person's: the directory of CIFAR-10, or [`BUILTIN_DATA`] for the drawn set.
pub const DATA: &str = "BLITZ_DATA";

/// The value of [`DATA`] that asks for the set that the helper crate draws itself.
pub const BUILTIN_DATA: &str = "builtin";

/// A person's: the device to train on (`cpu`, `cuda`, `cuda:1`) where no flag names one.
pub const DEVICE: &str = "BLITZ_DEVICE";

/// The kernel sets it for cells: the helper crate then displays by commands (see
/// [`marks::COMMAND`](crate::marks::COMMAND)).
pub const KERNEL: &str = "BLITZ_KERNEL";

/// evcxr sets it for cells, on every kernel.
pub const EVCXR_RUNTIME: &str = "EVCXR_IS_RUNTIME";

/// A person's: the language of messages, such as `zh`, or `en` (see `blitz-messages`).
pub const LANGUAGE: &str = "BLITZ_LANGUAGE";

/// The value of [`LANGUAGE`] for what tests and stored outputs are compared with.
pub const ENGLISH: &str = "en";

/// Set by whatever executes notebooks that nobody edits meanwhile, to [`WHEN_ASKED`].
pub const COMPLETION: &str = "BLITZ_COMPLETION";

/// The value of [`COMPLETION`] with which the kernel starts what completes and explains at the first
/// question. Otherwise it does so in the first pause: ten seconds of a core, in vain where nobody asks.
pub const WHEN_ASKED: &str = "when-asked";

/// A person's: [`OFF`] has every cell compiled, also where a kernel has compiled the same before.
pub const KEPT_CELLS: &str = "BLITZ_KEPT_CELLS";

/// The value of [`KEPT_CELLS`] that does so.
pub const OFF: &str = "off";

/// The kernel sets it for cells: the directory of the catalogues in the person's language; it is not
/// set for English.
pub const MESSAGES: &str = "BLITZ_MESSAGES";

/// `cargo blitz test` sets it for the tests of `blitz`: the compiled example. `ci/gpu` does so, too.
pub const EXAMPLE: &str = "BLITZ_EXAMPLE";
