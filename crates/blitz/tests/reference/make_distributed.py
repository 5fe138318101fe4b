"""Writes the losses and parameters of Python's DistributedDataParallel, which tests/same_numbers
expects from Rust: 200 steps of the tutorial's net on 2 and on 4 processes, which share the batches
of 4 of make_same_numbers.py.

Values below the key "bits" are as there.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch
from make_same_numbers import Net, by_name, formula_images
from torch import distributed
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset

HERE = Path(__file__).parent
STEPS = 200


def batches():
    """STEPS shuffled batches of 4 from 320 pictures: an epoch has 80."""
    images, labels = formula_images(320)
    images = (images.float() / 255 - 0.5) / 0.5
    generator = torch.Generator().manual_seed(7)
    dataset = TensorDataset(images, labels)
    loader = DataLoader(dataset, batch_size=4, shuffle=True, generator=generator)
    count = 0
    while True:
        for batch in loader:
            if count == STEPS:
                return
            count += 1
            yield batch


def train(rank, world_size):
    """This rank's losses, and the parameters after the last step."""
    torch.manual_seed(0)
    net = Net(channels=3)
    ddp = DistributedDataParallel(net)
    optimizer = torch.optim.SGD(ddp.parameters(), lr=0.001, momentum=0.9)
    losses = []
    for images, labels in batches():
        optimizer.zero_grad()
        loss = F.cross_entropy(ddp(images[rank::world_size]), labels[rank::world_size])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, by_name(net.named_parameters())


def worker():
    """One process of torchrun's; the first one prints what all have."""
    distributed.init_process_group("gloo")
    rank, world_size = distributed.get_rank(), distributed.get_world_size()
    losses, parameters = train(rank, world_size)
    ranks = [None] * world_size
    distributed.all_gather_object(ranks, (losses, parameters))
    assert all(parameters == other for _, other in ranks)
    if rank == 0:
        print(json.dumps({"losses": [losses for losses, _ in ranks], "parameters": parameters}))
    # Whoever ended while others still receive would be a lost connection to them.
    distributed.monitored_barrier()
    distributed.destroy_process_group()


def launch(world_size):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    torchrun += ["--local-addr", "127.0.0.1", "--nproc-per-node", str(world_size), __file__]
    # One thread a process, as the test's processes have.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    output = subprocess.run(torchrun, env=environment, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(output)


def main():
    value = {"torch": torch.__version__.split("+")[0]}
    for world_size in (2, 4):
        value[f"{world_size} ranks"] = launch(world_size)
    (HERE / "distributed.json").write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    worker() if "RANK" in os.environ else main()
