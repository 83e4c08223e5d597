"""Latency of tcc beside PyTorch, eager and compiled, in turn in one run.

    python3 bench/torch/latency.py --tcc tcc --threads 1 [--time 1] [NAME...]

The models have seeded random weights and are exported to ONNX for tcc. Needs
torch and onnx (with their exporter); torch.compile needs a C++ compiler. A line
for each model: medians in ms, tcc over the better of the two, and the largest
difference from eager, relative to the largest element.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
import torch
from torch import nn


class Encoder(nn.Module):
    """A transformer encoder, written out: 12 layers, width 384, 6 heads."""

    def __init__(self, layers=12, width=384, heads=6):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(width, heads) for _ in range(layers))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class EncoderLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        b, n, w = x.shape
        h = self.qkv(self.norm1(x)).reshape(b, n, 3, self.heads, w // self.heads)
        q, k, v = h.permute(2, 0, 3, 1, 4).unbind(0)
        a = nn.functional.scaled_dot_product_attention(q, k, v)
        x = x + self.out(a.transpose(1, 2).reshape(b, n, w))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class Bottleneck(nn.Module):
    """A block of ResNet-50 (He et al. 2015; the stride is that of the 3x3 convolution)."""

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width))
        self.short = nn.Identity()
        if stride != 1 or inputs != 4 * width:
            self.short = nn.Sequential(nn.Conv2d(inputs, 4 * width, 1, stride, bias=False),
                                       nn.BatchNorm2d(4 * width))

    def forward(self, x):
        return torch.relu(self.main(x) + self.short(x))


def resnet50():
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
              nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for width, blocks, stride in (64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2):
        for i in range(blocks):
            layers.append(Bottleneck(inputs, width, stride if i == 0 else 1))
            inputs = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 1000))


class Recurrent(nn.Module):
    def __init__(self, kind, inputs, hidden, layers=1):
        super().__init__()
        self.cell = kind(inputs, hidden, layers, batch_first=False)

    def forward(self, x):
        return self.cell(x)[0]


MODELS = {
    "resnet-50": (resnet50, (1, 3, 224, 224)),
    "encoder-12x384-128": (lambda: Encoder(), (1, 128, 384)),
    "encoder-2x384-512": (lambda: Encoder(2), (1, 512, 384)),
    "lstm-256-128": (lambda: Recurrent(nn.LSTM, 256, 256), (128, 1, 256)),
    "lstm-512-128": (lambda: Recurrent(nn.LSTM, 512, 512), (128, 1, 512)),
    "lstm-256-128-b8": (lambda: Recurrent(nn.LSTM, 256, 256), (128, 8, 256)),
    "gru-256-128": (lambda: Recurrent(nn.GRU, 256, 256), (128, 1, 256)),
}


def measure(run, seconds):
    run()
    run()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def compare(name, options, folder):
    torch.manual_seed(1)
    make, shape = MODELS[name]
    model = make().eval()
    x = torch.randn(*shape)
    file = folder / f"{name}.onnx"
    torch.onnx.export(model, (x,), file, input_names=["x"], output_names=["y"],
                      opset_version=17, dynamo=False)
    np.save(folder / "x.npy", x.numpy())
    with torch.inference_mode():
        want = model(x).numpy()
        eager = measure(lambda: model(x), options.time)
        compiled = float("inf")
        if not options.no_compile:
            fast = torch.compile(model)
            compiled = measure(lambda: fast(x), options.time)
    threads = ["-threads", str(options.threads)]
    given = ["-input", f"x={folder / 'x.npy'}"]
    out = subprocess.run([options.tcc, "bench", file, *given, *threads, "-json", "-time",
                          f"{options.time}s"], check=True, capture_output=True)
    ours = json.loads(out.stdout)["median"]
    subprocess.run([options.tcc, "run", file, *given, *threads, "-output-dir", folder],
                   check=True, capture_output=True)
    got = np.load(folder / "y.npy")
    error = np.abs(got - want).max() / np.abs(want).max()
    best = min(eager, compiled)
    print(f"| {name} | {eager * 1e3:.3f} | {compiled * 1e3:.3f} | {ours * 1e3:.3f} | "
          f"{ours / best:.2f} | {error:.1e} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tcc", default="tcc")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--time", type=float, default=1, help="seconds a measurement")
    parser.add_argument("--no-compile", action="store_true", help="eager PyTorch alone")
    parser.add_argument("models", nargs="*", default=list(MODELS), metavar="NAME")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print("| model | eager | torch.compile | tcc | tcc / better | difference |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in options.models:
        with tempfile.TemporaryDirectory() as folder:
            compare(name, options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
