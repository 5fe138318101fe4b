//! Rows of notebook 05. The tests' world has one process: what more of them give is in
//! `tests/distributed`.

use crate::row;
use crate::table::{Page, Section};
use blitz::prelude::*;
use tch::nn::ModuleT;

pub fn page() -> Page {
    Page { notebook: "05_data_parallel", sections: vec![devices(), processes(), training()] }
}

const IMPORTS: &str = "import torch.distributed as dist\n\
    from torch.nn.parallel import DistributedDataParallel\n\
    if dist.is_initialized(): dist.destroy_process_group()\n\
    environment = {'store': dist.HashStore(), 'rank': 0, 'world_size': 1}\n";

/// A world of one, which needs no launcher; Python's needs to be told.
const INIT: &str = "dist.init_process_group('gloo', **environment)\n";

fn devices() -> Section {
    // Without a GPU Python's has one replica, and no list of devices.
    let setup = "model = nn.DataParallel(nn.Linear(5, 2))\ninput = torch.ones(3, 5)\n";
    let mut s = Section::new("Several devices in one process", setup);
    let vs = nn::VarStore::new(Device::Cpu);
    let devices = [Device::Cpu, Device::Cpu];
    let input = Tensor::ones([3, 5], (Kind::Float, Device::Cpu));
    row!(s, "model = nn.DataParallel(nn.Linear(5, 2))", { let model = DataParallel::new(&vs, &devices, |root| linear(root / "fc", 5, 2)).unwrap(); } "str(model)" => describe(&model).to_string());
    tch::manual_seed(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let make = |root: &nn::Path| linear(root / "fc", 5, 2);
    let model = DataParallel::new(&vs, &devices, make).unwrap();
    // The outputs of two replicas are put together, that of the only one is not.
    row!(s, "output = model(input)", { let output = model.forward_t(&input, true); } "output.detach()" => output.detach());
    row!(s, "model.module.weight", &model.net().weight);
    s
}

fn processes() -> Section {
    let setup = format!("{IMPORTS}{INIT}t = torch.tensor([1., 2.])\n");
    let mut s = Section::new("Processes", setup);
    let group = distributed::init(&InitOptions::default()).unwrap();
    let t = || Tensor::from_slice(&[1.0f32, 2.0]);
    row!(s, "dist.get_rank()", group.rank());
    row!(s, "dist.get_world_size()", group.world_size());
    let mut t = t();
    row!(s, "dist.all_reduce(t)", { group.all_reduce(&mut t, ReduceOp::Sum).unwrap(); } "t" => t);
    row!(s, "dist.all_reduce(t, op=dist.ReduceOp.MAX)", { group.all_reduce(&mut t, ReduceOp::Max).unwrap(); } "t" => t);
    row!(s, "dist.broadcast(t, src=0)", { group.broadcast(&mut t, 0).unwrap(); } "t" => t);
    row!(s, "all = [torch.empty(2)]; dist.all_gather(all, t)", { let all = group.all_gather(&t).unwrap(); } "all[0]" => &all[0]);
    row!(s, "dist.barrier()", { group.barrier().unwrap(); } "dist.get_rank()" => group.rank());
    s
}

fn training() -> Section {
    let setup = format!("{IMPORTS}{INIT}net = nn.Linear(4, 2)\nx = torch.ones(1, 4)\n");
    let setup = format!("{setup}ddp = DistributedDataParallel(net)\n");
    let mut s = Section::new("Training by several processes", setup);
    let group = distributed::init(&InitOptions::default()).unwrap();
    tch::manual_seed(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = linear(vs.root() / "fc", 4, 2);
    let x = Tensor::ones([1, 4], (Kind::Float, Device::Cpu));
    row!(s, "ddp = DistributedDataParallel(net)", { let ddp = DistributedDataParallel::new(net, &vs, &group, DdpOptions::default()).unwrap(); } "ddp(x)" => ddp.forward_t(&x, true));
    tch::manual_seed(0);
    let vs = nn::VarStore::new(Device::Cpu);
    let net = linear(vs.root() / "fc", 4, 2);
    let ddp = DistributedDataParallel::new(net, &vs, &group, DdpOptions::default()).unwrap();
    row!(s, "ddp.module.weight", &ddp.net().weight);
    row!(s, "with ddp.no_sync(): ddp(x).sum().backward()", { ddp.no_sync(|| ddp.forward_t(&x, true).sum(Kind::Float).backward()); } "net.weight.grad" => ddp.net().weight.grad());
    s
}
