//! Rows of notebook 01.

use crate::row;
use crate::table::{Page, Section};
use blitz::ndarray::Array1;
use blitz::prelude::*;
use blitz::tensor::array;

pub fn page() -> Page {
    Page {
        notebook: "01_tensors",
        sections: vec![
            creating(),
            attributes(),
            adding(),
            indexing(),
            reshaping(),
            multiplying(),
            in_place(),
            numbers(),
            converting(),
            sharing(),
            arrays(),
        ],
    }
}

fn creating() -> Section {
    let mut s = Section::new("Creating tensors", "x_data = torch.tensor([[1, 2], [3, 4]])");
    let x_data = Tensor::from_slice2(&[[1i64, 2], [3, 4]]);
    let float_cpu = (Kind::Float, Device::Cpu);
    row!(s, "float_cpu = torch.float, 'cpu'", { let float_cpu = (Kind::Float, Device::Cpu); } "float_cpu[0]" => float_cpu.0);
    row!(s, "torch.tensor([5.5, 3.0])", Tensor::from_slice(&[5.5f32, 3.0]));
    row!(s, "torch.tensor([[1, 2], [3, 4]])", Tensor::from_slice2(&[[1i64, 2], [3, 4]]));
    row!(s, "x = torch.empty(5, 3)", { let x = Tensor::empty([5, 3], float_cpu); } "x.shape" => x.size());
    row!(s, "torch.rand(5, 3)", Tensor::rand([5, 3], float_cpu));
    row!(s, "torch.randn(5, 3)", Tensor::randn([5, 3], float_cpu));
    row!(
        s,
        "torch.zeros(5, 3, dtype=torch.long)",
        Tensor::zeros([5, 3], (Kind::Int64, Device::Cpu))
    );
    row!(s, "torch.ones(2, 3)", Tensor::ones([2, 3], float_cpu));
    row!(s, "torch.full((2, 2), 7.0)", Tensor::full([2, 2], 7.0, float_cpu));
    row!(s, "torch.arange(12)", Tensor::arange(12i64, (Kind::Int64, Device::Cpu)));
    row!(s, "torch.linspace(0, 1, 5)", Tensor::linspace(0.0, 1.0, 5, float_cpu));
    row!(s, "torch.eye(3)", Tensor::eye(3, float_cpu));
    row!(
        s,
        "x_data.new_ones(5, 3, dtype=torch.double)",
        x_data.new_ones([5, 3], (Kind::Double, x_data.device()))
    );
    row!(s, "torch.ones_like(x_data)", x_data.ones_like());
    row!(
        s,
        "torch.ones_like(x_data, dtype=torch.double, device='cpu')",
        Tensor::ones(x_data.size(), (Kind::Double, Device::Cpu))
    );
    row!(s, "torch.rand_like(x_data, dtype=torch.float)", x_data.to_kind(Kind::Float).rand_like());
    row!(
        s,
        "torch.randn_like(x_data, dtype=torch.float)",
        x_data.to_kind(Kind::Float).randn_like()
    );
    row!(s, "torch.manual_seed(0); r = torch.rand(2)", { tch::manual_seed(0); let r = Tensor::rand([2], float_cpu); } "r" => r);
    row!(s, "torch.manual_seed(0); m = torch.normal(2.0, 3.0, (2, 3))", { tch::manual_seed(0); let m = Tensor::empty([2, 3], float_cpu).normal_(2.0, 3.0); } "m" => m);
    s
}

fn attributes() -> Section {
    let mut s = Section::new("Attributes", "x = torch.rand(3, 4)");
    let x = Tensor::rand([3, 4], (Kind::Float, Device::Cpu));
    row!(s, "x.shape", x.size());
    row!(s, "rows, columns = x.shape", { let (rows, columns) = x.size2().unwrap(); } "(rows, columns)" => (rows, columns));
    row!(s, "x.dtype", x.kind());
    row!(s, "x.device", x.device());
    row!(s, "x.dim()", x.dim());
    row!(s, "x.numel()", x.numel());
    row!(s, "x.stride()", x.stride());
    row!(s, "x.is_contiguous()", x.is_contiguous());
    s
}

fn adding() -> Section {
    let setup = "x = torch.arange(6.).view(2, 3)\ny = torch.full((2, 3), 10.)";
    let mut s = Section::new("Addition", setup);
    let float_cpu = (Kind::Float, Device::Cpu);
    let x = Tensor::arange(6.0, float_cpu).view((2, 3));
    let y = || Tensor::full([2, 3], 10.0, float_cpu);
    let mut y_changed = y();
    let y = y();
    row!(s, "x + y", &x + &y);
    row!(s, "torch.add(x, y)", x.g_add(&y));
    row!(s, "result = torch.empty(2, 3); torch.add(x, y, out=result)", { let result = Tensor::empty([2, 3], float_cpu); let _ = x.add_out(&result, &y); } "result" => result);
    row!(s, "z = y.clone(); z += x", { let mut z = y.copy(); z += &x; } "z" => z);
    {
        let y = &mut y_changed;
        row!(s, "y.add_(x)", { let _ = y.g_add_(&x); } "y" => *y);
    }
    row!(s, "2 * x[0] + 10", 2f64 * x.get(0) + 10.0);
    row!(s, "column = torch.tensor([[0.], [10.]]); row = torch.tensor([1., 2., 3.])", { let column = Tensor::from_slice(&[0f32, 10.0]).view((2, 1)); let row = Tensor::from_slice(&[1f32, 2.0, 3.0]); } "column + row" => &column + &row);
    s
}

fn indexing() -> Section {
    let mut s = Section::new("Indexing", "x = torch.arange(12).view(3, 4)");
    let x = Tensor::arange(12i64, (Kind::Int64, Device::Cpu)).view((3, 4));
    row!(s, "x[0]", x.i(0));
    row!(s, "x[:, 1]", x.i((.., 1)));
    row!(s, "x[..., -1]", x.select(-1, -1));
    row!(s, "x[1, 2]", x.i((1, 2)));
    row!(s, "x[1:3, :2]", x.i((1..3, ..2)));
    row!(s, "x[:-1]", x.slice(0, None, -1, 1));
    row!(s, "x[::2]", x.slice(0, None, None, 2));
    row!(s, "x[[0, 2]]", x.i(vec![0i64, 2]));
    row!(s, "x[None]", x.unsqueeze(0));
    row!(s, "x[x > 6]", x.masked_select(&x.gt(6i64)));
    {
        let x = x.copy();
        row!(s, "x[:, 1] = 0", { let _ = x.i((.., 1)).fill_(0i64); } "x" => x);
    }
    let x = x.copy();
    row!(s, "x[0] = torch.tensor([5, 6, 7, 8])", { x.i(0).copy_(&Tensor::from_slice(&[5i64, 6, 7, 8])); } "x" => x);
    s
}

fn reshaping() -> Section {
    let mut s = Section::new("Shapes", "x = torch.arange(16.).view(4, 4)\na = torch.ones(2, 3)");
    let float_cpu = (Kind::Float, Device::Cpu);
    let x = Tensor::arange(16.0, float_cpu).view((4, 4));
    let a = Tensor::ones([2, 3], float_cpu);
    row!(s, "x.view(16)", x.view(16));
    row!(s, "x.view(-1, 8)", x.view((-1, 8)));
    row!(s, "x.reshape(2, -1)", x.reshape([2, -1]));
    row!(s, "x.t().reshape(16)", x.tr().reshape([16]));
    row!(s, "x.T", x.tr());
    row!(s, "x.flatten()", x.flatten(0, -1));
    row!(s, "a.transpose(0, 1)", a.transpose(0, 1));
    row!(s, "a.permute(1, 0)", a.permute([1, 0]));
    row!(s, "a.unsqueeze(0).shape", a.unsqueeze(0).size());
    row!(s, "a.unsqueeze(0).squeeze(0).shape", a.unsqueeze(0).squeeze_dim(0).size());
    row!(s, "torch.cat([a, a], dim=1)", Tensor::cat(&[&a, &a], 1));
    row!(s, "torch.stack([a, a], dim=0)", Tensor::stack(&[&a, &a], 0));
    s
}

fn multiplying() -> Section {
    let setup = "a = torch.tensor([[1., 2.], [3., 4.]])\nv = torch.tensor([1., 10.])";
    let mut s = Section::new("Products", setup);
    let a = Tensor::from_slice2(&[[1f32, 2.0], [3.0, 4.0]]);
    let v = Tensor::from_slice(&[1f32, 10.0]);
    row!(s, "a * a", &a * &a);
    row!(s, "a.mul(a)", a.g_mul(&a));
    row!(s, "torch.multiply(a, a)", a.multiply(&a));
    row!(s, "a @ a.T", a.matmul(&a.tr()));
    row!(s, "torch.mm(a, a.T)", a.mm(&a.tr()));
    row!(s, "c = torch.empty(2, 2); torch.matmul(a, a.T, out=c)", { let c = a.empty_like(); let _ = a.matmul_out(&c, &a.tr()); } "c" => c);
    row!(s, "a @ v", a.matmul(&v));
    row!(s, "torch.dot(v, v)", v.dot(&v));
    row!(s, "a ** 2", a.pow_tensor_scalar(2));
    row!(s, "a.sqrt()", a.sqrt());
    s
}

fn in_place() -> Section {
    let setup = "x = torch.tensor([[1., 2.], [3., 4.]])\ny = torch.zeros(2, 2)";
    let mut s = Section::new("In place", setup);
    let y = Tensor::zeros([2, 2], (Kind::Float, Device::Cpu));
    let original = Tensor::from_slice2(&[[1f32, 2.0], [3.0, 4.0]]);
    let mut x = original.copy();
    row!(s, "x.copy_(y)", { x.copy_(&y); } "x" => x);
    let mut x = original.copy();
    row!(s, "x.t_()", { let _ = x.t_(); } "x" => x);
    let mut x = original.copy();
    row!(s, "x.add_(5)", { let _ = x.g_add_scalar_(5.0); } "x" => x);
    let mut x = original.copy();
    row!(s, "x -= 1", { x -= 1.0; } "x" => x);
    let mut x = original.copy();
    row!(s, "x.mul_(x)", { let copy = x.copy(); x *= &copy; } "x" => x);
    let mut x = original.copy();
    row!(s, "x.fill_(7)", { let _ = x.fill_(7.0); } "x" => x);
    let mut x = original.copy();
    row!(s, "x.zero_()", { let _ = x.zero_(); } "x" => x);
    s
}

fn numbers() -> Section {
    let setup = "x = torch.arange(6.).view(2, 3)\ny = x.clone()";
    let mut s = Section::new("Numbers and comparisons", setup);
    let x = Tensor::arange(6.0, (Kind::Float, Device::Cpu)).view((2, 3));
    let y = x.copy();
    row!(s, "x.sum()", x.sum(Kind::Float));
    row!(s, "x.mean(dim=0)", x.mean_dim(0, false, Kind::Float));
    row!(s, "x.max()", x.max());
    row!(s, "x.argmax(dim=1)", x.argmax(1, false));
    row!(s, "x.sum().item()", f64::try_from(x.sum(Kind::Float)).unwrap());
    row!(s, "x[1, 2].item()", x.double_value(&[1, 2]));
    row!(s, "torch.equal(x, y)", x == y);
    row!(s, "x == y", x.eq_tensor(&y));
    row!(s, "x > 2", x.gt(2.0));
    row!(s, "torch.allclose(x, y)", x.allclose(&y, 1e-5, 1e-8, false));
    s
}

fn converting() -> Section {
    let mut s = Section::new("Dtypes and devices", "x = torch.tensor([1.9, -1.9, 0.])");
    let x = Tensor::from_slice(&[1.9f32, -1.9, 0.0]);
    let device = Device::Cpu;
    row!(s, "x.to(torch.long)", x.to_kind(Kind::Int64));
    row!(s, "x.to(torch.bool)", x.to_kind(Kind::Bool));
    row!(s, "x.double()", x.to_kind(Kind::Double));
    row!(s, "device = torch.device('cpu')", { let device = Device::Cpu; } "device" => device);
    row!(s, "x.to('cpu')", x.to_device(Device::Cpu));
    row!(s, "x.to('cpu', torch.double)", x.to_device_(Device::Cpu, Kind::Double, false, false));
    row!(s, "device = 'cuda' if torch.cuda.is_available() else 'cpu'; x.to(device)", { let device = Device::cuda_if_available(); let moved = x.to_device(device); } "x.shape" => moved.size());
    let _ = device;
    s
}

fn sharing() -> Section {
    let mut s = Section::new("Sharing and copying", "a = torch.ones(3)");
    let ones = || Tensor::ones([3], (Kind::Float, Device::Cpu));
    let a = ones();
    row!(s, "b = a; b += 1", { let mut b = a.shallow_clone(); b += 1.0; } "a" => a);
    let a = ones();
    row!(s, "b = a.clone(); b += 1", { let mut b = a.copy(); b += 1.0; } "a" => a);
    row!(s, "a.data_ptr() == a.view(3, 1).data_ptr()", a.data_ptr() == a.view((3, 1)).data_ptr());
    row!(s, "a.tolist()", Vec::<f64>::try_from(&a).unwrap());
    s
}

fn arrays() -> Section {
    let mut s = Section::new("Arrays", "t = torch.ones(3)\nn = np.ones(3)");
    let ones = || Tensor::ones([3], (Kind::Float, Device::Cpu));
    let array_of_ones = || Array1::<f64>::ones(3);
    let mut t = ones();
    row!(s, "n = t.numpy()", { let n = array::view::<f32>(&mut t).unwrap(); } "n.tolist()" => n.iter().map(|value| f64::from(*value)).collect::<Vec<_>>());
    row!(s, "n = t.numpy(); t += 1", { t += 1.0; let n = array::view::<f32>(&mut t).unwrap(); } "n.tolist()" => n.iter().map(|value| f64::from(*value)).collect::<Vec<_>>());
    let mut t = ones();
    row!(s, "n = t.numpy(); n += 10", { let mut n = array::view_mut::<f32>(&mut t).unwrap(); n += 10.0; } "t" => t);
    let mut n = array_of_ones();
    row!(s, "t = torch.from_numpy(n); t += 1", { array::with_tensor(&mut n, |t| *t += 1.0).unwrap(); } "n.tolist()" => n.to_vec());
    let n = array_of_ones();
    row!(s, "t = torch.from_numpy(n)", { let t = array::from_array(n); } "t" => t);
    let n = array_of_ones();
    row!(s, "t = torch.from_numpy(n); np.add(n, 1, out=n)", { let mut t = array::from_array(n); array::view_mut::<f64>(&mut t).unwrap().mapv_inplace(|v| v + 1.0); } "t" => t);
    let n = array_of_ones();
    row!(s, "torch.tensor(n)", array::to_tensor(&n));
    let t = ones();
    row!(s, "n = t.numpy().copy()", { let n = array::copy::<f32>(&t).unwrap(); } "n.tolist()" => n.iter().map(|value| f64::from(*value)).collect::<Vec<_>>());
    s
}
