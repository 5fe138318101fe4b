//! Rows of notebook 02.

use crate::row;
use crate::table::{Page, Section};
use blitz::autograd::{
    BackwardOptions, GradOptions, GradcheckOptions, backward, grad, grad_allow_unused, gradcheck,
};
use blitz::prelude::*;

pub fn page() -> Page {
    Page {
        notebook: "02_autograd",
        sections: vec![
            recording(),
            graph(),
            going_backward(),
            vectors(),
            leaving_out(),
            trained_weights(),
            functional(),
            hooks(),
            own_function(),
        ],
    }
}

/// f32 values that require gradients.
fn leaf(values: &[f32]) -> Tensor {
    Tensor::from_slice(values).set_requires_grad(true)
}

fn recording() -> Section {
    let setup = "x = torch.ones(2, 2, requires_grad=True)\ny = x * x";
    let mut s = Section::new("Recording", setup);
    let float_cpu = (Kind::Float, Device::Cpu);
    let x = Tensor::ones([2, 2], float_cpu).set_requires_grad(true);
    let y = &x * &x;
    row!(
        s,
        "torch.ones(2, 2, requires_grad=True)",
        Tensor::ones([2, 2], float_cpu).set_requires_grad(true)
    );
    row!(s, "x * x", &x * &x);
    row!(s, "x.requires_grad", x.requires_grad());
    row!(s, "x.is_leaf", x.is_leaf());
    row!(s, "y.is_leaf", y.is_leaf());
    row!(s, "a = torch.zeros(2); a.requires_grad_(True)", { let a = Tensor::zeros([2], float_cpu).set_requires_grad(true); } "a" => a);
    s
}

fn graph() -> Section {
    let setup = "a = torch.tensor([2., 3.], requires_grad=True)\n\
                 b = torch.tensor([6., 4.], requires_grad=True)\nq = a**3 - b**2\n\
                 power = q.grad_fn.next_functions[0][0]";
    let mut s = Section::new("The graph", setup);
    let (a, b) = (leaf(&[2.0, 3.0]), leaf(&[6.0, 4.0]));
    let q = a.pow_tensor_scalar(3) - b.pow_tensor_scalar(2);
    row!(s, "print(q)", { println!("{}", repr(&q)); } "q" => q);
    row!(s, "q.grad_fn.name()", q.grad_fn().unwrap().name());
    row!(s, "a.grad_fn is None", a.grad_fn().is_none());
    row!(s, "len(q.grad_fn.next_functions)", q.grad_fn().unwrap().next_functions().len());
    row!(s, "function, input_nr = q.grad_fn.next_functions[0]", { let edge = q.grad_fn().unwrap().next_functions().remove(0); } "[function.name(), input_nr]" => (edge.function.unwrap().name(), i64::from(edge.input_nr)));
    let power = q.grad_fn().unwrap().next_functions().remove(0).function.unwrap();
    row!(
        s,
        "power.next_functions[0][0].variable",
        power.next_functions()[0].function.as_ref().unwrap().variable()
    );
    s
}

fn going_backward() -> Section {
    let setup = "w = torch.tensor([2.], requires_grad=True)\nloss = (w * 3).sum()";
    let mut s = Section::new("Backward", setup);
    let w = leaf(&[2.0]);
    let loss = (&w * 3.0).sum(Kind::Float);
    row!(s, "w.grad", w.grad());
    row!(s, "w.grad is None", !w.grad().defined());
    row!(s, "loss.backward()", { loss.backward(); } "w.grad" => w.grad());
    let mut w = leaf(&[2.0]);
    row!(s, "for _ in range(3): (w * 3).sum().backward()", { for _ in 0..3 { (&w * 3.0).sum(Kind::Float).backward(); } } "w.grad" => w.grad());
    row!(s, "loss.backward(); w.grad.zero_()", { w.zero_grad(); } "w.grad" => w.grad());
    let w = leaf(&[2.0]);
    row!(s, "y = w * w; y.retain_grad(); y.sum().backward()", { let y = &w * &w; y.retain_grad().unwrap(); y.sum(Kind::Float).backward(); } "y.grad" => y.grad());
    s
}

fn vectors() -> Section {
    let setup =
        "x = torch.tensor([2., 5.], requires_grad=True)\ny = x * x\nv = torch.tensor([1., 10.])";
    let mut s = Section::new("Vectors", setup);
    let v = Tensor::from_slice(&[1f32, 10.0]);
    let x = leaf(&[2.0, 5.0]);
    let y = &x * &x;
    row!(s, "y.backward(gradient=v)", { y.backward_with(&v).unwrap(); } "x.grad" => x.grad());
    let x = leaf(&[2.0, 5.0]);
    let y = &x * &x;
    row!(s, "torch.autograd.backward([y], [v], retain_graph=True)", { let options = BackwardOptions { gradients: Some(&[&v]), retain_graph: Some(true), ..Default::default() }; backward(&[&y], &options).unwrap(); } "x.grad" => x.grad());
    s
}

fn leaving_out() -> Section {
    let mut s = Section::new("Leaving out", "z = torch.ones(2, requires_grad=True)");
    let z = leaf(&[1.0, 1.0]);
    row!(s, "with torch.no_grad(): w = z * 2", { let w = tch::no_grad(|| &z * 2.0); } "w" => w);
    row!(s, "z.detach()", z.detach());
    {
        let mut z = leaf(&[1.0, 1.0]);
        row!(s, "with torch.no_grad(): z -= 0.5", { tch::no_grad(|| z -= 0.5); } "z" => z);
    }
    row!(s, "z.requires_grad = False", { let z = z.set_requires_grad(false); } "z" => z);
    s
}

fn trained_weights() -> Section {
    let setup = "import io\n\
                 PATH = io.BytesIO()\n\
                 torch.save(nn.ModuleDict({'conv1': nn.Conv2d(1, 2, 3), 'aux': nn.Linear(2, 3)}).state_dict(), PATH)\n\
                 PATH.seek(0)\n\
                 net = nn.ModuleDict({'conv1': nn.Conv2d(1, 2, 3), 'fc': nn.Linear(8, 5)})";
    let mut s = Section::new("Trained weights", setup);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("net.pth");
    let saved = nn::VarStore::new(Device::Cpu);
    conv2d(saved.root() / "conv1", 1, 2, 3);
    linear(saved.root() / "aux", 2, 3);
    checkpoint::save(&saved, &path).unwrap();
    let mut vs = nn::VarStore::new(Device::Cpu);
    conv2d(vs.root() / "conv1", 1, 2, 3);
    linear(vs.root() / "fc", 8, 5);
    row!(s, "missing, unexpected = net.load_state_dict(torch.load(PATH), strict=False)", { let options = LoadOptions { mismatches: Mismatches::Leave, ..Default::default() }; let report = checkpoint::load_with(&mut vs, &path, &options).unwrap(); } "missing, unexpected" => (report.missing, report.unexpected));
    row!(
        s,
        "[(name, list(tensor.shape)) for name, tensor in torch.load(PATH).items()]",
        checkpoint::inspect(&path)
            .unwrap()
            .tensors
            .into_iter()
            .map(|tensor| (tensor.name, tensor.size))
            .collect::<Vec<_>>()
    );
    s
}

fn functional() -> Section {
    let setup = "x = torch.tensor([1., 2., 3.], requires_grad=True)\n\
                 z = torch.ones(3, requires_grad=True)\ny = x ** 3\ntotal = (x ** 3).sum()\nv = torch.tensor([1., 10., 100.])";
    let mut s = Section::new("torch.autograd.grad", setup);
    let (x, z) = (leaf(&[1.0, 2.0, 3.0]), leaf(&[1.0, 1.0, 1.0]));
    let v = Tensor::from_slice(&[1f32, 10.0, 100.0]);
    let y = x.pow_tensor_scalar(3);
    let total = y.sum(Kind::Float);
    row!(s, "grads = torch.autograd.grad(total, [x])", { let grads = grad(&[&total], &[&x], &GradOptions::default()).unwrap(); } "grads" => grads);
    let y = x.pow_tensor_scalar(3);
    row!(s, "grads = torch.autograd.grad(y, [x], grad_outputs=[v])", { let options = GradOptions { grad_outputs: Some(&[&v]), ..Default::default() }; let grads = grad(&[&y], &[&x], &options).unwrap(); } "grads" => grads);
    let total = x.pow_tensor_scalar(3).sum(Kind::Float);
    row!(s, "grads = torch.autograd.grad(total, [x, z], allow_unused=True)", { let grads = grad_allow_unused(&[&total], &[&x, &z], &GradOptions::default()).unwrap(); } "grads" => grads);
    let total = x.pow_tensor_scalar(3).sum(Kind::Float);
    row!(s, "(first,) = torch.autograd.grad(total, [x], create_graph=True)", { let recorded = GradOptions { create_graph: true, ..Default::default() }; let first = grad(&[&total], &[&x], &recorded).unwrap().remove(0); } "torch.autograd.grad(first.sum(), [x])" => grad(&[&first.sum(Kind::Float)], &[&x], &GradOptions::default()).unwrap());
    s
}

fn hooks() -> Section {
    let mut s = Section::new("Hooks", "x = torch.tensor([1., 2.], requires_grad=True)");
    let x = leaf(&[1.0, 2.0]);
    row!(s, "handle = x.register_hook(lambda gradient: gradient / 2); (x * x).sum().backward()", { let handle = x.register_hook(|gradient| Some(gradient / 2.0)).unwrap(); (&x * &x).sum(Kind::Float).backward(); } "x.grad" => { drop(handle); x.grad() });
    row!(s, "handle = x.register_hook(lambda gradient: None); handle.remove()", { let handle = x.register_hook(|_| None).unwrap(); handle.remove(); } "x" => x);
    s
}

struct MyReLU;

impl Function for MyReLU {
    type Output = Tensor;

    fn forward(&self, ctx: &mut Context, [x]: [&Tensor; 1]) -> blitz::Result<Tensor> {
        ctx.save_for_backward(&[x]);
        Ok(x.clamp_min(0.0))
    }

    fn backward(&self, ctx: &Context, gradient: Tensor) -> blitz::Result<[Option<Tensor>; 1]> {
        let [x] = ctx.saved_tensors()?;
        Ok([Some(gradient * x.gt(0.0))])
    }
}

fn own_function() -> Section {
    let setup = "class MyReLU(torch.autograd.Function):\n\
                 \x20   @staticmethod\n\
                 \x20   def forward(ctx, x):\n\
                 \x20       ctx.save_for_backward(x)\n\
                 \x20       return x.clamp(min=0)\n\
                 \x20   @staticmethod\n\
                 \x20   def backward(ctx, gradient):\n\
                 \x20       (x,) = ctx.saved_tensors\n\
                 \x20       return gradient * (x > 0)\n\
                 x = torch.tensor([-1., 2., 3.], dtype=torch.double, requires_grad=True)";
    let mut s = Section::new("Own functions", setup);
    let x = Tensor::from_slice(&[-1f64, 2.0, 3.0]).set_requires_grad(true);
    row!(s, "MyReLU.apply(x)", MyReLU.apply([&x]).unwrap());
    row!(
        s,
        "type(MyReLU.apply(x).grad_fn).__name__",
        MyReLU.apply([&x]).unwrap().grad_fn().unwrap().name()
    );
    row!(
        s,
        "torch.autograd.gradcheck(MyReLU.apply, [x])",
        gradcheck(|[x]| MyReLU.apply([x]), [&x], &GradcheckOptions::default()).is_ok()
    );
    s
}
