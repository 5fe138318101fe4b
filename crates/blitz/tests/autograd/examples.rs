//! Functions with a backward of their own, for several modules.

use std::sync::{Arc, Mutex};

use blitz::Result;
use blitz::autograd::{Context, Function};
use blitz::tch::Tensor;

pub struct MyReLU;

impl Function for MyReLU {
    type Output = Tensor;

    fn forward(&self, ctx: &mut Context, [x]: [&Tensor; 1]) -> Result<Tensor> {
        ctx.save_for_backward(&[x]);
        Ok(x.clamp_min(0.0))
    }

    fn backward(&self, ctx: &Context, gradient: Tensor) -> Result<[Option<Tensor>; 1]> {
        let [x] = ctx.saved_tensors()?;
        Ok([Some(gradient * x.gt(0.0))])
    }
}

pub struct LegendrePolynomial3;

impl Function for LegendrePolynomial3 {
    type Output = Tensor;

    fn forward(&self, ctx: &mut Context, [x]: [&Tensor; 1]) -> Result<Tensor> {
        ctx.save_for_backward(&[x]);
        Ok(0.5 * (5.0 * x.pow_tensor_scalar(3) - 3.0 * x))
    }

    fn backward(&self, ctx: &Context, gradient: Tensor) -> Result<[Option<Tensor>; 1]> {
        let [x] = ctx.saved_tensors()?;
        Ok([Some(gradient * 1.5 * (5.0 * x.pow_tensor_scalar(2) - 1.0))])
    }
}

/// Saves its output.
pub struct Exp;

impl Function for Exp {
    type Output = Tensor;

    fn forward(&self, ctx: &mut Context, [x]: [&Tensor; 1]) -> Result<Tensor> {
        let y = x.exp();
        ctx.save_for_backward(&[&y]);
        Ok(y)
    }

    fn backward(&self, ctx: &Context, gradient: Tensor) -> Result<[Option<Tensor>; 1]> {
        let [y] = ctx.saved_tensors()?;
        Ok([Some(gradient * y)])
    }
}

/// Two inputs, two outputs, an option, and a record of what was wanted.
pub struct ScaledProduct {
    pub scale: f64,
    pub wanted: Arc<Mutex<Vec<[bool; 3]>>>,
}

fn wanted(ctx: &Context) -> [bool; 3] {
    [0, 1, 2].map(|index| ctx.needs_input_grad(index))
}

impl Function<2> for ScaledProduct {
    type Output = [Tensor; 2];

    fn forward(&self, ctx: &mut Context, [a, b]: [&Tensor; 2]) -> Result<[Tensor; 2]> {
        self.wanted.lock().unwrap().push(wanted(ctx));
        ctx.save_for_backward(&[a, b]);
        Ok([a * b * self.scale, a + b])
    }

    fn backward(&self, ctx: &Context, [p, s]: [Tensor; 2]) -> Result<[Option<Tensor>; 2]> {
        self.wanted.lock().unwrap().push(wanted(ctx));
        let [a, b] = ctx.saved_tensors()?;
        let gradient = |other: Tensor| &p * other * self.scale + &s;
        Ok([
            ctx.needs_input_grad(0).then(|| gradient(b)),
            ctx.needs_input_grad(1).then(|| gradient(a)),
        ])
    }
}

pub fn scaled_product() -> ScaledProduct {
    ScaledProduct { scale: 3.0, wanted: Arc::default() }
}
