//! Optimizers: what changes the parameters after each backward pass.
//!
//! [`Sgd`] is `torch.optim.SGD`, number for number. Unlike tch's [`tch::nn::Optimizer`] it returns
//! errors instead of panicking, gives out its momentum for a checkpoint and takes it back, and does
//! the whole step in one call to libtorch.
//!
//! | Python | Rust |
//! | --- | --- |
//! | `optim.SGD(net.parameters(), lr=0.001, momentum=0.9)` | [`Sgd::new`]`(&vs, SgdOptions { lr: 0.001, momentum: 0.9, ..Default::default() })?` |
//! | `optimizer.zero_grad()` | [`Sgd::zero_grad`] |
//! | `loss.backward(); optimizer.step()` | `loss.backward();` [`Sgd::step`], or [`Sgd::backward_step`] for all three |
//! | `optimizer.param_groups[0]["lr"] = 0.01` | [`Sgd::set_lr`]`(0.01)?` |
//! | `optimizer.state_dict()["state"]` | [`Sgd::state`] |
//! | `optimizer.load_state_dict(...)` | [`Sgd::load_state`] |

mod learning;
mod optimizer;
mod recordable;
pub mod schedule;
mod sgd;

pub use optimizer::Optimizer;
pub use recordable::Recordable;
pub use sgd::{Sgd, SgdOptions};
