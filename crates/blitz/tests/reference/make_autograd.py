"""Writes what PyTorch's autograd gives for the tutorials' examples, as autograd.json beside this
script. crates/blitz/tests/autograd compares.

Run from the repository root:  .venv/bin/python crates/blitz/tests/reference/make_autograd.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).parent


def floats(tensor):
    """Exact: an f32 or f64 is unchanged by the way over JSON."""
    return [float(x) for x in tensor.detach().double().flatten()]


def name(node):
    """The name that a tensor's repr shows."""
    return type(node).__name__


def chain(node, depth=99):
    """The names met by always taking the first edge that leads somewhere."""
    names = []
    while node is not None and len(names) < depth:
        names.append(name(node))
        node = next((f for f, _ in node.next_functions if f is not None), None)
    return names


def tree(node):
    """The graph below a node: [name, [input number, tree]...]; None for an edge to nowhere."""
    if node is None:
        return None
    return [name(node), [[nr, tree(f)] for f, nr in node.next_functions]]


def q_example():
    """Autograd tutorial: Q = 3a^3 - b^2, with an external gradient."""
    a = torch.tensor([2.0, 3.0], requires_grad=True)
    b = torch.tensor([6.0, 4.0], requires_grad=True)
    q = 3 * a**3 - b**2
    q.backward(gradient=torch.tensor([1.0, 1.0]))
    return {"q": floats(q), "a": floats(a.grad), "b": floats(b.grad), "tree": tree(q.grad_fn)}


def while_example():
    """Older autograd tutorial: doubling until the norm reaches 1000, then a vector product."""
    torch.manual_seed(0)
    x = torch.randn(3, requires_grad=True)
    y = x * 2
    steps = 0
    while y.data.norm() < 1000:
        y = y * 2
        steps += 1
    v = torch.tensor([0.1, 1.0, 0.0001])
    y.backward(v)
    return {
        "x": floats(x),
        "y": floats(y),
        "grad": floats(x.grad),
        "steps": steps,
        "chain": chain(y.grad_fn),
    }


def jacobian_product():
    """v^T J of a map from R^3 to R^(2x3), and of two outputs at once."""
    x = torch.tensor([0.5, -1.25, 2.0], requires_grad=True)
    w = torch.tensor([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]], requires_grad=True)
    v = torch.tensor([[1.0, 0.5, -0.75], [2.0, -1.0, 0.1]])
    y = torch.sin(w * x) + torch.exp(x)
    y.backward(v)
    one = {"y": floats(y), "x": floats(x.grad), "w": floats(w.grad)}
    x.grad = w.grad = None
    p, q = (w @ x).tanh(), (x * x).sum()
    torch.autograd.backward([p, q], [torch.tensor([0.3, -2.0]), torch.tensor(1.5)])
    return {**one, "two": {"x": floats(x.grad), "w": floats(w.grad)}}


def higher_derivatives():
    x = torch.tensor([0.5, 1.5, -2.0], dtype=torch.float64, requires_grad=True)
    y = (x**3 * torch.sin(x)).sum()
    (first,) = torch.autograd.grad(y, x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x, create_graph=True)
    (third,) = torch.autograd.grad(second.sum(), x)
    return {"first": floats(first), "second": floats(second), "third": floats(third)}


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x > 0)


class LegendrePolynomial3(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * (5 * x**3 - 3 * x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * 1.5 * (5 * x**2 - 1)


def my_relu():
    """Two layers around MyReLU, as in "PyTorch: Defining New autograd Functions"."""
    torch.manual_seed(0)
    x, target = torch.randn(4, 5), torch.randn(4, 2)
    w1 = torch.randn(5, 3, requires_grad=True)
    w2 = torch.randn(3, 2, requires_grad=True)
    loss = (MyReLU.apply(x.mm(w1)).mm(w2) - target).pow(2).sum()
    loss.backward()
    return {
        "loss": floats(loss),
        "w1": floats(w1.grad),
        "w2": floats(w2.grad),
        "chain": chain(loss.grad_fn),
        "name": name(MyReLU.apply(w1).grad_fn),
    }


def legendre():
    """Twenty steps of the tutorial's fit of sin(x) by a + b P3(c + d x)."""
    x = torch.linspace(-3.0, 3.0, 50)
    y = torch.sin(x)
    a, b, c, d = (torch.tensor(v, requires_grad=True) for v in (0.0, -1.0, 0.0, 0.3))
    losses = []
    for _ in range(20):
        loss = (a + b * LegendrePolynomial3.apply(c + d * x) - y).pow(2).sum()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for p in (a, b, c, d):
                p -= 1e-4 * p.grad
                p.grad = None
    return {"losses": losses, "parameters": [p.item() for p in (a, b, c, d)]}


def lenet():
    """The neural network tutorial's net and loss; parameters drawn in the order of the list."""
    torch.manual_seed(0)
    shapes = [(6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,)]
    shapes += [(120, 400), (120,), (84, 120), (84,), (10, 84), (10,)]
    p = [(torch.randn(s) * 0.1).requires_grad_(True) for s in shapes]
    x, target = torch.randn(1, 1, 32, 32), torch.randn(10).view(1, -1)
    h = F.max_pool2d(F.relu(F.conv2d(x, p[0], p[1])), 2)
    h = F.max_pool2d(F.relu(F.conv2d(h, p[2], p[3])), 2)
    h = torch.flatten(h, 1)
    h = F.relu(F.linear(h, p[4], p[5]))
    h = F.relu(F.linear(h, p[6], p[7]))
    output = F.linear(h, p[8], p[9])
    loss = F.mse_loss(output, target)
    tutorial = [loss.grad_fn]
    tutorial.append(tutorial[0].next_functions[0][0])
    tutorial.append(tutorial[1].next_functions[0][0])
    result = {
        "loss": floats(loss),
        "tutorial": [name(node) for node in tutorial],
        "chain": chain(loss.grad_fn),
        "tree": tree(loss.grad_fn),
    }
    loss.backward()
    result["conv1_bias_grad"] = floats(p[1].grad)
    result["fc3_bias_grad"] = floats(p[9].grad)
    return result


def names():
    """grad_fn of some operations, as a tensor's repr shows it."""
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    b = a * 1
    b[0] = 7.0
    made = {
        "add": a + 2,
        "sub": a - a,
        "mul": a * 3,
        "div": a / 2,
        "mm": a.mm(a),
        "mean": a.mean(),
        "sum": a.sum(),
        "t": a.t(),
        "index": a[0],
        "double": a.double(),
        "abs": a.abs(),
        "softmax": F.log_softmax(a, 1),
        "max": a.max(dim=1)[0],
        "cat": torch.cat([a, a]),
        "in_place_on_view": b,
    }
    return {key: name(tensor.grad_fn) for key, tensor in made.items()}


def hooks():
    """A hook that scales, then one that adds; and the gradient that an intermediate retains."""
    x = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    y = x**2
    y.retain_grad()
    y.register_hook(lambda g: g * 0.5)
    y.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: g * 10)
    (y * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    return {"y": floats(y.grad), "x": floats(x.grad)}


def retain_grad():
    torch.manual_seed(0)
    x = torch.randn(2, 3, requires_grad=True)
    y = x * 2
    y.retain_grad()
    (y**3).mean().backward()
    return {"y": floats(y.grad), "x": floats(x.grad)}


def main():
    examples = {
        "q": q_example(),
        "while": while_example(),
        "jacobian_product": jacobian_product(),
        "higher_derivatives": higher_derivatives(),
        "my_relu": my_relu(),
        "legendre": legendre(),
        "lenet": lenet(),
        "names": names(),
        "hooks": hooks(),
        "retain_grad": retain_grad(),
    }
    value = {"torch": torch.__version__, **examples}
    (HERE / "autograd.json").write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    main()
