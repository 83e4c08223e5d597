"""Cases of products, and of decompositions, which run on the host."""

import math

import numpy as np

from form import DTYPES, EPS, case, scalar, want


def bounded(op, args, f, k, call, **more):
    """f of the arguments; floats within the bound of sums of k products."""
    r = np.asarray(f(*args))
    if r.dtype.kind != "f":
        return case(op, args, r, call, **more)
    if not np.isfinite(r).all():
        raise ValueError("overflow")
    size = f(*[np.abs(a.astype(np.float64)) for a in args])
    exact = f(*[a.astype(np.float64) for a in args])
    w = want(r, None, 2, 4 * max(k, 1) * EPS[r.dtype.name] * np.abs(size) + 2.0**-24 * (
        r.dtype == np.float16))
    w["exact"] = want(np.asarray(exact, dtype=np.float64))["data"]
    return case(op, args, w, call, **more)


def product(g):
    kind = g.turn("product", ["MatMul", "Tensordot", "Vecdot", "Outer", "Dot", "Cross", "Trace",
                              "MatrixPower", "Einsum", "VectorNorm", "MatrixNorm"])
    d = [x for x in DTYPES if x != "bool"]
    p, q = g.pick(d), g.pick(d)
    n, m, k = g.int(1, 5), g.int(1, 5), g.int(0, 5) if g.chance(0.2) else g.int(1, 5)

    def arr(shape, t=p):
        return g.array(shape, t, False)

    if kind == "MatMul":
        batch = g.shape(rank=g.int(0, 3))
        a = arr(g.pick([(k,), (n, k), batch + (n, k)]))
        b = arr(g.pick([(k,), (k, m), g.partner(batch) + (k, m)]), q)
        return bounded(kind, [a, b], np.matmul, k, ["@1"])
    if kind == "Tensordot":
        a, b = arr((n, k, m)), arr((m, k, 2), q)
        axes = g.pick([([1], [1]), ([2], [0]), ([1, 2], [1, 0]), ([], [])])
        return bounded(kind, [a, b], lambda x, y: np.tensordot(x, y, axes), k * m,
                       ["@1", axes[0], axes[1]])
    if kind == "Vecdot":
        a, b = arr((n, m, k)), arr(g.pick([(k,), (m, k), (1, k)]), q)
        return bounded(kind, [a, b], lambda x, y: np.vecdot(x, y), k, ["@1", -1])
    if kind == "Outer":
        return bounded(kind, [arr((n,)), arr((k,), q)], np.outer, 1, ["@1"])
    if kind == "Dot":
        return bounded(kind, [arr((k,)), arr((k,), q)], np.dot, k, ["@1"])
    if kind == "Cross":
        a, b = arr((n, 3)), arr(g.pick([(3,), (n, 3)]), q)
        r = np.cross(a, b)
        if r.dtype.kind != "f":
            return case(kind, [a, b], r, ["@1", -1])
        x, y = a.astype(np.float64), b.astype(np.float64)
        size = np.abs(x).max(initial=0) * np.abs(y).max(initial=0)
        w = want(r, None, 2, 8 * EPS[r.dtype.name] * size)
        w["exact"] = want(np.cross(x, y))["data"]
        return case(kind, [a, b], w, ["@1", -1])
    if kind == "Trace":
        o = g.int(-2, 3)
        return bounded(kind, [arr((2, n, m))], lambda x: np.linalg.trace(x, offset=o), 5, [o])
    if kind == "MatrixPower":
        a, e = arr((n, n), g.pick(["int64", "float64", "int32"])), g.int(0, 5)
        return bounded(kind, [a], lambda x: np.linalg.matrix_power(x, e), n * 8, [e])
    if kind == "Einsum":
        eq, shapes = g.turn("einsum", [
            ("ij,jk->ik", [(n, k), (k, m)]), ("ij,jk", [(n, k), (k, m)]), ("ii->i", [(n, n)]),
            ("ii", [(n, n)]), ("ij->ji", [(n, m)]), ("ij->", [(n, m)]), ("i,j->ij", [(n,), (m,)]),
            ("bij,bjk->bik", [(2, n, k), (2, k, m)]), ("...ij,...jk->...ik", [(2, n, k), (k, m)]),
            ("ij,kj,k->i", [(n, m), (k, m), (k,)]), ("ijk,ijl->kl", [(n, 2, k), (n, 2, m)]),
            ("i...->...", [(n, m, 2)]), ("ba", [(n, m)]), ("iij,j->i", [(n, n, m), (m,)]),
            ("ij,ij->j", [(n, m), (n, m)])])
        args = [arr(s, g.pick(["int64", "float32", "float64"])) for s in shapes]
        return bounded(kind, args, lambda *xs: np.einsum(eq, *xs), 25,
                       [eq] + [f"@{i}" for i in range(len(args))])
    a = arr((2, n, m), g.pick(["float32", "float64", "int32"]))
    if kind == "VectorNorm":
        o = g.pick([0, 1, 2, 3, math.inf, -math.inf, 0.5])
        f = lambda x: np.linalg.vector_norm(x if x.dtype.kind == "f" else x.astype(np.float64),
                                            axis=-1, ord=o)
        return bounded(kind, [a], f, 8 * m, [scalar(float(o)), -1])
    o = g.pick(["fro", 1, -1, math.inf, -math.inf])
    f = lambda x: np.linalg.matrix_norm(x if x.dtype.kind == "f" else x.astype(np.float64), ord=o)
    return bounded(kind, [a], f, n * m, [o if isinstance(o, str) else scalar(float(o))])


def host(g):
    kind = g.turn("host", ["Inv", "Det", "Solve", "SLogDet", "Cholesky", "QR", "SVDVals",
                           "EigValsh", "Pinv", "MatrixRank", "LinalgNorm"])
    d = g.pick(["float32", "float64"])
    n = g.int(1, 5)
    batch = g.shape(rank=g.int(0, 2))
    a = g.array(batch + (n, n), d, False)
    if kind in ("SVDVals", "Pinv", "QR", "LinalgNorm", "MatrixRank"):
        a = g.array(batch + (n, g.int(1, 5)), d, False)
    sym = (a.astype(np.float64) @ np.swapaxes(a, -1, -2) + np.eye(n)).astype(d)
    tol = 1e-3 if d == "float32" else 1e-9

    def near(r, x=None):
        r = np.asarray(r, dtype=d)
        return want(r, None, 2, tol * (np.abs(r).max(initial=0) + 1e-3))

    w = a.astype(np.float64)
    if kind in ("Inv", "Det", "Solve", "SLogDet") and (np.linalg.cond(w) > 1e3).any():
        raise ValueError("badly conditioned")
    if kind == "Inv":
        return case(kind, [a], near(np.linalg.inv(w)), ["@0"])
    if kind == "Det":
        return case(kind, [a], near(np.linalg.det(w)), ["@0"])
    if kind == "SLogDet":
        s, l = np.linalg.slogdet(w)
        return case(kind, [a], [np.asarray(s, dtype=d), near(l)], ["@0"])
    if kind == "Solve":
        b = g.array((n,) if g.chance(0.3) else batch + (n, 2), d, False)
        x = np.linalg.solve(w, b.astype(np.float64))
        return case(kind, [a, b], near(x), ["@0", "@1"])
    if kind == "Cholesky":
        up = bool(g.chance(0.5))
        return case(kind, [sym], near(np.linalg.cholesky(sym.astype(np.float64), upper=up)),
                    ["@0", up])
    if kind == "QR":
        full = bool(g.chance(0.5))
        q, r = np.linalg.qr(w, "complete" if full else "reduced")
        return case(kind, [a], [near(q), near(r)], ["@0", full])
    if kind == "EigValsh":
        return case(kind, [sym], near(np.linalg.eigvalsh(sym.astype(np.float64))), ["@0"])
    if kind == "MatrixRank":
        return case(kind, [a], np.asarray(np.linalg.matrix_rank(a), dtype=np.int64), ["@0"])
    s = np.linalg.svdvals(w)
    if kind == "Pinv":
        if (s.min(axis=-1) < 1e-2).any():
            raise ValueError("badly conditioned")
        return case(kind, [a], near(np.linalg.pinv(w)), ["@0"])
    if kind == "SVDVals":
        return case(kind, [a], near(s), ["@0"])
    o = g.pick([2, -2, "nuc", "fro", 1])
    return case(kind, [a], near(np.linalg.matrix_norm(w, ord=o)),
                ["@0", o if isinstance(o, str) else float(o)])
