"""Cases of reductions, running sums, sorting and searching."""

import math

import numpy as np

from form import DTYPES, EPS, FLOATS, NAMES, case, opt, want

REDUCE = {"Sum": np.sum, "Prod": np.prod, "Mean": np.mean, "Max": np.max, "Min": np.min,
          "Var": np.var, "Std": np.std, "Any": np.any, "All": np.all,
          "CountNonzero": np.count_nonzero}


def bounds(name, a, axes, r, keep, n, **kw):
    """The exact result and an absolute bound of the error, for sums of floats:
    n*u*sum|x| and what follows from it."""
    u = n * EPS[r.dtype.name]
    wide = a.astype(np.float64)
    f = {k: v for k, v in kw.items() if k != "dtype"}
    size = np.sum(np.abs(wide), axis=axes, keepdims=keep)
    largest = np.max(np.abs(wide), axis=axes, keepdims=keep, initial=0)
    if name in ("Sum", "Mean"):
        e = REDUCE[name](wide, axis=axes, keepdims=keep)
        b = 2 * u * size / (1 if name == "Sum" else max(n, 1))
    elif name == "Prod":
        e = np.prod(wide, axis=axes, keepdims=keep)
        b = 4 * u * np.abs(e)
    else:
        e = np.var(wide, axis=axes, keepdims=keep, **f)
        scale = n / max(n - kw.get("ddof", 0), 1e-9)
        b = 8 * u * e + 8 * scale * (u * largest)**2
        if name == "Std":
            e = np.sqrt(e)
            b = np.where(e > 0, b / np.maximum(e, 1e-300), np.sqrt(b))
    smallest = {"float16": 2.0**-24, "float32": 2.0**-149, "float64": 5e-324}[r.dtype.name]
    return e, np.where(np.isfinite(b), b, 0) + smallest * max(n, 1)


def reduce(g):
    name = g.turn("reduce", list(REDUCE))
    a = g.array(g.shape(), g.turn("reduce type", DTYPES + FLOATS))
    sets = range(2**a.ndim)
    chosen = g.turn(f"axes {a.ndim}", sets)
    axes = [i for i in range(a.ndim) if chosen >> i & 1]
    n = int(np.prod([a.shape[i] for i in axes])) if axes else a.size
    axes = [x - a.ndim if g.chance(0.3) else x for x in axes]
    keep = bool(g.chance(0.5))
    kw, reduce_opts = {}, [opt("KeepDims", keep)]
    if name in ("Var", "Std") and g.chance(0.4) and n > 1:
        kw["ddof"] = 1
        reduce_opts.append(opt("Correction", 1))
    if name in ("Sum", "Prod", "Mean") and g.chance(0.2):
        kw["dtype"] = "float64"
        reduce_opts.append(opt("As", "dtype:f64"))
    r = np.asarray(REDUCE[name](a, axis=tuple(axes) if axes else None, keepdims=keep, **kw))
    if name == "CountNonzero":
        r = r.astype(np.int64)
    w = want(r, zero=name in ("Max", "Min"))
    if r.dtype.kind == "f" and name not in ("Max", "Min"):
        if r.dtype == np.float16 and not np.isfinite(r).all():
            raise ValueError("float16 overflows where the sum is rounded, which is left open")
        e, b = bounds(name, a, tuple(axes) if axes else None, r, keep, n, **kw)
        e = np.where(np.isfinite(e), e, r.astype(np.float64))
        w = want(r, None, 2, b)
        w["exact"] = __import__("form").b64(np.asarray(e, dtype=np.float64))
    return case(name, [a], w, axes, reduce=reduce_opts)


def cumulative(g):
    name, f = g.turn("cumulative", [("CumSum", np.cumulative_sum), ("CumProd", np.cumulative_prod)])
    a = g.array(g.shape(rank=g.int(1, 4)), None, False)
    axis, first = g.axis(a), bool(g.chance(0.4))
    r = f(a, axis=axis, include_initial=first)
    opts = [opt("IncludeInitial")] if first else []
    if r.dtype.kind != "f":
        return case(name, [a], r, [axis], reduce=opts)
    if not np.isfinite(r).all():
        raise ValueError("overflow")
    u = 4 * max(a.shape[axis], 1) * EPS[r.dtype.name]
    size = f(np.abs(a.astype(np.float64)), axis=axis, include_initial=first)
    return case(name, [a], want(r, None, 2, u * size + 2.0**-24 * (r.dtype == np.float16)), [axis],
                reduce=opts)


def descending(a, axis):
    """Places that sort from the largest down, stably."""
    flipped = np.flip(a, axis)
    places = np.argsort(flipped, axis=axis, stable=True)
    return a.shape[axis] - 1 - np.flip(places, axis)


def search(g):
    kind = g.turn("search", ["ArgMax", "ArgMin", "Sort", "ArgSort", "Nonzero", "ArgWhere",
                             "SearchSorted", "UniqueAll", "UniqueValues", "UniqueCounts",
                             "UniqueInverse", "Take", "TakeAlongAxis", "Diff", "TopK"])
    a = g.array(g.shape(rank=g.int(1, 4)))
    axis = g.axis(a)
    if kind in ("ArgMax", "ArgMin"):
        keep = bool(g.chance(0.5))
        f = np.argmax if kind == "ArgMax" else np.argmin
        return case(kind, [a], f(a, axis=axis, keepdims=keep), [axis], reduce=[opt("KeepDims", keep)])
    if kind in ("Sort", "ArgSort", "TopK"):
        down = bool(g.chance(0.5))
        places = descending(a, axis) if down else np.argsort(a, axis=axis, stable=True)
        values = np.take_along_axis(a, places, axis)
        if kind == "TopK":
            k = g.int(0, a.shape[axis] + 1)
            part = [slice(None)] * a.ndim
            part[axis] = slice(0, k)
            return case(kind, [a], [values[tuple(part)], places[tuple(part)]], [k, axis, down])
        call = [axis] + ([opt("Descending")] if down else [])
        return case(kind, [a], values if kind == "Sort" else places, call)
    if kind == "Nonzero":
        return case(kind, [a], list(np.nonzero(a)))
    if kind == "ArgWhere":
        return case(kind, [a], np.argwhere(a))
    if kind == "SearchSorted":
        s = np.sort(g.array((g.int(0, 9),), a.dtype.name))
        right = bool(g.chance(0.5))
        return case(kind, [s, a], np.searchsorted(s, a, side="right" if right else "left"),
                    ["@1", right])
    if kind.startswith("Unique"):
        u = np.unique_all(a)
        fields = {"UniqueAll": [0, 1, 2, 3], "UniqueValues": [0], "UniqueCounts": [0, 3],
                  "UniqueInverse": [0, 2]}[kind]
        # Which of two equal zeros stands for both is left open.
        return case(kind, [a], [want(u[i], zero=True) for i in fields])
    if kind == "Take":
        d = a.shape[axis]
        i = g.rng.integers(-d, d, size=g.shape(rank=g.int(0, 3)))
        return case(kind, [a, i], np.take(a, i, axis=axis), [axis, "@1"])
    if kind == "TakeAlongAxis":
        d = a.shape[axis]
        s = [1 if g.chance(0.3) else k for k in a.shape]
        s[axis] = g.int(0, 5)
        i = g.rng.integers(-d, d, size=s)
        return case(kind, [a, i], np.take_along_axis(a, i, axis), [axis, "@1"])
    n = g.int(0, 3)
    return case(kind, [a], np.diff(a, n, axis), [n, axis])
