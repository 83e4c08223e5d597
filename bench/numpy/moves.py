"""Cases of creation and of manipulation, which agree to the bit."""

import numpy as np

from form import DTYPES, NAMES, case, opt, scalar, want


def factors(g, n, k):
    """k numbers whose product is n."""
    out = []
    for _ in range(k - 1):
        d = g.pick([i for i in range(1, n + 1) if n % i == 0] or [1])
        out.append(d)
        n //= d
    return out + [n]


def move(g):
    kind = g.turn("move", ["Reshape", "Permute", "Transpose", "T", "MatrixTranspose", "Moveaxis",
                           "Flip", "Roll", "Repeat", "Tile", "Squeeze", "Unsqueeze", "Concat",
                           "Stack", "Unstack", "Expand", "BroadcastArrays", "Split", "Diagonal",
                           "Rot90", "Tril", "Triu", "RepeatEach", "Flatten"])
    a = g.array(g.shape(rank=g.int(1, 4)))
    axis = g.axis(a)
    if kind == "Reshape":
        s = factors(g, a.size, g.int(1, 4))
        if g.chance(0.4) and a.size:
            s[g.int(0, len(s))] = -1
        return case(kind, [a], a.reshape(s), s)
    if kind == "Permute":
        p = [int(x) for x in g.rng.permutation(a.ndim)]
        return case(kind, [a], a.transpose(p), [x - a.ndim if g.chance(0.3) else x for x in p])
    if kind == "Transpose":
        b = g.axis(a)
        return case(kind, [a], np.swapaxes(a, axis, b), [axis, b])
    if kind == "T":
        return case(kind, [a], a.T)
    if kind == "MatrixTranspose":
        return case(kind, [a], np.matrix_transpose(a))
    if kind == "Moveaxis":
        n = g.int(1, a.ndim + 1)
        src, dst = ([int(x) for x in g.rng.permutation(a.ndim)[:n]] for _ in range(2))
        return case(kind, [a], np.moveaxis(a, src, dst), [src, dst])
    if kind == "Flip":
        axes = [i for i in range(a.ndim) if g.chance(0.5)]
        return case(kind, [a], np.flip(a, tuple(axes) if axes else None), axes)
    if kind == "Roll":
        by = g.int(-7, 8)
        axes = [axis] if g.chance(0.6) else []
        return case(kind, [a], np.roll(a, by, axes[0] if axes else None), [by] + axes)
    if kind == "Repeat":
        n = g.int(0, 4)
        axes = [axis] if g.chance(0.6) else []
        return case(kind, [a], np.repeat(a, n, axes[0] if axes else None), [n] + axes)
    if kind == "RepeatEach":
        n = [g.int(0, 4) for _ in range(a.shape[axis])]
        return case(kind, [a], np.repeat(a, n, axis), [n, axis])
    if kind == "Tile":
        reps = [g.int(0, 3) for _ in range(g.int(1, 5))]
        return case(kind, [a], np.tile(a, reps), reps)
    if kind == "Squeeze":
        s = [1 if g.chance(0.5) else d for d in a.shape]
        a = g.array(s)
        ones = [i for i, d in enumerate(s) if d == 1]
        axes = [i for i in ones if g.chance(0.5)]
        return case(kind, [a], np.squeeze(a, tuple(axes) if axes else None), axes)
    if kind == "Unsqueeze":
        k = g.int(-a.ndim - 1, a.ndim + 1)
        return case(kind, [a], np.expand_dims(a, k), [k])
    if kind in ("Concat", "Stack"):
        more = [a]
        for _ in range(g.int(0, 3)):
            s = list(a.shape)
            if kind == "Concat":
                s[axis] = g.int(0, 4)
            more.append(g.array(s))
        f = np.concat if kind == "Concat" else np.stack
        if kind == "Stack":
            axis = g.int(-a.ndim - 1, a.ndim + 1)
        return case(kind, more, f(more, axis=axis), [axis] + [f"@{i}" for i in range(len(more))])
    if kind == "Unstack":
        return case(kind, [a], list(np.unstack(a, axis=axis)), [axis])
    if kind == "Split":
        n = g.int(1, 4)
        return case(kind, [a], np.split(a, list(range(n, a.shape[axis], n)), axis), [axis, n])
    if kind == "Expand":
        s = [g.int(1, 4) if d == 1 else d for d in a.shape]
        s = [g.int(0, 3) for _ in range(g.int(0, 2))] + s
        return case(kind, [a], np.broadcast_to(a, s), s)
    if kind == "BroadcastArrays":
        more = [a] + [g.array(g.partner(a.shape)) for _ in range(g.int(0, 3))]
        return case(kind, more, list(np.broadcast_arrays(*more)), [f"@{i}" for i in range(len(more))])
    if kind == "Flatten":
        return case(kind, [a], a.reshape(-1))
    if a.ndim < 2:
        raise ValueError("needs a matrix")
    k = g.int(-3, 4)
    if kind == "Rot90":
        p = [int(x) for x in g.rng.permutation(a.ndim)[:2]]
        return case(kind, [a], np.rot90(a, k, p), [k] + p)
    if kind == "Diagonal":
        return case(kind, [a], np.linalg.diagonal(a, offset=k), [k])
    return case(kind, [a], (np.tril if kind == "Tril" else np.triu)(a, k), [k])


def create(g):
    kind = g.turn("create", ["Arange", "Linspace", "Eye", "Full", "FullLike", "ZerosLike",
                             "OnesLike", "Zeros", "Ones", "Meshgrid", "Diag"])
    d = g.pick(DTYPES)
    if kind == "Arange":
        args = [[g.int(-3, 12)], [g.int(-9, 9), g.int(-9, 9)],
                [g.int(-9, 9), g.int(-9, 9), g.pick([1, 2, 3, -1, -2])],
                [0.5 * g.int(-4, 5), 4.0, 0.25]][g.int(0, 4)]
        return case(kind, [], np.arange(*args), [scalar(x) for x in args])
    if kind == "Linspace":
        lo, hi, n, end = g.pick([0.0, -1.5, 1e3]), g.pick([1.0, 10.0, -2.0]), g.int(0, 12), bool(
            g.chance(0.7))
        return case(kind, [], np.linspace(lo, hi, n, endpoint=end), [lo, hi, n, opt("Endpoint", end)])
    if kind == "Eye":
        n, m, k = g.int(0, 5), g.int(0, 5), g.int(-3, 4)
        return case(kind, [], np.eye(n, m, k, dtype=d), ["dtype:" + NAMES[d], n, m, k])
    s = list(g.shape())
    if kind == "Full":
        x = g.pick([3, -1, 0.5, 2.0])
        return case(kind, [], np.full(s, x), [scalar(x)] + s)
    if kind in ("Zeros", "Ones"):
        return case(kind, [], (np.zeros if kind == "Zeros" else np.ones)(s, dtype=d),
                    ["dtype:" + NAMES[d]] + s)
    a = g.array(s, d)
    if kind == "FullLike":
        return case(kind, [a], np.full_like(a, 3), ["@0", 3])
    if kind in ("ZerosLike", "OnesLike"):
        return case(kind, [a], (np.zeros_like if kind == "ZerosLike" else np.ones_like)(a), ["@0"])
    if kind == "Diag":
        a = g.array((g.int(1, 5),), d)
        k = g.int(-2, 3)
        return case(kind, [a], np.diag(a, k), [k])
    vs = [g.array((g.int(0, 4),)) for _ in range(g.int(1, 4))]
    how = g.pick(["ij", "xy"])
    return case(kind, vs, list(np.meshgrid(*vs, indexing=how)),
                [how] + [f"@{i}" for i in range(len(vs))])
