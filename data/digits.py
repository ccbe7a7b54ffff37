#!/usr/bin/env python3
"""Train a small net on scikit-learn's digits; save one layer's tensors.

    /usr/bin/python3 data/digits.py OUTDIR

The net is 64-128-128-10 with ReLU, trained in float32 with AdamW.  Of its
largest layer (128 x 128) the state after the last step is saved as float32
.npy files: the weight, its gradient, and Adam's two moments.

digits(), make_net(), batches() and train() can be imported on their own:
importing this file trains nothing.  Call seed() first.
"""
import os
import sys

import numpy as np
import torch
from sklearn.datasets import load_digits

SEED = 1
TRAIN = 1437                    # 80 % of the 1797 images; the rest is held out
STEPS = 400
BATCH = 64
LAYER = 2                       # net[2]: the 128 x 128 layer


def seed(value=SEED):
    """Make what follows repeatable: one thread, one seed."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(value)


def digits():
    """The images, scaled to 0..1, and labels: (train_x, train_y, test_x, test_y).

    Always the same random split, whatever seed() was given.
    """
    raw = load_digits()
    order = torch.randperm(len(raw.target), generator=torch.Generator().manual_seed(SEED))
    x = torch.tensor(raw.data / 16, dtype=torch.float32)[order]
    y = torch.tensor(raw.target, dtype=torch.int64)[order]
    return x[:TRAIN], y[:TRAIN], x[TRAIN:], y[TRAIN:]


def make_net(width=128):
    return torch.nn.Sequential(
        torch.nn.Linear(64, width), torch.nn.ReLU(),
        torch.nn.Linear(width, width), torch.nn.ReLU(),
        torch.nn.Linear(width, 10))


def batches(x, y, steps=STEPS, size=BATCH):
    """Yield `steps` random batches; every epoch is a new permutation."""
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(order) < size:
            order = torch.randperm(len(x))
        pick, order = order[:size], order[size:]
        yield x[pick], y[pick]


def train(net, optimizer, pairs):
    """One optimizer step per batch; the last step's gradients stay in the net."""
    for x, y in pairs:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()


def accuracy(net, x, y):
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


def main(outdir):
    seed()
    train_x, train_y, test_x, test_y = digits()
    net = make_net()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01)
    train(net, optimizer, batches(train_x, train_y))
    print(f"accuracy: train {accuracy(net, train_x, train_y):.4f}, "
          f"held out {accuracy(net, test_x, test_y):.4f}")

    weight = net[LAYER].weight
    state = optimizer.state[weight]
    os.makedirs(outdir, exist_ok=True)
    for name, tensor in (("weight", weight.detach()),
                         ("grad", weight.grad),
                         ("exp_avg", state["exp_avg"]),
                         ("exp_avg_sq", state["exp_avg_sq"])):
        np.save(os.path.join(outdir, f"digits-{name}.npy"), tensor.numpy())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: digits.py OUTDIR")
    main(sys.argv[1])
