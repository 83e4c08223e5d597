#!/usr/bin/env python3
"""Writes random cases of NumPy's semantics, from a seed, for the tests of
frontend/tensor. README.md describes the form of the file. Needs NumPy 2 and
mpmath."""

import argparse
import gzip
import json
import warnings

import numpy as np

import elementwise
import indexing
import linear
import moves
import reductions
from form import Gen

FAMILIES = [elementwise.binary, elementwise.binary, elementwise.scalar_binary, elementwise.unary,
            elementwise.unary, elementwise.functions, elementwise.functions, elementwise.special, elementwise.cast,
            reductions.reduce, reductions.reduce, reductions.cumulative, reductions.search,
            moves.move, moves.move, moves.create, indexing.read, indexing.read, indexing.write,
            indexing.write, indexing.printed, linear.product, linear.host]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("-seed", type=int, default=1)
    p.add_argument("-n", type=int, default=1500)
    p.add_argument("-o", required=True, help="compressed if it ends in .gz")
    o = p.parse_args()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    g, n = Gen(o.seed), 0
    opened = (lambda: gzip.GzipFile(o.o, "wb", mtime=0)) if o.o.endswith(".gz") else (
        lambda: open(o.o, "wb"))
    with opened() as f:
        while n < o.n:
            family = g.turn("family", FAMILIES)
            try:
                c = family(g)
            except (TypeError, ValueError, OverflowError, IndexError, np.linalg.LinAlgError):
                continue  # NumPy has no answer
            f.write((json.dumps(c) + "\n").encode("ascii"))
            n += 1


main()
