#!/usr/bin/env python3
"""Watch a net freeze in bf16, and see that precheck tells it from the files of one step.

    /usr/bin/python3 data/freeze.py [--rate RATE] [--precheck PROGRAM]

Four times the net of digits.py is trained, from the same weights, on the same
batches, by the same Adam.  Only how the weights are stored differs:

    fp32        float32
    bf16        bf16: weight + update, rounded to the nearest bf16, is the weight
    master      bf16 for the net, which a float32 copy that takes the updates is rounded to
    stochastic  bf16: weight + update, rounded up or down at random, right on average

Gradients and updates are float32 in all four, computed from the stored weights.
bf16 has 8 bits: an update of less than 1/512 of the weight changes nothing, and
no error is raised.  The table has the loss over all training images before some
of the steps and, for the same steps of the bf16 run, the share of the updates
that vanish: as counted here, and as precheck finds it from two files, the
weights and the update of that step.  The two have to be equal, or this fails.

How bad it is depends on the learning rate.  At 1e-4 the bf16 run crawls; at 1e-3 it
gets as many held-out images right as the others, and ends with a loss four times theirs.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import namedtuple

import numpy as np
import torch

import digits

HERE = os.path.dirname(os.path.abspath(__file__))
PRECHECK = os.path.join(os.path.dirname(HERE), "build", "precheck")

RATE = 5e-5                     # Adam's learning rate: about the size of its updates
BATCH = 32
SHOWN = 0, 100, 200, 400, 800, 1600     # the steps in the table; training ends with the last

# A binary64 has 52 bits after the leading one, bf16 has 7: the others are dropped.
DROPPED = np.uint64(52 - 7)
ONE = np.uint64(1)
LAST = ONE << DROPPED           # the last bit that stays


def nearest(x):
    """Round binary64 to the nearest bf16, ties to even, as float32.

    Bits are sign and magnitude, so one addition rounds both signs, and a carry
    out of the fraction leads to the next exponent, as it should.
    """
    bits = x.view(np.uint64)
    odd = bits >> DROPPED & ONE
    return truncate(bits + (LAST >> ONE) - ONE + odd)


def at_random(x, generator):
    """Round binary64 to bf16, away from zero with a chance of the fraction that is dropped."""
    bits = x.view(np.uint64)
    return truncate(bits + generator.integers(LAST, size=x.shape, dtype=np.uint64))


def truncate(bits):
    """Drop what bf16 has no bits for."""
    rounded = (bits >> DROPPED << DROPPED).view(np.float64)
    # Of subnormals bf16 has fewer bits than this keeps, and nothing here comes near its limits.
    magnitude = np.abs(rounded[rounded != 0])
    assert ((magnitude >= 2.0 ** -126) & (magnitude < 2.0 ** 127)).all()
    return rounded.astype(np.float32)


def add(weight, update):
    """weight + update in binary64, where the sum of a bf16 and a float32 is exact, or as good as.

    So it is rounded once, to bf16.  A float32 sum would be rounded already.  Where an update
    is so small that its last bits get lost in binary64 too, the sum is still next to the weight,
    far from the middle between two bf16 (1/512 of the weight or more), and rounds as the exact
    one does.  At random it does so with a chance that is less than 2^-45 off.
    """
    q, u = weight.astype(np.float64), update.astype(np.float64)
    total = q + u
    exact = (total - q == u) & (total - u == q)
    assert (exact | (np.abs(u) < np.abs(q) * 2.0 ** -20)).all()
    return total


class Fp32:
    def __init__(self, weight):
        pass

    def step(self, weight, update):
        return weight + update


class Bf16:
    def __init__(self, weight):
        pass

    def step(self, weight, update):
        return nearest(add(weight, update))


class Master:
    def __init__(self, weight):
        self.master = weight.copy()

    def step(self, weight, update):
        self.master += update
        return nearest(self.master.astype(np.float64))


class Stochastic:
    def __init__(self, weight):
        self.generator = np.random.default_rng(digits.SEED)

    def step(self, weight, update):
        return at_random(add(weight, update), self.generator)


STORAGES = {"fp32": Fp32, "bf16": Bf16, "master": Master, "stochastic": Stochastic}


# A step about to be taken: new is the weight after it, loss and accuracy are those before.
Step = namedtuple("Step", "number weight update new loss accuracy")


class Adam:
    """Adam, as torch has it, but it returns the update and does not apply it."""

    def __init__(self, like, rate):
        self.rate, self.steps = rate, 0
        self.first, self.second = np.zeros_like(like), np.zeros_like(like)

    def update(self, gradient):
        self.steps += 1
        self.first += np.float32(0.1) * (gradient - self.first)
        self.second += np.float32(0.001) * (gradient * gradient - self.second)
        first = self.first / np.float32(1 - 0.9 ** self.steps)
        second = self.second / np.float32(1 - 0.999 ** self.steps)
        return np.float32(-self.rate) * first / (np.sqrt(second) + np.float32(1e-8))


def flatten(net):
    """Put all parameters of the net into one array, and their gradients into another."""
    vector = torch.nn.utils.parameters_to_vector(net.parameters()).detach()
    gradient = torch.zeros_like(vector)
    first = 0
    for parameter in net.parameters():
        part = slice(first, first + parameter.numel())
        parameter.data = vector[part].view_as(parameter)
        parameter.grad = gradient[part].view_as(parameter)
        first = part.stop
    return vector.numpy(), gradient.numpy()


def loss_of(net, x, y):
    return torch.nn.functional.cross_entropy(net(x), y)


def lost_share(step):
    """The share of the updates, those of 0 aside, that leave the weight as it is."""
    some = step.update != 0
    lost = some & (step.new == step.weight)
    return np.count_nonzero(lost) / np.count_nonzero(some)


def ask_precheck(program, step):
    """precheck's lost_rate for this step.  ValueError says why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, name) for name in ("weights.npy", "update.npy")]
        np.save(files[0], step.weight)
        np.save(files[1], step.update)
        command = [program, files[0], "--to", "bf16", "--update", files[1], "--json"]
        try:
            run = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            raise ValueError(f"{program} does not run: {error.strerror}") from error
    if run.returncode != 0:
        raise ValueError(f"{program} failed (exit status {run.returncode}): {run.stderr.strip()}")
    try:
        return json.loads(run.stdout)["tensors"][0]["casts"][0]["update"]["lost_rate"]
    except (json.JSONDecodeError, LookupError, TypeError) as error:
        raise ValueError(f"{program} printed no update.lost_rate: {error!r}") from error


def train(storage, rate, data):
    """Train a new net.  Yield each of the steps to show before it is taken."""
    train_x, train_y, test_x, test_y = data
    digits.seed()
    net = digits.make_net()
    weight, gradient = flatten(net)
    weight[:] = nearest(weight.astype(np.float64))      # all start from what bf16 can hold
    storage, adam = storage(weight), Adam(weight, rate)

    for number, (x, y) in enumerate(digits.batches(train_x, train_y, SHOWN[-1] + 1, BATCH)):
        gradient[:] = 0
        loss_of(net, x, y).backward()
        update = adam.update(gradient)
        new = storage.step(weight, update)
        if number in SHOWN:
            with torch.no_grad():
                loss = loss_of(net, train_x, train_y).item()
            yield Step(number, weight, update, new, loss, digits.accuracy(net, test_x, test_y))
        weight[:] = new


def main():
    parser = argparse.ArgumentParser(description="Watch a net freeze in bf16.")
    parser.add_argument("--precheck", default=PRECHECK, metavar="PROGRAM",
                        help="default build/precheck beside this script's folder")
    parser.add_argument("--rate", type=float, default=RATE, help=f"learning rate (default {RATE})")
    chosen = parser.parse_args()

    digits.seed()
    data = digits.digits()
    losses, accuracies = {number: [] for number in SHOWN}, []
    counted, found, trouble = {}, {}, None
    for name, storage in STORAGES.items():
        for step in train(storage, chosen.rate, data):
            losses[step.number].append(step.loss)
            if name == "bf16":
                counted[step.number] = lost_share(step)
                try:
                    found[step.number] = ask_precheck(chosen.precheck, step)
                except ValueError as error:
                    trouble = error
        accuracies.append(step.accuracy)

    print(f"{'':8}{'loss':>22}{'':22}{'bf16 updates lost':>22}")
    print(row("step", STORAGES, ["counted", "precheck"]))
    for number in SHOWN:
        print(row(number, [f"{loss:.4f}" for loss in losses[number]],
                  [f"{lost[number]:.2%}" if number in lost else "-" for lost in (counted, found)]))
    print(row("held out", [f"{share:.1%}" for share in accuracies], ["right"]))

    if trouble:
        sys.exit(f"freeze.py: no figures from precheck: {trouble}")
    if found != counted:
        sys.exit(f"freeze.py: precheck's figures are not those counted: {found}, {counted}")


def row(label, *columns):
    return f"{label:>8}" + "".join(f"{cell:>11}" for part in columns for cell in part)


if __name__ == "__main__":
    main()
