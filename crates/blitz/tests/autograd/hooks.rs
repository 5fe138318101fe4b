//! Gradient hooks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use crate::common::{floats, reference, values};
use crate::leaf;
use blitz::Error;
use blitz::autograd::{self, Autograd, BackwardOptions, HookHandle};
use blitz::tch::{Kind, Tensor, with_grad};

fn backward(tensor: &Tensor) -> blitz::Result<()> {
    autograd::backward(&[tensor], &BackwardOptions::default())
}

#[test]
fn hooks_change_gradients_in_their_order_as_in_pytorch() {
    let expected = &reference("autograd")["hooks"];
    let x = leaf(&[1.0, -2.0, 3.0]);
    let y = x.pow_tensor_scalar(2);
    y.retain_grad().unwrap();
    // Dropping the handles leaves the hooks in place.
    y.register_hook(|gradient| Some(gradient * 0.5)).unwrap();
    y.register_hook(|gradient| Some(gradient + 1.0)).unwrap();
    x.register_hook(|gradient| Some(gradient * 10.0)).unwrap();
    (&y * Tensor::from_slice(&[1f32, 2.0, 3.0])).sum(None).backward();
    assert_eq!(values(&y.grad()), floats(&expected["y"]));
    assert_eq!(values(&x.grad()), floats(&expected["x"]));
}

#[test]
fn hooks_report_to_the_cell_that_waits() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (sender, receiver) = mpsc::channel();
    let x = leaf(&[1.0, 2.0]);
    let y = &x * 3.0;
    let list = Arc::clone(&seen);
    y.register_hook(move |gradient| {
        list.lock().unwrap().push(gradient.shallow_clone());
        None
    })
    .unwrap();
    x.register_hook(move |gradient| {
        sender.send(values(gradient)).unwrap();
        None
    })
    .unwrap();
    // The pass may run on a thread other than the one that registered.
    std::thread::spawn(move || (y * 2.0).sum(None).backward()).join().unwrap();
    assert_eq!(values(&seen.lock().unwrap()[0]), [2.0, 2.0]);
    assert_eq!(receiver.recv().unwrap(), [6.0, 6.0]);
    assert_eq!(values(&x.grad()), [6.0, 6.0]);
}

#[test]
fn a_removed_hook_is_silent_and_drops_what_it_captured() {
    let count = Arc::new(AtomicUsize::new(0));
    let x = leaf(&[1.0]);
    let counted = Arc::clone(&count);
    let handle = x.register_hook(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        None
    });
    let handle = handle.unwrap();
    let other = x.register_hook(|gradient| Some(gradient * 2.0)).unwrap();
    (&x * 1.0).backward();
    assert_eq!(count.load(Ordering::Relaxed), 1);
    assert_eq!(Arc::strong_count(&count), 2);
    std::thread::spawn(move || handle.remove()).join().unwrap();
    assert_eq!(Arc::strong_count(&count), 1);
    (&x * 1.0).backward();
    assert_eq!(count.load(Ordering::Relaxed), 1);
    // The other one still doubles.
    assert_eq!(values(&x.grad()), [4.0]);
    other.remove();
    (&x * 1.0).backward();
    assert_eq!(values(&x.grad()), [5.0]);
}

#[test]
fn hooks_die_with_their_tensor() {
    let alive = Arc::new(());
    let x = leaf(&[1.0]);
    let y = &x * 2.0;
    for tensor in [&x, &y] {
        let captured = Arc::clone(&alive);
        tensor
            .register_hook(move |_| {
                let _kept = &captured;
                None
            })
            .unwrap();
    }
    assert_eq!(Arc::strong_count(&alive), 3);
    drop(y);
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(x);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_hook_can_remove_itself() {
    let x = leaf(&[1.0]);
    let slot: Arc<Mutex<Option<HookHandle>>> = Arc::default();
    let own = Arc::clone(&slot);
    let handle = x.register_hook(move |gradient| {
        own.lock().unwrap().take().unwrap().remove();
        Some(gradient * 100.0)
    });
    *slot.lock().unwrap() = Some(handle.unwrap());
    (&x * 1.0).backward();
    (&x * 1.0).backward();
    assert_eq!(values(&x.grad()), [101.0]);
    assert_eq!(Arc::strong_count(&slot), 1);
}

#[test]
fn a_hook_can_run_a_backward_pass_that_meets_it_again() {
    let x = leaf(&[1.0]);
    let depth = Arc::new(AtomicUsize::new(0));
    let again = x.shallow_clone();
    let reached = Arc::clone(&depth);
    let handle = x.register_hook(move |_| {
        if reached.fetch_add(1, Ordering::Relaxed) < 3 {
            with_grad(|| &again * 10.0).backward(); // hooks run without recording
        }
        None
    });
    (&x * 1.0).backward();
    assert_eq!(depth.load(Ordering::Relaxed), 4);
    assert_eq!(values(&x.grad()), [31.0]);
    handle.unwrap().remove(); // the hook holds the tensor that holds the hook
}

#[test]
fn a_replacement_of_another_shape_or_kind_is_an_error() {
    let x = leaf(&[1.0, 2.0]);
    let y = &x * 2.0;
    let handle = y.register_hook(|gradient| Some(gradient.sum(None))).unwrap();
    let error = backward(&y.sum(None)).unwrap_err();
    assert!(matches!(error, Error::Backward { .. }));
    assert_eq!(
        error.to_string(),
        "a gradient hook failed: it expected a replacement like the gradient, Float [2], got Float []"
    );
    handle.remove();
    y.register_hook(|gradient| Some(gradient.to_kind(Kind::Double))).unwrap();
    let error = y.sum(None).f_backward().unwrap_err();
    assert!(error.to_string().contains("got Double [2]"), "{error}");
    assert!(!x.grad().defined());
    let z = &x * 2.0;
    z.register_hook(|_| Some(Tensor::new())).unwrap();
    assert!(backward(&z.sum(None)).unwrap_err().to_string().contains("an undefined tensor"));
}

#[test]
fn a_panic_in_a_hook_is_an_error() {
    let x = leaf(&[1.0, 2.0]);
    let handle = x.register_hook(|_| panic!("no more. Really\nno more")).unwrap();
    let y = (&x * 2.0).sum(None);
    let error = backward(&y).unwrap_err().to_string();
    assert_eq!(error, "a gradient hook failed: it panicked: no more. Really\nno more");
    let error = (&x * 2.0).sum(None).f_backward().map_err(Error::from).unwrap_err().to_string();
    assert_eq!(error, "a gradient hook failed: it panicked: no more. Really\nno more");
    handle.remove();
    x.register_hook(|gradient| Some(gradient + Tensor::from_slice(&[1f32, 2.0, 3.0]))).unwrap();
    let error = backward(&(&x * 2.0).sum(None)).unwrap_err().to_string();
    assert!(
        error.starts_with("a gradient hook failed: it panicked: The size of tensor"),
        "{error}"
    );
    assert!(error.ends_with("at non-singleton dimension 0"), "{error}");
    // The engine is fit for use afterwards.
    let z = leaf(&[1.0]);
    backward(&(&z * 2.0)).unwrap();
    assert_eq!(values(&z.grad()), [2.0]);
}

#[test]
fn only_tensors_that_require_grad_take_hooks() {
    let dropped = Arc::new(());
    let captured = Arc::clone(&dropped);
    let result = Tensor::from(1.0).register_hook(move |_| {
        let _kept = &captured;
        None
    });
    let error = result.unwrap_err().to_string();
    assert!(error.starts_with("register_hook expected the tensor to require grad"), "{error}");
    assert_eq!(Arc::strong_count(&dropped), 1);
}
