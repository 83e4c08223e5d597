#!/usr/bin/env python3
"""Start, peak memory, size and load of tcc's executables beside ONNX Runtime, each in processes of their own.

    go build -o /tmp/tcc ./cmd/tcc
    pip install onnxruntime onnx numpy
    python3 bench/onnxruntime/process.py --tcc /tmp/tcc MODELS_DIR [NAME...]

Start is from process start to exit with the outputs written, the median of --runs. Memory is the most that the
process had resident: for tcc of the whole executable, for ONNX Runtime both of the whole Python process and of what
the session and one run add to the process with everything imported. Size is without weights.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def child(*command):
    """Runs a command; returns its seconds and its largest resident set in KiB."""
    start = time.perf_counter()
    pid = os.spawnv(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{command}: status {status}")
    return seconds, usage.ru_maxrss


def peer(path, folder, to):
    """The child process that runs ONNX Runtime once and prints what it took. It imports numpy, which this process
    must not: what a process had resident before it became another program counts as that one's. It writes the
    inputs to the folder `to` as .npy files."""
    import numpy as np
    import onnx
    import onnxruntime as ort
    from onnx import numpy_helper
    feeds = []
    while os.path.exists(name := os.path.join(folder, f"input_{len(feeds)}.pb")):
        tensor = onnx.TensorProto()
        with open(name, "rb") as f:
            tensor.ParseFromString(f.read())
        feeds.append(numpy_helper.to_array(tensor))
        np.save(os.path.join(to, f"{len(feeds) - 1}.npy"), feeds[-1])
    options = ort.SessionOptions()
    options.log_severity_level = 3
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    load = time.perf_counter() - start
    session.run(None, {a.name: x for a, x in zip(session.get_inputs(), feeds)})
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"load": load, "added": after - before, "whole": after,
                      "inputs": [a.name for a in session.get_inputs()]}))


def quiet(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def row(args, name, folder):
    model, ref = os.path.join(folder, "model.onnx"), os.path.join(folder, "ref_0")
    with tempfile.TemporaryDirectory() as tmp:
        exe, out = os.path.join(tmp, "exe"), os.path.join(tmp, "out")
        ort = [json.loads(quiet(sys.executable, __file__, "--peer", model, ref, tmp)) for _ in range(3)]
        feeds = [x for i, name in enumerate(ort[0]["inputs"])
                 for x in ("-input", f"{name}={os.path.join(tmp, str(i))}.npy")]
        quiet(args.tcc, "build", model, "-o", exe, "-cpu", args.cpu)
        runs = [child(exe, *feeds, "-output-dir", out) for _ in range(args.runs)]
        size = os.path.getsize(exe)
    bench = json.loads(quiet(args.tcc, "bench", model, "-input-dir", ref, "-time", "1ms", "-json"))
    print(f"| {name} | {1e3 * statistics.median(r[0] for r in runs):.1f} | "
          f"{max(r[1] for r in runs) / 1024:.1f} | {min(o['added'] for o in ort) / 1024:.1f} | "
          f"{min(o['whole'] for o in ort) / 1024:.0f} | {(size - bench['weight_bytes']) / 1e6:.2f} | "
          f"{1e3 * bench['load']:.3f} | {1e3 * statistics.median(o['load'] for o in ort):.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tcc", default="tcc")
    parser.add_argument("--cpu", default="all", help="levels of the executables")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--peer", nargs=3, metavar=("MODEL", "REF", "TO"), help=argparse.SUPPRESS)
    parser.add_argument("models", nargs="?")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if args.peer:
        peer(*args.peer)
        return
    print("| model | start, ms | memory, MB | ORT adds, MB | ORT whole, MB | size without weights, MB | load, ms "
          "| ORT load, ms |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in args.names or sorted(os.listdir(args.models)):
        folder = os.path.join(args.models, name)
        if os.path.exists(os.path.join(folder, "ref_0")):
            row(args, name, folder)


if __name__ == "__main__":
    main()
