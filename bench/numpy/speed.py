#!/usr/bin/env python3
"""Runs the chain of six elementwise operations over 10M float32 in NumPy and,
in the same run, the benchmarks of frontend/tensor/native; prints both. Needs
NumPy; run it from the repository, on a quiet machine."""

import re
import statistics
import subprocess
import time

import numpy as np


def chain(x):
    one, two, half = np.float32(1), np.float32(2), np.float32(0.5)
    return (np.sqrt(np.abs(x * two + one)) - half) * x


def once(x):
    start = time.perf_counter()
    chain(x)
    return time.perf_counter() - start


def main():
    x = ((np.arange(10_000_000) % 1000) / 100 - 5).astype(np.float32)
    numpy = statistics.median(once(x) for _ in range(15))
    bench = ["go", "test", "-run", "XXX", "-bench", "Add|Chain|NewProcess",
             "./frontend/tensor/native"]
    out = subprocess.run(bench, capture_output=True, text=True, check=True).stdout
    named = r"Benchmark(\w+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op"
    ns = {m[1]: float(m[2]) for m in re.finditer(named, out)}
    first = float(re.search(r"([\d.]+) first-ns/op", out)[1])
    print(f"six operations over 10M float32, NumPy {np.__version__}: {numpy * 1e3:.2f} ms")
    print(f"the same, tensor: {ns['Chain'] / 1e6:.2f} ms, {numpy * 1e9 / ns['Chain']:.1f} times as fast")
    print(f"an addition of 10 elements, recorded, looked up and run: {ns['Add'] / 1e3:.1f} us")
    print(f"the first evaluation of a new process, kernels on disk: {first / 1e6:.2f} ms")


main()
