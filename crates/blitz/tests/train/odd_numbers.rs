//! Numbers that make no sense, or hardly any: each is an error that names it, and none a panic.

use std::time::Duration;

use crate::common::{numbered_split, turn, values};
use blitz::Error;
use blitz::autograd::{GradcheckOptions, gradcheck};
use blitz::data::builtin::{self, BuiltInOptions};
use blitz::optim::schedule::Length;
use blitz::picture::plot::{LivePlot, LivePlotOptions};
use blitz::prelude::*;

const NAN: f64 = f64::NAN;
const INFINITE: f64 = f64::INFINITY;

/// Two pictures of `kind`, 3 high and 5 wide.
fn pictures(kind: Kind) -> Tensor {
    Tensor::arange(90, (Kind::Int64, Device::Cpu)).view([2, 3, 3, 5]).to_kind(kind)
}

fn with_pad(kind: Kind, pad_value: f64) -> blitz::Result<Tensor> {
    make_grid(&pictures(kind), &GridOptions { pad_value, ..GridOptions::default() })
}

/// The error is about `option`, and names the value.
fn names(error: &Error, option: &str, value: impl std::fmt::Display) {
    let text = error.to_string();
    assert!(text.starts_with(&format!("option {option} must be ")), "{text}");
    assert!(text.ends_with(&format!(", got {value}")), "{text}");
}

#[test]
fn a_padding_value_that_the_kind_does_not_have_is_refused_with_both() {
    let everywhere = [NAN, INFINITE, -INFINITE, 0.5, -0.25, 1e300, -1e300];
    for (kind, wrong) in [
        (Kind::Uint8, &[300.0, -1.0, 256.0, -300.0][..]),
        (Kind::Int8, &[128.0, -129.0, 255.0]),
        (Kind::Int16, &[32_768.0, -32_769.0]),
        (Kind::Int, &[2_147_483_648.0, -2_147_483_649.0]),
        (Kind::Int64, &[9.3e18, -9.3e18, 9_223_372_036_854_775_808.0]),
        (Kind::Bool, &[2.0, -1.0, 300.0]),
    ] {
        for &value in everywhere.iter().chain(wrong) {
            let error = with_pad(kind, value).unwrap_err();
            names(&error, "pad_value", value);
            assert!(error.to_string().contains(&format!("{kind:?}")), "{error}");
        }
    }
    for (kind, wrong) in [(Kind::Half, 70_000.0), (Kind::Float, 1e39), (Kind::Float, -1e300)] {
        names(&with_pad(kind, wrong).unwrap_err(), "pad_value", wrong);
    }
}

#[test]
fn a_padding_value_that_the_kind_has_is_taken() {
    for (kind, right) in [
        (Kind::Uint8, &[0.0, 255.0, -0.0][..]),
        (Kind::Int8, &[-128.0, 127.0]),
        (Kind::Int16, &[-32_768.0, 32_767.0]),
        (Kind::Int, &[-2_147_483_648.0, 2_147_483_647.0]),
        (Kind::Int64, &[-9_223_372_036_854_775_808.0, 9e18]),
        (Kind::Bool, &[0.0, 1.0]),
        (Kind::Half, &[0.5, 65_504.0, INFINITE]),
        (Kind::BFloat16, &[0.5, 1e38]),
        (Kind::Float, &[0.5, -1.5, 1e38, -INFINITE]),
        (Kind::Double, &[0.1, 1e300, INFINITE]),
    ] {
        for &value in right {
            let grid = with_pad(kind, value).unwrap();
            assert_eq!((grid.kind(), grid.size()), (kind, vec![3, 7, 16]));
            let (corner, inner) = (grid.double_value(&[1, 0, 0]), grid.double_value(&[0, 2, 3]));
            let near = if kind == Kind::BFloat16 { 0.01 } else { 1e-7 };
            assert!(corner == value || (corner / value - 1.0).abs() < near, "{kind:?} {value}");
            assert_eq!(inner, 1.0, "{kind:?}");
        }
    }
    for kind in [Kind::Half, Kind::Float, Kind::Double] {
        assert!(with_pad(kind, NAN).unwrap().double_value(&[0, 0, 0]).is_nan());
    }
}

#[test]
fn make_grid_refuses_other_numbers_and_tensors_in_words() {
    let refused = |images: &Tensor, options: GridOptions| make_grid(images, &options).unwrap_err();
    let images = pictures(Kind::Float);
    let standard = GridOptions::default();
    for nrow in [0, -1, i64::MIN] {
        names(&refused(&images, GridOptions { nrow, ..standard }), "nrow", nrow);
    }
    for padding in [-1, i64::MIN, i64::MAX, 1 << 40] {
        names(&refused(&images, GridOptions { padding, ..standard }), "padding", padding);
    }
    for (low, high) in [
        (1.0, 1.0),
        (2.0, -2.0),
        (NAN, 1.0),
        (0.0, NAN),
        (-INFINITE, 1.0),
        (0.0, INFINITE),
        (0.0, 1e39),
    ] {
        let scaling = Scaling::Range { low, high };
        let error = refused(&images, GridOptions { scaling, ..standard });
        names(&error, "scaling", format!("{low} and {high}"));
    }
    for shape in [&[0, 3, 3, 5][..], &[2, 0, 3, 5], &[2, 3, 0, 5], &[2, 3, 3, 0], &[], &[3, 5]] {
        for scaling in [Scaling::Keep, Scaling::MinMax, Scaling::MinMaxEach] {
            let images = Tensor::zeros(shape, (Kind::Float, Device::Cpu));
            let text = refused(&images, GridOptions { scaling, ..standard }).to_string();
            assert!(text.contains("at least one picture") && text.contains("got ["), "{text}");
        }
    }
    assert!(refused(&Tensor::new(), standard).to_string().contains("undefined tensor"));
    let memory = GridOptions { padding: 10_000_000, ..standard };
    assert!(refused(&images, memory).to_string().starts_with("libtorch refused make_grid"));
    let wide = make_grid(&images, &GridOptions { nrow: i64::MAX, ..standard }).unwrap();
    assert_eq!(wide.size(), [3, 7, 16]);
}

#[test]
fn grids_that_cannot_be_drawn_are_refused() {
    let images = pictures(Kind::Uint8);
    let options = ImageGridOptions::default();
    let refused = |images: &Tensor, options| {
        image_grid(images, &["a", "b"], options).unwrap_err().to_string()
    };
    for options in [
        ImageGridOptions { scale: usize::MAX, ..options },
        ImageGridOptions { scale: 100_000, ..options },
        ImageGridOptions { padding: usize::MAX, ..options },
        ImageGridOptions { padding: 1 << 40, ..options },
        ImageGridOptions { font_size: u32::MAX, ..options },
    ] {
        let text = refused(&images, options);
        assert!(text.contains("a picture of at most 100000000 pixels"), "{text}");
    }
    for shape in [[2, 3, 0, 5], [2, 3, 5, 0], [2, 1, 0, 5]] {
        let images = Tensor::zeros(shape, (Kind::Uint8, Device::Cpu));
        assert!(refused(&images, options).contains("1 or more pixels"));
    }
    assert!(refused(&Tensor::new(), options).contains("undefined tensor"));
    for (mean, std) in [([NAN, 0.5, 0.5], [0.5; 3]), ([0.5; 3], [0.5, INFINITE, 0.5])] {
        let transform = Normalize { mean, std };
        let text = refused(&pictures(Kind::Float), ImageGridOptions { transform, ..options });
        assert!(text.starts_with("option mean") || text.starts_with("option std"), "{text}");
    }
    let all = ImageGridOptions { columns: usize::MAX, ..options };
    assert!(image_grid(&images, &["a", "b"], all).is_ok());

    let logits = Tensor::from_slice2(&[[3.0, 1.0], [0.5, 0.0]]);
    let labels = Tensor::from_slice(&[0i64, 1]);
    let grid = |logits: &Tensor, labels: &Tensor, count| {
        let options = PredictionGridOptions { count, ..Default::default() };
        prediction_grid(&images, logits, labels, &["cat", "dog"], options)
    };
    assert_eq!(grid(&logits, &labels, usize::MAX).unwrap().predictions.len(), 2);
    for wrong in [[0, -1], [2, 0], [i64::MAX, 0], [i64::MIN, 1]] {
        let text = grid(&logits, &Tensor::from_slice(&wrong), 8).unwrap_err().to_string();
        assert!(text.contains("labels from 0 to 1, one class each"), "{text}");
    }
    for wrong in [NAN, INFINITE] {
        let logits = Tensor::from_slice2(&[[3.0, 1.0], [wrong, 0.0]]);
        assert!(grid(&logits, &labels, 8).unwrap_err().to_string().contains("finite logits"));
    }
    for text in [grid(&Tensor::new(), &labels, 8), grid(&logits, &Tensor::new(), 8)] {
        assert!(text.unwrap_err().to_string().contains("undefined tensor"));
    }
}

#[test]
fn transforms_and_augmentations_name_what_is_out_of_range() {
    let images = pictures(Kind::Uint8);
    let half = [0.5; 3];
    for bad in [0.0, -0.0, NAN, INFINITE, -INFINITE, 1e-60, 1e60] {
        let error = Normalize { mean: half, std: [0.5, bad, 0.5] }.apply(&images).unwrap_err();
        names(&error, "std", format!("{:?}", [0.5, bad, 0.5]));
    }
    for bad in [NAN, INFINITE, -INFINITE, 1e60] {
        let error = Normalize { mean: [0.5, 0.5, bad], std: half }.apply(&images).unwrap_err();
        names(&error, "mean", format!("{:?}", [0.5, 0.5, bad]));
    }
    assert!(Normalize::default().apply(&Tensor::new()).is_err());
    for flip in [-0.1, 1.1, NAN, INFINITE, -INFINITE] {
        let augment = Augment { flip, ..Augment::default() };
        names(&augment.apply(&images).unwrap_err(), "flip", flip);
        let options = LoaderOptions { augment, ..LoaderOptions::default() };
        names(&DataLoader::new(&numbered_split(8), options).unwrap_err(), "flip", flip);
    }
    for crop_padding in [-1, i64::MIN, 4, i64::MAX] {
        let augment = Augment { crop_padding, ..Augment::default() };
        names(&augment.apply(&images).unwrap_err(), "crop_padding", crop_padding);
    }
    let most = Augment { crop_padding: 3, flip: 1.0, seed: u64::MAX };
    assert_eq!(most.apply(&images).unwrap().size(), images.size());
    let none = most.apply(&images.narrow(0, 0, 0)).unwrap();
    assert_eq!(none.size(), [0, 3, 3, 5]);
}

#[test]
fn loaders_and_trainings_take_large_numbers_or_name_them() {
    let _turn = turn();
    let split = numbered_split(10);
    for batch_size in [0, -1, i64::MIN, 11, i64::MAX] {
        let options = LoaderOptions { batch_size, ..LoaderOptions::default() };
        names(&DataLoader::new(&split, options).unwrap_err(), "batch_size", batch_size);
    }
    let options = LoaderOptions { prefetch: usize::MAX, ..LoaderOptions::default() };
    assert_eq!(DataLoader::new(&split, options).unwrap().epoch().count(), 3);
    let labels = Tensor::new();
    let unlabelled = blitz::data::split::Split { images: split.images.shallow_clone(), labels };
    assert!(DataLoader::new(&unlabelled, LoaderOptions::default()).is_err());

    // More epochs than can be counted in steps: the first step already says what is wrong.
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    let mut loader = DataLoader::new(&split, LoaderOptions::default()).unwrap();
    let mut optimizer = Sgd::new(&vs, SgdOptions { lr: 1e30, ..SgdOptions::default() }).unwrap();
    for schedule in [Schedule::Constant, Schedule::one_cycle(1e30)] {
        for progress in [Progress::Lines, Progress::Live] {
            let epochs = usize::MAX;
            let options = FitOptions { epochs, schedule, progress, ..FitOptions::default() };
            let error = fit(&net, &mut optimizer, &mut loader, &options).unwrap_err();
            assert!(matches!(error, Error::LossNotFinite { .. }), "{error}");
        }
    }
    let length = Length { epochs: usize::MAX, steps_per_epoch: usize::MAX };
    assert!(Schedule::one_cycle(0.1).lr(0.1, usize::MAX, length).is_finite());
    for bad in [0.0, -0.1, NAN, INFINITE] {
        names(&Schedule::one_cycle(bad).check().unwrap_err(), "max_lr", bad);
        let step = Schedule::Step { every: 1, gamma: bad };
        names(&step.check().unwrap_err(), "gamma", bad);
    }
    for min_lr in [-0.1, NAN, INFINITE] {
        let cosine = Schedule::Cosine { epochs: 3, min_lr };
        names(&cosine.check().unwrap_err(), "min_lr", min_lr);
    }
}

#[test]
fn labels_without_a_class_are_named() {
    let _turn = turn();
    let vs = nn::VarStore::new(Device::Cpu);
    let net = cifar10_net(&vs.root());
    for label in [-1, 10, i64::MIN, i64::MAX] {
        let mut split = numbered_split(4);
        split.labels = Tensor::from_slice(&[1, 2, label, 3]);
        let mut loader = DataLoader::new(&split, LoaderOptions::default()).unwrap();
        let text = evaluate(&net, &mut loader, &CLASSES).unwrap_err().to_string();
        assert!(text.contains(&format!("the label {label}")), "{text}");
        let mut optimizer = Sgd::new(&vs, SgdOptions::default()).unwrap();
        let text = fit(&net, &mut optimizer, &mut loader, &FitOptions::default());
        assert!(text.unwrap_err().to_string().contains("cross-entropy"), "{label}");
    }
    let mut loader = DataLoader::new(&numbered_split(4), LoaderOptions::default()).unwrap();
    assert!(evaluate(&net, &mut loader, &[""; 0]).is_err());
}

#[test]
fn evaluations_that_do_not_add_up_are_not_drawn() {
    let classes = |count: usize| (0..count).map(|index| index.to_string()).collect::<Vec<_>>();
    let evaluation = |count, confusion: Vec<Vec<u64>>| {
        let evaluation = Evaluation { classes: classes(count), confusion };
        let bars = evaluation.accuracy_bars().map(|_| ()).map_err(|error| error.to_string());
        let map = evaluation.confusion_heatmap().map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(bars, map);
        bars
    };
    for (count, confusion, expected) in [
        (0, vec![], "got none"),
        (1, vec![vec![0]], "got none"),
        (2, vec![vec![1, 2]], "rows of [2] counts"),
        (2, vec![vec![1, 2], vec![1]], "rows of [2, 1] counts"),
        (1, vec![vec![1, 2], vec![1, 3]], "1 classes"),
        (2, vec![vec![u64::MAX, 1], vec![0, 0]], "at most 1e15 images"),
    ] {
        let text = evaluation(count, confusion).unwrap_err();
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!(evaluation(2, vec![vec![1, 0], vec![900_000_000_000_000, 0]]), Ok(()));
    let many = Evaluation { classes: classes(3_000), confusion: vec![vec![1; 3_000]; 3_000] };
    let text = many.confusion_heatmap().unwrap_err().to_string();
    assert!(text.contains("option classes"), "{text}");
}

#[test]
fn any_finite_points_are_drawn_and_others_named() {
    let plot = |points: &[(f64, f64)]| {
        loss_plot(&[Series::new("a", points.iter().copied())], LossPlotOptions::default())
    };
    for points in [
        &[(1.0, 2.3)][..],
        &[(0.0, 0.0)],
        &[(0.0, 0.0), (0.0, 0.0)],
        &[(1.0, 1e300), (2.0, -1e300)],
        &[(1e300, 1e300)],
        &[(-1e300, 0.0), (1e300, 1.0)],
        &[(1.0, 1e-300), (2.0, 2e-300)],
        &[(1.0, 5e-324)],
        &[(1.0, 1e16), (2.0, 1e16 + 2.0)],
        &[(1e16, 1.0), (1e16 + 2.0, 2.0)],
        &[(1e9, 1.0), (1e9 + 1.0, 2.0)],
        &[(1.0, 1.0), (2.0, 1.0 + f64::EPSILON)],
        &[(1.0, f64::MIN_POSITIVE), (2.0, 1e300)],
    ] {
        let picture = plot(points).unwrap();
        assert!(picture.alt().len() < 300, "{}", picture.alt());
    }
    for bad in [NAN, INFINITE, -INFINITE, 1.1e300, f64::MAX, f64::MIN] {
        for point in [(1.0, bad), (bad, 1.0)] {
            let text = plot(&[(0.0, 1.0), point]).unwrap_err().to_string();
            assert!(text.contains("option series") && text.contains("in \"a\""), "{text}");
        }
    }
    assert!(plot(&[]).unwrap_err().to_string().contains("no point in \"a\""));
    let huge = LossPlotOptions { width: u32::MAX, height: u32::MAX, ..Default::default() };
    let text = loss_plot(&[Series::new("a", [(1.0, 2.0)])], huge).unwrap_err().to_string();
    assert!(text.contains("at most 100000000 pixels"), "{text}");
    let mut live = LivePlot::new(LivePlotOptions::default());
    for bad in [NAN, INFINITE] {
        assert!(live.push("a", 3, bad).is_err());
    }
    live.finish().unwrap();
}

#[test]
fn other_options_outside_their_range_are_named() {
    let speed = |widths: &[i64], batch_size| {
        let widths = widths.to_vec();
        let time = Duration::from_millis(1);
        width_speed(&SpeedOptions { widths, batch_size, gpu: None, time }).unwrap_err()
    };
    for width in [0, -1, i64::MIN, i64::MAX, 100_001] {
        names(&speed(&[6, width], 4), "widths", format!("{:?}", [6, width]));
    }
    for batch_size in [0, -1, i64::MAX] {
        names(&speed(&[6], batch_size), "batch_size", batch_size);
    }
    let x = Tensor::from_slice(&[0.5, 1.5]).set_requires_grad(true);
    let standard = GradcheckOptions::default();
    let refused = |options| gradcheck(|[x]| Ok(x.sin()), [&x], &options).unwrap_err();
    for bad in [0.0, -1e-6, NAN, INFINITE] {
        names(&refused(GradcheckOptions { eps: bad, ..standard }), "eps", bad);
    }
    for bad in [-1e-6, NAN, INFINITE] {
        names(&refused(GradcheckOptions { atol: bad, ..standard }), "atol", bad);
        names(&refused(GradcheckOptions { rtol: bad, ..standard }), "rtol", bad);
    }
    for (train, test, option) in
        [(4, 1, "train"), (usize::MAX, 1, "train"), (5, 0, "test"), (5, usize::MAX, "test")]
    {
        let text = builtin::draw(&BuiltInOptions { train, test, seed: 0 }).unwrap_err();
        names(&text, option, if option == "train" { train } else { test });
    }
    let sgd =
        |lr| Sgd::new(&nn::VarStore::new(Device::Cpu), SgdOptions { lr, ..Default::default() });
    for bad in [NAN, INFINITE, -0.1] {
        names(&sgd(bad).unwrap_err(), "lr", bad);
    }
    assert_eq!(values(&x.detach()), [0.5, 1.5]);
}
