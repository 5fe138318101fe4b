"""Trains the tutorial's net by DistributedDataParallel for `cargo blitz bench distributed`.

Usage: distributed.py DATA WIDTH BATCH_SIZE IMAGES EPOCHS

Alone, or started by torchrun as one process of several, each with batches of BATCH_SIZE and one
thread. The best plain loop: images normalised before, batches taken by index, SGD's fused kernel.
WIDTH is the number of channels between the convolutions; DATA is a directory of CIFAR-10's binary
files, of which the first IMAGES train. Rank 0 prints one line of JSON.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn, optim
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DistributedSampler

# Not timed: buckets are arranged anew after the first step, libraries choose their kernels.
WARM_UP = 50


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(width, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def read(directory, count):
    """Pictures f32 [N, 3, 32, 32], normalised, and labels [N]."""
    names = sorted(Path(directory).glob("data_batch_*.bin"))
    parts = [np.fromfile(name, np.uint8).reshape(-1, 3073) for name in names]
    records = np.concatenate(parts)[:count]
    images = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy())
    labels = torch.from_numpy(records[:, 0].astype(np.int64))
    return images.float().div_(255).sub_(0.5).div_(0.5), labels


def orders(count, epochs, world_size):
    """The indices of this rank's images, epoch by epoch."""
    if world_size > 1:
        sampler = DistributedSampler(range(count), shuffle=True, seed=0)
        for epoch in range(epochs):
            sampler.set_epoch(epoch)
            yield torch.tensor(list(sampler))
        return
    generator = torch.Generator().manual_seed(0)
    for _epoch in range(epochs):
        yield torch.randperm(count, generator=generator)


def train(net, images, labels, orders, batch_size):
    """Seconds and number of the timed steps, and the mean loss of each epoch."""
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.001, momentum=0.9, fused=True)
    seconds, steps, losses, warm_up = 0.0, 0, [], None
    for order in orders:
        batches = order.split(batch_size)
        warm_up = min(WARM_UP, len(batches) // 2) if warm_up is None else 0
        running_loss = 0.0
        started = time.perf_counter()
        for i, index in enumerate(batches):
            if i == warm_up:
                started = time.perf_counter()
            optimizer.zero_grad()
            loss = criterion(net(images[index]), labels[index])
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        seconds += time.perf_counter() - started
        steps += len(batches) - warm_up
        losses.append(running_loss / len(batches))
    return seconds, steps, losses


def peak_kb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def main():
    directory, *numbers = sys.argv[1:]
    width, batch_size, count, epochs = map(int, numbers)
    torch.set_num_threads(1)
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    unpacked = Path(directory, "cifar-10-batches-bin")
    images, labels = read(unpacked if unpacked.is_dir() else directory, count)
    torch.manual_seed(0)
    net = Net(width)
    rank = 0
    if world_size > 1:
        dist.init_process_group("gloo")
        rank = dist.get_rank()
        net = DistributedDataParallel(net)
    order = orders(len(labels), epochs, world_size)
    seconds, steps, losses = train(net, images, labels, order, batch_size)
    if rank == 0:
        result = {
            "seconds": seconds,
            "batches": steps,
            "losses": losses,
            "peak_kb": peak_kb(),
            "torch": torch.__version__,
        }
        print(json.dumps(result), flush=True)
    if world_size > 1:
        dist.monitored_barrier()
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
