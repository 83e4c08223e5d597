#!/usr/bin/env python3
"""Latency of tcc beside ONNX Runtime, in one run on one machine.

    go build -o /tmp/tcc ./cmd/tcc
    pip install onnxruntime onnx numpy
    python3 bench/onnxruntime/compare.py --tcc /tmp/tcc --threads 1,2 MODELS_DIR

MODELS_DIR has NAME/model.onnx and NAME/ref_0/input_I.pb. For each model and number of threads the two run in turn,
a b a b ..., each for --time seconds; medians of the rounds are compared. The geometric mean is over the models that
take ONNX Runtime more than 0.1 ms; the others, where its binding's overhead counts, are listed apart.
"""
import argparse
import glob
import json
import math
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper


def inputs(model, folder):
    """The inputs of the session by name, from input_I.pb in the order of the model's inputs."""
    feeds = {}
    for i, arg in enumerate(model.get_inputs()):
        tensor = onnx.TensorProto()
        with open(os.path.join(folder, f"input_{i}.pb"), "rb") as f:
            tensor.ParseFromString(f.read())
        feeds[arg.name] = numpy_helper.to_array(tensor)
    return feeds


class Peer:
    def __init__(self, path, folder, threads):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        start = time.perf_counter()
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.load = time.perf_counter() - start
        self.feeds = inputs(self.session, folder)

    def measure(self, seconds):
        times = []
        end = time.perf_counter() + seconds / 10
        while time.perf_counter() < end:
            self.session.run(None, self.feeds)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 3:
            start = time.perf_counter()
            self.session.run(None, self.feeds)
            times.append(time.perf_counter() - start)
        return statistics.median(times)


def tcc(args, path, folder, threads, seconds):
    out = subprocess.run([args.tcc, "bench", path, "-input-dir", folder, "-threads", str(threads), "-json",
                          "-time", f"{seconds}s"], capture_output=True, text=True)
    if out.returncode != 0:
        raise RuntimeError(out.stderr.strip().splitlines()[-1][:200])
    return json.loads(out.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dirs", nargs="+")
    parser.add_argument("--tcc", default="tcc")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--time", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="substring of the model's name")
    args = parser.parse_args()
    paths = sorted(p for d in args.dirs for p in glob.glob(os.path.join(d, "**", "model.onnx"), recursive=True))
    for threads in [int(t) for t in args.threads.split(",")]:
        rows, failed = [], []
        print(f"\n{'model':26} {'ort ms':>9} {'tcc ms':>9} {'tcc/ort':>8} {'ort load':>9} {'tcc load':>9} "
              f"{'compile s':>9}   ({threads} threads)")
        for path in paths:
            name = os.path.basename(os.path.dirname(path))
            folder = os.path.join(os.path.dirname(path), "ref_0")
            if args.only not in name or not os.path.exists(os.path.join(folder, "input_0.pb")):
                continue
            try:
                peer = Peer(path, folder, threads)
                a, b = [], []
                for _ in range(args.rounds):
                    a.append(peer.measure(args.time))
                    result = tcc(args, path, folder, threads, args.time)
                    b.append(result["median"])
            except Exception as e:  # a model that one of the two cannot run is listed, not compared
                failed.append(f"{name}: {e}")
                continue
            x, y = statistics.median(a), statistics.median(b)
            rows.append((name, x, y))
            print(f"{name:26} {1e3 * x:9.4f} {1e3 * y:9.4f} {y / x:8.2f} {1e3 * peer.load:9.2f} "
                  f"{1e3 * result['load']:9.3f} {result['compile']:9.2f}", flush=True)
        for what, part in (("over 0.1 ms", [r for r in rows if r[1] > 1e-4]),
                           ("the others", [r for r in rows if r[1] <= 1e-4])):
            if part:
                mean = math.exp(sum(math.log(y / x) for _, x, y in part) / len(part))
                print(f"geometric mean of tcc/ort, {len(part)} models {what}: {mean:.3f}")
        for f in failed:
            print("not compared:", f, file=sys.stderr)


if __name__ == "__main__":
    main()
