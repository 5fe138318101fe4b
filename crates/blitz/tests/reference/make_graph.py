"""Writes graph.json: the autograd graphs of tests/graph.rs as PyTorch has them.

Run from the repository root:  .venv/bin/python crates/blitz/tests/reference/make_graph.py
"""

import torch
from make_nn import LeNet
from make_reference import write
from torch import nn


def graph_of(tensor):
    """Nodes, nearest first, with the shapes of leaves; edges by the nodes' positions."""
    nodes = [tensor.grad_fn]
    positions = {tensor.grad_fn: 0}
    edges = []
    for node in nodes:  # grows meanwhile
        for following, _ in node.next_functions:
            if following is not None and following not in positions:
                positions[following] = len(nodes)
                nodes.append(following)
    for position, node in enumerate(nodes):
        for following, input_nr in node.next_functions:
            if following is not None:
                edges.append([position, positions[following], input_nr])
    described = [
        [
            node.name().split("::")[-1],
            list(node.variable.shape) if hasattr(node, "variable") else None,
        ]
        for node in nodes
    ]
    return {"nodes": described, "edges": edges}


def main():
    net = LeNet()
    loss = nn.MSELoss()(net(torch.zeros(1, 1, 32, 32)), torch.zeros(1, 10))
    x = torch.ones(2, 3, requires_grad=True)
    y = x + 2
    first = (y * y * 3).mean()
    a, b = (x.exp() * x).split([1, 2], dim=1)
    branches = (a + b).sum() + b.relu().sum() + x.sum()
    graphs = {"lenet": loss, "first": first, "branches": branches}
    write("graph", {name: graph_of(tensor) for name, tensor in graphs.items()})


if __name__ == "__main__":
    main()
