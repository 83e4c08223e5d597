#!/usr/bin/env python3
"""Products of f32 matrices beside NumPy (OpenBLAS) and PyTorch, in GFLOP/s:
python3 bench/products/compare.py --tcc tcc [--sizes 256,512,1024,2048] [--threads 1,2]
[--form plain|transposed|both] [--time 0.3] [--rounds 3]. Each figure is the median over
the rounds, in which the three are measured in turn, each in a process of its own; both
operands are of the run. Optional: needs NumPy with OpenBLAS, whose AVX-512 kernels are
asked for, and PyTorch."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

FORMS = {"plain": ("a @ b", 0), "transposed": ("a @ b.T", 1)}


def graph(n, form):
    _, axis = FORMS[form]
    return (f"graph f\n\tv0 = param <f32[{n},{n}]> {{a}}\n\tv1 = param <f32[{n},{n}]> {{b}}\n"
            f"\tv2 = dot <f32[{n},{n}]> v0 v1 {{lcontract=[1] rcontract=[{axis}]}}\n\treturn v2\n")


def median(f, seconds):
    """The median time of f, called for about that long, after a call to warm up."""
    f()
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def other(library, n, form, threads, seconds):
    """A product by a library, into a result that is there already."""
    transposed = form == "transposed"
    if library == "numpy":
        import numpy as np
        a, b, out = (np.random.rand(n, n).astype(np.float32) - 0.5 for _ in range(3))
        b = b.T if transposed else b
        return median(lambda: np.matmul(a, b, out=out), seconds)
    import torch
    torch.set_num_threads(threads)
    a, b, out = (torch.rand(n, n) - 0.5 for _ in range(3))
    b = b.T if transposed else b
    return median(lambda: torch.matmul(a, b, out=out), seconds)


def measure(who, args, n, form, threads, tir):
    if who == "tcc":
        cmd = [args.tcc, "bench", tir, "-json", "-threads", str(threads), "-time", f"{args.time}s"]
        out = subprocess.run(cmd, capture_output=True, check=True).stdout
        return json.loads(out)["median"]
    env = os.environ | {"OPENBLAS_CORETYPE": "SkylakeX", "OPENBLAS_NUM_THREADS": str(threads),
                        "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    cmd = [sys.executable, __file__, "--one", f"{who},{n},{form},{threads},{args.time}"]
    return float(subprocess.run(cmd, capture_output=True, check=True, env=env).stdout)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--tcc", default="tcc")
    ap.add_argument("--sizes", default="256,512,1024,2048")
    ap.add_argument("--threads", default="1,2")
    ap.add_argument("--form", default="both", choices=[*FORMS, "both"])
    ap.add_argument("--time", type=float, default=0.3)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--one", help=argparse.SUPPRESS)
    args = ap.parse_args()
    if args.one:
        who, n, form, threads, seconds = args.one.split(",")
        print(other(who, int(n), form, int(threads), float(seconds)))
        return
    print("| product | n | threads | tcc | OpenBLAS | PyTorch | tcc / better |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as tmp:
        for form in FORMS if args.form == "both" else [args.form]:
            for n in map(int, args.sizes.split(",")):
                tir = f"{tmp}/{form}{n}.tir"
                with open(tir, "w") as f:
                    f.write(graph(n, form))
                for threads in map(int, args.threads.split(",")):
                    times = {who: [] for who in ("tcc", "numpy", "torch")}
                    for _ in range(args.rounds):
                        for who in times:
                            times[who].append(measure(who, args, n, form, threads, tir))
                    tcc, blas, torch = (2e-9 * n**3 / statistics.median(t) for t in times.values())
                    print(f"| {FORMS[form][0]} | {n} | {threads} | {tcc:.0f} | {blas:.0f} | {torch:.0f} "
                          f"| {tcc / max(blas, torch):.2f} |", flush=True)


if __name__ == "__main__":
    main()
