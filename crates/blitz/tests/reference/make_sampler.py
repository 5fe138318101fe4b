"""Which images torch.utils.data.DistributedSampler gives each rank, epoch after epoch.

.venv/bin/python crates/blitz/tests/reference/make_sampler.py
"""

import json
from pathlib import Path

from torch.utils.data import DistributedSampler

HERE = Path(__file__).parent
EPOCHS = 3


def parts(images, world_size, shuffle, drop_last, seed):
    """By epoch and rank."""
    samplers = [
        DistributedSampler(range(images), world_size, rank, shuffle, seed, drop_last)
        for rank in range(world_size)
    ]
    epochs = []
    for epoch in range(EPOCHS):
        for sampler in samplers:
            sampler.set_epoch(epoch)
        epochs.append([list(sampler) for sampler in samplers])
    return epochs


def main():
    cases = []
    for images, world_size in [(12, 1), (12, 2), (13, 2), (13, 3), (14, 4), (11, 5), (5, 5)]:
        for shuffle in [True, False]:
            for drop_last in [True, False]:
                seed = 7 * images + world_size
                epochs = parts(images, world_size, shuffle, drop_last, seed)
                case = {"images": images, "world_size": world_size, "shuffle": shuffle}
                cases.append(case | {"drop_last": drop_last, "seed": seed, "epochs": epochs})
    (HERE / "sampler.json").write_text(json.dumps({"cases": cases}) + "\n")


if __name__ == "__main__":
    main()
