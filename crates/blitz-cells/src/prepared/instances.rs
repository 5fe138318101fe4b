//! What cells would each instantiate of generic code: with the usual types it is compiled here, once
//! (`-Zshare-generics`). Nothing of it is ever called.

use ::blitz::check::{Compare, Exercises};
use ::blitz::data::cifar10::Cifar10;
use ::blitz::data::loader::{Batch, DataLoader, Epoch};
use ::blitz::optim::Sgd;
use ::blitz::tensor::repr::repr;
use ::tch::{Device, IndexOp, Kind, TchError, Tensor, nn};
use blitz_cell_support::{EvcxrDebugDisplay as _, EvcxrUserCodeError, VariableStore};

use crate::EvcxrShow as _;

/// Variables of the usual types, and what is shown of them.
pub fn variables(store: &mut VariableStore) {
    macro_rules! kept {
        ($($kind:ty),*) => {$(
            if store.check_variable::<$kind>("") {
                let value = store.take_variable::<$kind>("");
                store.put_variable::<$kind>("", value);
            }
        )*};
    }
    macro_rules! shown {
        ($($kind:ty),*) => {$(
            let value = store.take_variable::<$kind>("");
            value.evcxr_shown().evcxr_display();
        )*};
    }
    kept!(Tensor, Vec<Tensor>, (Tensor, Tensor), Device, Kind, (Kind, Device), nn::VarStore);
    kept!(nn::Sequential, nn::Linear, nn::Conv2D, nn::Optimizer, bool, i32, i64, usize, f32, f64);
    kept!(String, &'static str, Vec<i64>, Vec<usize>, Vec<f32>, Vec<f64>, Vec<String>, Sgd);
    kept!(::blitz::nn::Linear, ::blitz::nn::Conv2d, Cifar10, DataLoader, Batch, Exercises);
    shown!(bool, i32, i64, usize, f32, f64, String, &'static str, Vec<i64>, Vec<f64>, Vec<usize>);
    shown!(Device, Kind, (i64, i64), (i64, i64, i64, i64), Vec<f32>, Option<i64>, Option<f64>);
}

/// Tensors, made and indexed as usual.
pub fn tensors(t: &Tensor, list: &[Tensor]) -> Vec<Tensor> {
    let (options, mut made) = ((Kind::Float, Device::Cpu), Vec::new());
    macro_rules! of_sizes {
        ($($sizes:expr),*) => {$(
            made.push(Tensor::zeros($sizes, options));
            made.push(Tensor::ones($sizes, options));
            made.push(Tensor::rand($sizes, options));
            made.push(Tensor::randn($sizes, options));
            made.push(Tensor::empty($sizes, options));
            made.push(Tensor::randint(9, $sizes, options));
            made.push(t.view($sizes));
            made.push(t.reshape($sizes));
        )*};
    }
    macro_rules! indexed {
        ($($index:expr),*) => {$( made.push(t.i($index)); )*};
    }
    of_sizes!([1], [1, 2], [1, 2, 3], [1, 2, 3, 4]);
    made.extend([t.view((1, 2)), t.view(1), t.view([1; 2].as_slice())]);
    indexed!(1, .., ..1, 1.., 0..1, (1, ..), (.., 1), (.., ..1), (.., 1..), (0, 1), (0, 1, 2));
    made.extend([
        Tensor::from_slice(&[1f32]),
        Tensor::from_slice(&[1f64]),
        Tensor::from_slice(&[1i64]),
    ]);
    made.extend([Tensor::from_slice2(&[[1f32; 2]; 2]), Tensor::from_slice2(&[[1f32; 3]; 2])]);
    made.extend([Tensor::from_slice2(&[[1i64; 2]; 2]), Tensor::from_slice2(&[[1i64; 3]; 2])]);
    made.extend([Tensor::arange(1, options), Tensor::arange(1.0, options)]);
    made.extend([Tensor::linspace(0.0, 1.0, 2, options), Tensor::full([2], 1.0, options)]);
    made.extend([Tensor::stack(list, 0), Tensor::cat(list, 0)]);
    made.push(Tensor::stack(&[t, t], 0));
    made.push(Tensor::cat(&[t, t], 0));
    made
}

/// Calculations with tensors.
pub fn calculations(
    t: &mut Tensor,
    layers: (&::blitz::nn::Linear, &::blitz::nn::Conv2d),
) -> Vec<Tensor> {
    let mut made = Vec::new();
    macro_rules! scalars {
        ($($operator:tt),*) => {$(
            made.extend([&*t $operator 1, &*t $operator 1.0]);
            made.extend([t.shallow_clone() $operator 1, t.shallow_clone() $operator 1.0]);
        )*};
    }
    scalars!(+, -, *, /);
    made.extend([1 - &*t, 1.0 - &*t, 2 * &*t, 2.0 * &*t, 1.0 / &*t]);
    *t += 1;
    *t *= 2.0;
    made.extend([t.sum(Kind::Float), t.mean(Kind::Float), t.sum(None), t.mean(None)]);
    made.extend([t.sum_dim_intlist(0, false, Kind::Float), t.mean_dim(0, false, Kind::Float)]);
    made.extend([t.argmax(0, false), t.argmax(None, false), t.softmax(0, Kind::Float)]);
    made.extend([t.log_softmax(0, Kind::Float), t.fill_(0.0), t.permute([0, 1])]);
    made.extend([t.apply(layers.0), t.apply(layers.1), t.pow_tensor_scalar(2)]);
    made
}

/// What cells take out of tensors, and print.
pub fn values(t: &Tensor) -> Result<String, TchError> {
    let lists = (Vec::<i64>::try_from(t)?, Vec::<f32>::try_from(t)?, Vec::<f64>::try_from(t)?);
    let owned = Vec::<i64>::try_from(t.shallow_clone())?;
    let (number, fraction) = (i64::try_from(t)?, f64::try_from(t)?);
    let single = f32::try_from(t)?;
    let shown = [repr(t), repr(&t.size()), repr(&t.kind()), repr(&t.device())];
    let texts: Vec<String> = shown.iter().map(|it| it.to_string()).collect();
    Ok(format!("{lists:?} {owned:?} {number} {fraction} {single} {texts:?}"))
}

/// Nets.
pub fn nets(
    vs: &nn::VarStore,
) -> (nn::Sequential, Vec<::blitz::nn::Linear>, Vec<::blitz::nn::Conv2d>) {
    let (root, mut linear, mut conv2d) = (vs.root(), Vec::new(), Vec::new());
    linear.push(::blitz::nn::linear(&root / "fc", 1, 2));
    linear.push(::blitz::nn::linear(&root / String::from("fc"), 1, 2));
    linear.push(::blitz::nn::linear(&root, 1, 2));
    linear.push(::blitz::nn::linear_with(&root / "fc", 1, 2, Default::default()));
    conv2d.push(::blitz::nn::conv2d(&root / "conv", 1, 2, 3));
    conv2d.push(::blitz::nn::conv2d(&root, 1, 2, 3));
    conv2d.push(::blitz::nn::conv2d_with(vs.root() / "conv", 1, 2, 3, Default::default()));
    let layer = || ::blitz::nn::linear(vs.root() / "fc", 1, 2);
    (nn::seq().add(layer()).add(::blitz::nn::ReLU).add(layer()), linear, conv2d)
}

/// Answers of exercises, compared with what is expected.
pub fn compared() -> Vec<*const ()> {
    fn difference<G: Compare<E>, E>(got: &::blitz::Result<G>, expected: &E) -> Option<String> {
        got.difference(expected)
    }
    macro_rules! differences {
        ($($got:ty, $expected:ty);*) => { vec![$(difference::<$got, $expected> as *const ()),*] };
    }
    differences! {
        Tensor, Tensor; f64, f64; f32, f32; i64, i64; i32, i32; usize, usize; bool, bool; Kind, Kind;
        String, &str; Vec<i64>, Vec<i64>; Vec<i64>, [i64; 1]; Vec<i64>, [i64; 2]; Vec<i64>, [i64; 3];
        Vec<i64>, [i64; 4]; Vec<f64>, Vec<f64>; Vec<f64>, [f64; 2]; Vec<f64>, [f64; 3]
    }
}

/// Errors that leave a cell.
pub fn errors(torch: TchError, ours: ::blitz::Error) -> [EvcxrUserCodeError; 3] {
    [torch.into(), ours.into(), std::io::Error::last_os_error().into()]
}

/// What is dropped where it goes out of scope.
pub fn dropped() -> Vec<*const ()> {
    fn end<T>(_: T) {}
    macro_rules! ends {
        ($($kind:ty),*) => { vec![$(end::<$kind> as *const ()),*] };
    }
    ends!(
        Tensor, Option<Tensor>, Vec<Tensor>, (Tensor, Tensor), Result<Tensor, TchError>, TchError,
        ::blitz::Error, Vec<i64>, Vec<f64>, Vec<f32>, Vec<String>, Box<dyn std::any::Any + Send>,
        ::blitz::nn::Linear, ::blitz::nn::Conv2d, nn::VarStore, nn::Sequential, nn::Optimizer, Sgd,
        Cifar10, DataLoader, Epoch<'_>, Batch, Option<Batch>, Exercises, ::blitz::picture::Picture,
        ::blitz::tensor::repr::Repr
    )
}
