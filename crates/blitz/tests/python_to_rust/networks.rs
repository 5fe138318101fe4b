//! Rows of notebooks 03 and 04.

use crate::row;
use crate::table::{Page, Section};
use blitz::prelude::*;

pub fn page() -> Page {
    Page {
        notebook: "03_neural_networks",
        sections: vec![
            layers(),
            functions(),
            nets(),
            loss_functions(),
            gradients(),
            training(),
            sizes(),
        ],
    }
}

/// Notebook 04.
pub fn classifier_page() -> Page {
    Page { notebook: "04_cifar10_classifier", sections: vec![pictures(), answers()] }
}

/// The tutorial's net in Python; `Net` below is the same.
const NET: &str = "class Net(nn.Module):\n\
    \x20   def __init__(self):\n\
    \x20       super().__init__()\n\
    \x20       self.conv1 = nn.Conv2d(1, 6, 5)\n\
    \x20       self.fc1 = nn.Linear(6 * 4 * 4, 10)\n\
    \x20   def forward(self, x):\n\
    \x20       x = F.max_pool2d(F.relu(self.conv1(x)), 2)\n\
    \x20       return self.fc1(torch.flatten(x, 1))\n\
    torch.manual_seed(0)\n\
    net = Net()\n\
    input = torch.randn(2, 1, 12, 12)\n\
    target = torch.randn(2, 10)\n";

#[derive(Debug)]
struct Net {
    conv1: Conv2d,
    fc1: Linear,
}

impl Net {
    fn new(root: &nn::Path) -> Net {
        Net { conv1: conv2d(root / "conv1", 1, 6, 5), fc1: linear(root / "fc1", 6 * 4 * 4, 10) }
    }
}

impl Module for Net {
    fn forward(&self, x: &Tensor) -> Tensor {
        x.apply(&self.conv1).relu().max_pool2d_default(2).flatten(1, -1).apply(&self.fc1)
    }
}

/// What [`NET`] makes.
struct Made {
    vs: nn::VarStore,
    net: Net,
    input: Tensor,
    target: Tensor,
}

fn made() -> Made {
    tch::manual_seed(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = Net::new(&vs.root());
    let float_cpu = (Kind::Float, Device::Cpu);
    let input = Tensor::randn([2, 1, 12, 12], float_cpu);
    let target = Tensor::randn([2, 10], float_cpu);
    Made { vs, net, input, target }
}

fn layers() -> Section {
    let mut s = Section::new("Layers", "");
    let vs = nn::VarStore::new(Device::Cpu);
    let root = &vs.root();
    row!(s, "layer = nn.Conv2d(1, 2, 3)", { let layer = conv2d(root / "conv1", 1, 2, 3); } "layer.weight, layer.bias" => (layer.weight, layer.bias));
    row!(s, "layer = nn.Conv2d(1, 2, 3, stride=2, padding=1)", { let options = Conv2dOptions { stride: 2, padding: 1, ..Default::default() }; let layer = conv2d_with(root / "conv2", 1, 2, 3, options); } "str(layer)" => format!("{layer:?}"));
    row!(s, "layer = nn.Linear(4, 2)", { let layer = linear(root / "fc1", 4, 2); } "layer.weight, layer.bias" => (layer.weight, layer.bias));
    row!(s, "net = nn.Sequential(nn.Linear(4, 2), nn.ReLU())", { let net = nn::seq().add(linear(root / "fc2", 4, 2)).add(ReLU); } "str(net)" => describe(&net).to_string());
    row!(s, "net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Flatten())", { let net = nn::seq().add(conv2d(root / "conv3", 1, 2, 3)).add(MaxPool2d::new(2)).add(Flatten::default()); } "str(net)" => describe(&net).to_string());
    s
}

fn functions() -> Section {
    let setup = "x = torch.randn(1, 2, 4, 4)\nconv1 = nn.Conv2d(2, 3, 3)";
    let mut s = Section::new("In forward", setup);
    tch::manual_seed(0);
    let x = Tensor::randn([1, 2, 4, 4], (Kind::Float, Device::Cpu));
    let vs = nn::VarStore::new(Device::Cpu);
    let conv1 = conv2d(vs.root() / "conv1", 2, 3, 3);
    row!(s, "conv1(x)", x.apply(&conv1));
    row!(s, "F.relu(x)", x.relu());
    row!(s, "F.max_pool2d(x, 2)", x.max_pool2d_default(2));
    row!(s, "F.max_pool2d(x, (1, 2))", x.max_pool2d([1, 2], [1, 2], [0, 0], [1, 1], false));
    row!(s, "torch.flatten(x, 1)", x.flat_view());
    row!(s, "x.view(-1, 2 * 4 * 4)", x.view((-1, 2 * 4 * 4)));
    row!(s, "x[0].unsqueeze(0)", x.i(0).unsqueeze(0));
    s
}

fn nets() -> Section {
    let mut s = Section::new("Networks", NET);
    let Made { vs, net, input, .. } = made();
    row!(s, "net(input)", net.forward(&input));
    row!(s, "str(net)", describe(&net).to_string());
    row!(s, "len(list(net.parameters()))", vs.trainable_variables().len());
    row!(
        s,
        "[name for name, _ in net.named_parameters()]",
        named_parameters(&vs).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    );
    row!(s, "sum(p.numel() for p in net.parameters())", count_parameters(&vs));
    row!(s, "net.conv1.weight.shape", net.conv1.weight.size());
    row!(s, "net.conv1.bias", net.conv1.bias);
    s
}

fn loss_functions() -> Section {
    let setup = "guess = torch.tensor([1., 2., 4.])\ntruth = torch.tensor([1., 4., 1.])\n\
                 logits = torch.tensor([[4., 0.5, -1.]])\nclasses = torch.tensor([0])\n\
                 yes_no = torch.tensor([1., 0., 1.])";
    let mut s = Section::new("Losses", setup);
    let guess = Tensor::from_slice(&[1f32, 2.0, 4.0]);
    let truth = Tensor::from_slice(&[1f32, 4.0, 1.0]);
    let logits = Tensor::from_slice2(&[[4f32, 0.5, -1.0]]);
    let classes = Tensor::from_slice(&[0i64]);
    let yes_no = Tensor::from_slice(&[1f32, 0.0, 1.0]);
    row!(s, "nn.MSELoss()(guess, truth)", mse_loss(&guess, &truth).unwrap());
    row!(s, "F.mse_loss(guess, truth, reduction='sum')", guess.mse_loss(&truth, Reduction::Sum));
    row!(s, "nn.L1Loss()(guess, truth)", guess.l1_loss(&truth, Reduction::Mean));
    row!(
        s,
        "nn.SmoothL1Loss(beta=1.0)(guess, truth)",
        guess.smooth_l1_loss(&truth, Reduction::Mean, 1.0)
    );
    row!(
        s,
        "nn.HuberLoss(delta=1.0)(guess, truth)",
        guess.huber_loss(&truth, Reduction::Mean, 1.0)
    );
    row!(s, "nn.CrossEntropyLoss()(logits, classes)", logits.cross_entropy_for_logits(&classes));
    row!(
        s,
        "nn.NLLLoss()(F.log_softmax(logits, 1), classes)",
        logits.log_softmax(1, Kind::Float).nll_loss(&classes)
    );
    row!(
        s,
        "nn.BCEWithLogitsLoss()(guess, yes_no)",
        guess.binary_cross_entropy_with_logits(
            &yes_no,
            None::<Tensor>,
            None::<Tensor>,
            Reduction::Mean
        )
    );
    s
}

fn gradients() -> Section {
    let mut s = Section::new(
        "Gradients of a network",
        format!("{NET}loss = nn.MSELoss()(net(input), target)\nout = net(input)"),
    );
    let Made { vs, net, input, target } = made();
    let loss = mse_loss(&net.forward(&input), &target).unwrap();
    row!(s, "print(loss)", { println!("{}", repr(&loss)); } "loss" => loss);
    row!(
        s,
        "loss.grad_fn.next_functions[0][0].name()",
        loss.grad_fn().unwrap().next_functions()[0].function.as_ref().unwrap().name()
    );
    row!(s, "net.zero_grad()", { zero_grad(&vs); } "net.conv1.bias.grad" => net.conv1.bias.as_ref().unwrap().grad());
    row!(s, "loss.backward()", { loss.backward(); } "net.conv1.bias.grad" => net.conv1.bias.as_ref().unwrap().grad());
    let Made { vs, net, input, .. } = made();
    let out = net.forward(&input);
    row!(s, "out.backward(torch.randn(2, 10))", { out.backward_with(&Tensor::randn([2, 10], (Kind::Float, Device::Cpu))).unwrap(); } "net.fc1.bias.grad" => vs.variables()["fc1.bias"].grad());
    s
}

/// The losses of three steps with an optimizer, to four digits.
fn losses(
    mut optimizer: nn::Optimizer,
    net: &Net,
    (input, target): (&Tensor, &Tensor),
) -> Vec<f64> {
    let mut step = || {
        let loss = mse_loss(&net.forward(input), target).unwrap();
        optimizer.backward_step(&loss);
        (loss.double_value(&[]) * 1e4).round() / 1e4
    };
    (0..3).map(|_| step()).collect()
}

fn training() -> Section {
    let setup = format!(
        "{NET}lr = 0.01\n\
         loss = nn.MSELoss()(net(input), target)\n\
         def losses(optimizer):\n\
         \x20   def step():\n\
         \x20       loss = nn.MSELoss()(net(input), target)\n\
         \x20       optimizer.zero_grad(); loss.backward(); optimizer.step()\n\
         \x20       return round(loss.item(), 4)\n\
         \x20   return [step() for _ in range(3)]\n\
         optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)"
    );
    let mut s = Section::new("Updating the weights", setup);
    let Made { vs, net, input, target } = made();
    let lr = 0.01;
    let loss = mse_loss(&net.forward(&input), &target).unwrap();
    row!(s, "loss.backward(); [p.data.sub_(p.grad * lr) for p in net.parameters()]", { loss.backward(); for mut p in vs.trainable_variables() { tch::no_grad(|| p -= p.grad() * lr); } } "net.conv1.bias" => net.conv1.bias);
    let Made { vs, net, input, target } = made();
    let loss = mse_loss(&net.forward(&input), &target).unwrap();
    row!(s, "optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)", { let optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.01).unwrap(); } "len(optimizer.param_groups[0]['params'])" => { let _ = optimizer; vs.trainable_variables().len() });
    let mut optimizer = nn::sgd(0.9, 0.0, 0.0, false).build(&vs, 0.01).unwrap();
    row!(s, "optimizer.zero_grad(); loss.backward(); optimizer.step()", { optimizer.zero_grad(); loss.backward(); optimizer.step(); } "net.conv1.bias" => net.conv1.bias.as_ref().unwrap());
    let Made { vs, net, input, target } = made();
    row!(s, "optimizer = optim.SGD(net.parameters(), lr=0.01)", { let optimizer = nn::Sgd::default().build(&vs, 0.01).unwrap(); } "losses(optimizer)" => losses(optimizer, &net, (&input, &target)));
    let Made { vs, net, input, target } = made();
    row!(s, "optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)", { let optimizer = nn::sgd(0.9, 0.0, 0.0, true).build(&vs, 0.01).unwrap(); } "losses(optimizer)" => losses(optimizer, &net, (&input, &target)));
    let Made { vs, net, input, target } = made();
    row!(s, "optimizer = optim.Adam(net.parameters(), lr=0.001)", { let optimizer = nn::Adam::default().build(&vs, 0.001).unwrap(); } "losses(optimizer)" => losses(optimizer, &net, (&input, &target)));
    let Made { mut vs, net, input, target } = made();
    row!(s, "optimizer = optim.RMSprop(net.parameters(), lr=0.001)", { let optimizer = nn::RmsProp::default().build(&vs, 0.001).unwrap(); } "losses(optimizer)" => losses(optimizer, &net, (&input, &target)));
    row!(s, "[p.requires_grad_(False) for p in net.parameters()]", { vs.freeze(); } "net.fc1.bias.requires_grad" => net.fc1.bias.as_ref().unwrap().requires_grad());
    s
}

fn sizes() -> Section {
    let mut s = Section::new("Sizes", "n, kernel, padding, stride = 32, 5, 0, 1");
    let (n, kernel, padding, stride) = (32i64, 5, 0, 1);
    row!(s, "(n + 2 * padding - kernel) // stride + 1", (n + 2 * padding - kernel) / stride + 1);
    s
}

fn pictures() -> Section {
    let setup = "bytes = torch.tensor([0, 51, 102, 255], dtype=torch.uint8)\n\
                 picture = torch.arange(12.).view(2, 2, 3) / 12";
    let mut s = Section::new("Pictures", setup);
    let bytes = Tensor::from_slice(&[0u8, 51, 102, 255]);
    let picture = Tensor::arange(12, (Kind::Float, Device::Cpu)).view([2, 2, 3]) / 12;
    row!(s, "bytes.float() / 255", bytes.to_kind(Kind::Float) / 255);
    row!(s, "(picture - 0.5) / 0.5", (&picture - 0.5) / 0.5);
    row!(s, "picture / 2 + 0.5", &picture / 2 + 0.5);
    row!(s, "picture.permute(2, 0, 1)", picture.permute([2, 0, 1]));
    s
}

fn answers() -> Section {
    let setup =
        "logits = torch.tensor([[1., 4., 2.], [3., 0., 5.]])\nlabels = torch.tensor([1, 0])";
    let mut s = Section::new("Answers of a network", setup);
    let logits = Tensor::from_slice2(&[[1f32, 4.0, 2.0], [3.0, 0.0, 5.0]]);
    let labels = Tensor::from_slice(&[1i64, 0]);
    row!(s, "highest, predicted = torch.max(logits, 1)", { let (highest, predicted) = logits.max_dim(1, false); } "highest, predicted" => (highest, predicted));
    row!(s, "logits.argmax(1)", logits.argmax(1, false));
    row!(s, "logits.softmax(1)", logits.softmax(1, Kind::Float));
    row!(s, "nn.CrossEntropyLoss()(logits, labels)", logits.cross_entropy_for_logits(&labels));
    row!(
        s,
        "(logits.argmax(1) == labels).sum().item()",
        logits.argmax(1, false).eq_tensor(&labels).sum(Kind::Int64).int64_value(&[])
    );
    s
}
