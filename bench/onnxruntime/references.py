#!/usr/bin/env python3
"""Writes ONNX Runtime's outputs as references for `tcc conform`.

    python3 bench/onnxruntime/references.py DIR...

Each DIR has a model.onnx and folders with input_I.pb; output_I.pb is written beside these.
"""
import glob
import os
import sys

import onnx
import onnxruntime as ort
from onnx import numpy_helper


def main():
    for folder in sys.argv[1:]:
        session = ort.InferenceSession(os.path.join(folder, "model.onnx"), providers=["CPUExecutionProvider"])
        for first in sorted(glob.glob(os.path.join(folder, "*", "input_0.pb"))):
            data = os.path.dirname(first)
            feeds = {}
            for i, arg in enumerate(session.get_inputs()):
                tensor = onnx.TensorProto()
                with open(os.path.join(data, f"input_{i}.pb"), "rb") as f:
                    tensor.ParseFromString(f.read())
                feeds[arg.name] = numpy_helper.to_array(tensor)
            for i, (arg, value) in enumerate(zip(session.get_outputs(), session.run(None, feeds))):
                with open(os.path.join(data, f"output_{i}.pb"), "wb") as f:
                    f.write(numpy_helper.from_array(value, arg.name).SerializeToString())


if __name__ == "__main__":
    main()
