"""Trains the tutorial's classifier in PyTorch for `cargo blitz bench train`.

Usage: train.py tutorial DATA IMAGES EPOCHS SEED TEST [DEVICE] [--batch-size=N]
       train.py eager DATA IMAGES EPOCHS SEED TEST THREADS FUSED [DEVICE] [--batch-size=N]
       train.py compiled DATA IMAGES EPOCHS SEED TEST THREADS FUSED [DEVICE] [--batch-size=N]
       train.py step DEVICE WIDTH SECONDS

tutorial  the loop of PyTorch's tutorial: pictures as PIL images through ToTensor and Normalize, a
          DataLoader with two workers, the loss read in each step
eager     the best plain loop: images normalised before, batches taken by index, no workers; with
          THREADS threads, and SGD's fused kernel if FUSED is 1. On a GPU the images lie there, and
          the losses are added up there and read once an epoch
compiled  the same with torch.compile(net), without the time that compiling takes
step      one batch again and again, the best plain step, for a net of WIDTH channels between the
          convolutions: steps per second

DATA is a directory of CIFAR-10's binary files; IMAGES are the first ones to train on (0: all). With
TEST 1 the accuracy on the test images is measured. DEVICE is cpu and N is 4 where they are not
given. Prints one line of JSON.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset

OPTION = "--batch-size="
GIVEN = [word.removeprefix(OPTION) for word in sys.argv if word.startswith(OPTION)]
BATCH_SIZE = int(GIVEN[0]) if GIVEN else 4
# Not timed: workers start, libraries choose their kernels.
WARM_UP = 50


class Net(nn.Module):
    def __init__(self, width=6):
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


def read(directory, names):
    """Pictures u8 [N, 3, 32, 32] and labels [N] of the binary files."""
    parts = [np.fromfile(Path(directory, name), np.uint8).reshape(-1, 3073) for name in names]
    records = np.concatenate(parts)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


def train_files(directory):
    return sorted(path.name for path in Path(directory).glob("data_batch_*.bin"))


class Pictures(Dataset):
    """What torchvision's CIFAR10 does: the bytes in memory, each picture made a PIL image."""

    def __init__(self, images, labels, transform):
        self.data = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        self.targets = labels.tolist()
        self.transform = transform

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        from PIL import Image

        return self.transform(Image.fromarray(self.data[index])), self.targets[index]


def kilobytes(pid, key="VmHWM"):
    """The most memory that a process has had."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(key + ":")), 0)


class Clock:
    """Counts batches and their time, without the first ones."""

    def __init__(self, batches):
        self.uncounted = min(WARM_UP, batches // 2)
        self.batches = 0
        self.seconds = 0.0
        self.started = None
        self.epoch_started = None
        self.epoch_seconds = []

    def start_epoch(self):
        self.epoch_started = time.perf_counter()
        if self.uncounted == 0:
            self.started = time.perf_counter()

    def batch(self):
        if self.uncounted == 0:
            self.batches += 1
            return
        self.uncounted -= 1
        if self.uncounted == 0:
            self.started = time.perf_counter()

    def end_epoch(self):
        now = time.perf_counter()
        self.seconds += now - self.started
        self.epoch_seconds.append(now - self.epoch_started)
        self.started = None


def tutorial(images, labels, epochs, seed, clock, device):
    import torchvision.transforms as transforms

    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))]
    )
    generator = torch.Generator().manual_seed(seed)
    trainloader = DataLoader(
        Pictures(images, labels, transform),
        batch_size=BATCH_SIZE,
        shuffle=True,
        num_workers=2,
        generator=generator,
    )
    torch.manual_seed(seed)
    net = Net().to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    losses, workers_peak = [], 0
    for _epoch in range(epochs):
        running_loss = 0.0
        clock.start_epoch()
        batches = iter(trainloader)
        workers = [worker.pid for worker in batches._workers]
        for i, data in enumerate(batches):
            inputs, targets = data[0].to(device), data[1].to(device)
            optimizer.zero_grad()
            outputs = net(inputs)
            loss = criterion(outputs, targets)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
            clock.batch()
            if i == len(trainloader) - 20:  # later the workers may be gone
                workers_peak = max(workers_peak, sum(kilobytes(pid) for pid in workers))
        clock.end_epoch()
        losses.append(running_loss / len(trainloader))
    return net, losses, workers_peak


def eager(images, labels, epochs, seed, clock, fused, compiled, device):
    images = torch.from_numpy(images).to(device).float().div_(255).sub_(0.5).div_(0.5)
    labels = torch.from_numpy(labels).to(device)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    net = Net().to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.001, momentum=0.9, fused=fused)
    on_cpu = device.type == "cpu"
    # An epoch's last batch may be smaller, and would be compiled while the clock runs.
    whole = torch.compile(net) if compiled else net
    losses = []
    for _epoch in range(epochs):
        clock.start_epoch()
        # As DataLoader draws: a seed for workers, the order, and one more order when it runs out.
        torch.empty((), dtype=torch.int64).random_(generator=generator)
        order = torch.randperm(len(labels), generator=generator).to(device)
        running_loss = 0.0 if on_cpu else torch.zeros((), dtype=torch.float64, device=device)
        count = 0
        for index in order.split(BATCH_SIZE):
            inputs, targets = images[index], labels[index]
            optimizer.zero_grad()
            forward = whole if len(targets) == BATCH_SIZE else net
            loss = criterion(forward(inputs), targets)
            loss.backward()
            optimizer.step()
            # Reading a loss waits until the GPU has caught up.
            running_loss += loss.item() if on_cpu else loss.detach()
            count += 1
            clock.batch()
        torch.randperm(len(labels), generator=generator)
        losses.append(float(running_loss) / count)
        clock.end_epoch()
    return net, losses, 0


def step(device, width, seconds):
    """Steps per second on one batch, as `width_speed` in Rust counts them."""
    torch.manual_seed(0)
    net = Net(width).to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.001, momentum=0.9, fused=True)
    pixels = torch.linspace(-1, 1, BATCH_SIZE * 3 * 32 * 32, device=device)
    inputs = pixels.view(BATCH_SIZE, 3, 32, 32)
    targets = torch.arange(BATCH_SIZE, device=device) % 10

    def run(least, time_limit):
        started, count = time.perf_counter(), 0
        while True:
            optimizer.zero_grad()
            loss = criterion(net(inputs), targets)
            loss.backward()
            optimizer.step()
            count += 1
            if count >= least and time.perf_counter() - started >= time_limit:
                loss.item()
                return count / (time.perf_counter() - started)

    run(WARM_UP, 0)
    return run(1, seconds)


@torch.no_grad()
def accuracy(net, directory, device):
    images, labels = read(directory, ["test_batch.bin"])
    images = torch.from_numpy(images).float().div_(255).sub_(0.5).div_(0.5)
    hits = [net(part.to(device)).argmax(1).cpu() for part in images.split(100)]
    return (torch.cat(hits) == torch.from_numpy(labels)).double().mean().item()


def main():
    if sys.argv[1] == "step":
        device, width, seconds = sys.argv[2:]
        speed = step(torch.device(device), int(width), float(seconds))
        print(json.dumps({"steps_per_second": speed, "torch": torch.__version__}))
        return
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    mode, directory, count, epochs, seed, test, *setting = words
    unpacked = Path(directory, "cifar-10-batches-bin")
    directory = unpacked if unpacked.is_dir() else directory
    images, labels = read(directory, train_files(directory))
    count = int(count) or len(labels)
    images, labels = images[:count], labels[:count]
    clock = Clock(-(-len(labels) // BATCH_SIZE))
    threads, fused = ("0", "0") if mode == "tutorial" else (setting.pop(0), setting.pop(0))
    device = torch.device(setting[0] if setting else "cpu")
    common = (images, labels, int(epochs), int(seed), clock)
    if mode == "tutorial":
        net, losses, workers = tutorial(*common, device)
    else:
        torch.set_num_threads(int(threads))
        net, losses, workers = eager(*common, fused == "1", mode == "compiled", device)
    result = {
        "seconds": clock.seconds,
        "epoch_seconds": clock.epoch_seconds,
        "batches": clock.batches,
        "losses": losses,
        "peak_kb": kilobytes("self") + workers,
        "accuracy": accuracy(net, directory, device) if test == "1" else None,
        "torch": torch.__version__,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
