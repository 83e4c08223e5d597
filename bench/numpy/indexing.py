"""Cases of index expressions, read and written through, and of printing."""

import numpy as np

from form import DTYPES, FLOATS, case


def index(g, shape, arrays, basic=False):
    """An index expression, as NumPy has it and as the file has it; index
    arrays are appended to arrays."""
    np_idx, out = [], []
    fancy = not basic and g.chance(0.5)
    length = g.int(1, 4)
    used = g.int(0, len(shape) + 1)
    ellipsis = g.int(0, used + 1) if g.chance(0.25) else -1
    taken, axis = 0, 0

    def array(a):
        arrays.append(a)
        np_idx.append(a), out.append({"array": len(arrays) - 1})

    while taken < used:
        if taken == ellipsis:
            np_idx.append(Ellipsis), out.append({"ellipsis": True})
            ellipsis = -1
            axis = len(shape) - (used - taken)
        if g.chance(0.15):
            np_idx.append(None), out.append({"none": True})
        d, r = shape[axis], g.rng.random()
        step = 1
        if fancy and r < 0.5 and d > 0:
            size = g.pick([(length,), (length,), (2, length), (), (1, 1)])
            a = np.asarray(g.rng.integers(-d, d, size=size), dtype=g.pick(["int64", "int64", "int8"]))
            array(a)
        elif fancy and r < 0.62:
            n = 2 if g.chance(0.3) and taken + 1 < used and ellipsis != taken + 1 else 1
            mask = np.zeros(shape[axis:axis + n], dtype=bool)
            if mask.size:  # as many as the other arrays have, so that they broadcast
                flat = mask.reshape(-1)
                flat[g.rng.permutation(flat.size)[:g.pick([1, length])]] = True
            array(mask)
            step = n
        elif r < 0.3 and d > 0:
            i = g.int(-d, d)
            np_idx.append(i), out.append({"int": i})
        elif r < 0.75:
            np_idx.append(slice(None)), out.append({"all": True})
        else:
            a, b = (None if g.chance(0.3) else g.int(-6, 7) for _ in range(2))
            c = g.pick([None, 1, 2, -1, -2, 3])
            np_idx.append(slice(a, b, c))
            out.append({"slice": [a, b, c]})
        taken, axis = taken + step, axis + step
    if ellipsis == used:
        np_idx.append(Ellipsis), out.append({"ellipsis": True})
    return tuple(np_idx), out


def read(g):
    a = g.array(g.shape(rank=g.int(1, 5)), None, False)
    args = [a]
    i, out = index(g, a.shape, args)
    return case("index", args, a[i], index=[out])


def write(g):
    """Writes through views of views; the result is the base."""
    a = g.array(g.shape(rank=g.int(1, 4)), g.pick(DTYPES), False)
    base, steps, args = a.copy(), [], [a, None]
    v = base
    for _ in range(g.int(0, 3)):
        i, out = index(g, v.shape, args, basic=True)
        w = v[i]
        if not isinstance(w, np.ndarray):
            break
        v = w
        steps.append(out)
    i, out = index(g, v.shape, args)
    part = v[i]
    # What several indices write to one place is not defined: one value for all.
    shape = () if any("array" in x for x in out) else g.partner(part.shape)
    narrow = "bool" if a.dtype == bool else g.pick([a.dtype.name, "int8" if a.dtype.kind != "u" else "uint8"])
    x = g.array(shape, narrow, False)
    v[i] = x
    args[1] = x
    return case("set", args, base, index=steps + [out])


def printed(g):
    shape = g.shape() if g.chance(0.8) else g.pick([(1200,), (40, 40), (3, 500), (8, 8, 20)])
    a = g.array(shape, g.turn("print", DTYPES))
    if a.dtype.name in FLOATS and g.chance(0.3):
        a = a * g.pick([1e-6, 1e3, 1e10, 0.5])
        a = a.astype(g.pick(["float32", "float64"]))
    if a.dtype.name in FLOATS and g.chance(0.3):
        a = np.round(a, 1)
    if a.dtype.kind == "f" and g.chance(0.2):
        a = np.asarray(a * 10.0**g.int(-3, 9)).astype(a.dtype)
    text = np.array2string(a, separator=", ", prefix="tensor(", threshold=1000)
    return case("print", [a], [], text=text)
