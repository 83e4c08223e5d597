#!/usr/bin/env python3
"""Steps of training, side by side with PyTorch: python3 bench/torch/train.py
[-model cnn,transformer] [-threads 1,2] [-modes eager,compile]. Loss, gradient
and update of AdamW; the median of steps after a warm-up, and the memory that
steps take beside model and batch: of PyTorch by how much the process grows, of
tcc working memory and optimizer state. Optional: needs PyTorch, Go and LLVM."""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torch.nn.functional as F
from torch import nn


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 16, 5, padding=2), nn.Conv2d(16, 32, 3, padding=1)
        self.inner, self.head = nn.Linear(1568, 64), nn.Linear(64, 10)

    def loss(self, x, label):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.cross_entropy(self.head(F.relu(self.inner(x.flatten(1)))), label)


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = (y.view(n, t, self.heads, -1).transpose(1, 2)
                   for y in self.qkv(self.norm1(x)).chunk(3, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(n, t, d))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.chars, self.places = nn.Embedding(65, 256), nn.Embedding(128, 256)
        self.blocks = nn.Sequential(*(Block(256, 4) for _ in range(4)))
        self.norm, self.head = nn.LayerNorm(256), nn.Linear(256, 65, bias=False)

    def loss(self, x, label):
        x = self.blocks(self.chars(x) + self.places.weight)
        return F.cross_entropy(self.head(self.norm(x)).flatten(0, 1), label.flatten())


def batch(model):
    if model == "cnn":
        return torch.rand(64, 1, 28, 28), torch.randint(0, 10, (64,))
    return torch.randint(0, 65, (16, 128)), torch.randint(0, 65, (16, 128))


def measure(model, mode, threads, runs):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    net = CNN() if model == "cnn" else Transformer()
    opt = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-2)
    x, y = batch(model)
    loss = torch.compile(net.loss) if mode == "compile" else net.loss

    def step():
        opt.zero_grad()
        loss(x, y).backward()
        opt.step()

    def rss():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    before = rss()
    for _ in range(3):
        step()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times), rss() - before


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("-model", default="cnn,transformer")
    ap.add_argument("-threads", default="1,2")
    ap.add_argument("-modes", default="eager,compile")
    ap.add_argument("-runs", type=int, default=20)
    ap.add_argument("-one", help=argparse.SUPPRESS)
    args = ap.parse_args()
    if args.one:  # a process of its own for each measurement
        model, mode, threads = args.one.split(",")
        print(json.dumps(measure(model, mode, int(threads), args.runs)))
        return
    with tempfile.TemporaryDirectory() as tmp:
        subprocess.run(["go", "build", "-o", tmp + "/tcc", "./cmd/tcc"], check=True)
        for model in args.model.split(","):
            tir = f"{tmp}/{model}.tir"
            with open(tir, "w") as f:
                subprocess.run(["go", "run", "./bench/torch/step", "-model", model], stdout=f, check=True)
            for threads in args.threads.split(","):
                cmd = [tmp + "/tcc", "bench", tir, "-json", "-threads", threads]
                out = json.loads(subprocess.run(cmd, capture_output=True, check=True).stdout)
                net = CNN() if model == "cnn" else Transformer()
                state = 2 * 4 * sum(p.numel() for p in net.parameters())
                line = (f"{model}, {threads} threads: tcc {1e3 * out['median']:.2f} ms, "
                        f"{(out['arena_bytes'] + state) / 2**20:.0f} MiB")
                for mode in args.modes.split(","):
                    cmd = [sys.executable, __file__, "-one", f"{model},{mode},{threads}",
                           "-runs", str(args.runs)]
                    run = subprocess.run(cmd, capture_output=True)
                    if run.returncode:
                        reason = run.stderr.decode().strip().splitlines()[-1:]
                        line += f", {mode} failed: {' '.join(reason)[:120]}"
                        continue
                    median, rss = json.loads(run.stdout.splitlines()[-1])
                    line += (f", {mode} {1e3 * median:.2f} ms "
                             f"({median / out['median']:.2f}x), {rss:.0f} MiB")
                print(line, flush=True)


if __name__ == "__main__":
    main()
