"""Writes schedule.json: learning rates of torch.optim.lr_scheduler, for tests/schedule.rs.

Run from the repository root:  .venv/bin/python crates/blitz/tests/reference/make_schedule.py
"""

import json
from pathlib import Path

import torch
from torch.optim import lr_scheduler

HERE = Path(__file__).parent


def rates(scheduler_class, base_lr, steps, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base_lr)
    scheduler = scheduler_class(optimizer, **options)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def main():
    step = [
        {"every": every, "gamma": gamma, "base_lr": base_lr}
        for every, gamma, base_lr in ((1, 0.9, 0.001), (3, 0.1, 0.05), (4, 0.97, 0.3))
    ]
    for case in step:
        case["rates"] = rates(
            lr_scheduler.StepLR, case["base_lr"], 30, step_size=case["every"], gamma=case["gamma"]
        )
    cosine = [
        {"epochs": epochs, "min_lr": min_lr, "base_lr": base_lr}
        for epochs, min_lr, base_lr in ((10, 0.0, 0.1), (7, 0.001, 0.05), (1, 0.0, 0.1))
    ]
    for case in cosine:
        # Also beyond the first fall, where it rises and falls again.
        case["rates"] = rates(
            lr_scheduler.CosineAnnealingLR,
            case["base_lr"],
            2 * case["epochs"] + 3,
            T_max=case["epochs"],
            eta_min=case["min_lr"],
        )
    one_cycle = [
        {"max_lr": 0.1, "epochs": 3, "steps_per_epoch": 20},
        {"max_lr": 0.02, "epochs": 2, "steps_per_epoch": 7, "pct_start": 0.5},
        {
            "max_lr": 0.3,
            "epochs": 1,
            "steps_per_epoch": 11,
            "div_factor": 10.0,
            "final_div_factor": 100.0,
        },
    ]
    for case in one_cycle:
        # OneCycleLR itself steps one time less than there are rates.
        case["rates"] = one_cycle_rates(**case)
    value = {"torch": torch.__version__, "step": step, "cosine": cosine, "one_cycle": one_cycle}
    (HERE / "schedule.json").write_text(json.dumps(value, indent=1) + "\n")


def one_cycle_rates(max_lr, epochs, steps_per_epoch, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=max_lr,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        cycle_momentum=False,
        **options,
    )
    found = [optimizer.param_groups[0]["lr"]]
    for _ in range(epochs * steps_per_epoch - 1):
        optimizer.step()
        scheduler.step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


if __name__ == "__main__":
    main()
