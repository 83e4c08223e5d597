"""Cases of elementwise functions, with exact values where these are not
rounded correctly by everybody."""

import mpmath
import numpy as np
from mpmath import mp

from form import DTYPES, FLOATS, INTS, case, opt, scalar, want

BINARY = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.true_divide,
          "FloorDiv": np.floor_divide, "Mod": np.remainder, "Fmod": np.fmod,
          "Maximum": np.maximum, "Minimum": np.minimum, "Eq": np.equal, "Ne": np.not_equal,
          "Lt": np.less, "Le": np.less_equal, "Gt": np.greater, "Ge": np.greater_equal,
          "And": np.bitwise_and, "Or": np.bitwise_or, "Xor": np.bitwise_xor,
          "LogicalAnd": np.logical_and, "LogicalOr": np.logical_or,
          "LogicalXor": np.logical_xor, "Copysign": np.copysign, "Nextafter": np.nextafter}
# Functions of two arguments that are rounded, with their exact form.
EXACT2 = {"Pow": (np.power, mpmath.power), "Atan2": (np.arctan2, mpmath.atan2),
          "Hypot": (np.hypot, mpmath.hypot),
          "LogAddExp": (np.logaddexp, lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y)))}
UNARY = {"Neg": np.negative, "Abs": np.abs, "Sign": np.sign, "Sqrt": np.sqrt, "Floor": np.floor,
         "Ceil": np.ceil, "Trunc": np.trunc, "Round": np.round, "Square": np.square,
         "IsNaN": np.isnan, "IsInf": np.isinf, "IsFinite": np.isfinite, "Signbit": np.signbit,
         "Positive": np.positive, "LogicalNot": np.logical_not, "Not": np.invert,
         "Reciprocal": np.reciprocal, "NanToNum": np.nan_to_num}
EXACT1 = {"Exp": (np.exp, mpmath.exp), "Expm1": (np.expm1, mpmath.expm1),
          "Exp2": (np.exp2, lambda x: mpmath.power(2, x)),
          "Log": (np.log, mpmath.log), "Log1p": (np.log1p, mpmath.log1p),
          "Log2": (np.log2, lambda x: mpmath.log(x, 2)),
          "Log10": (np.log10, mpmath.log10), "Sin": (np.sin, mpmath.sin),
          "Cos": (np.cos, mpmath.cos), "Tan": (np.tan, mpmath.tan),
          "Asin": (np.arcsin, mpmath.asin), "Acos": (np.arccos, mpmath.acos),
          "Atan": (np.arctan, mpmath.atan), "Sinh": (np.sinh, mpmath.sinh),
          "Cosh": (np.cosh, mpmath.cosh), "Tanh": (np.tanh, mpmath.tanh),
          "Asinh": (np.arcsinh, mpmath.asinh), "Acosh": (np.arccosh, mpmath.acosh),
          "Atanh": (np.arctanh, mpmath.atanh)}


def exact(f, r, *args):
    """f of each element where r is a number, else None."""
    out = []
    args = [np.broadcast_to(a, r.shape).reshape(-1) for a in args]
    for i, x in enumerate(r.reshape(-1)):
        vals = [a[i] for a in args]
        if not np.isfinite(x) or not all(np.isfinite(v) for v in vals):
            out.append(None)
            continue
        with mp.workprec(400):
            try:
                e = f(*[mpmath.mpf(float(v) if v.dtype.kind == "f" else int(v)) for v in vals])
            except (ValueError, ZeroDivisionError):
                e = None
        out.append(e if e is not None and mpmath.im(e) == 0 and e != 0 else None)
    return out


def pairs(g):
    """All pairs of types in turn."""
    n = g.turn("pair", range(len(DTYPES)**2))
    return DTYPES[n // len(DTYPES)], DTYPES[n % len(DTYPES)]


def binary(g):
    name = g.turn("binary", list(BINARY))
    shape = g.shape()
    p, q = pairs(g)
    if name in ("And", "Or", "Xor") and "float" in p + q:
        p, q = g.pick(INTS + ["bool"]), g.pick(INTS + ["bool"])
    a, b = g.array(shape, p), g.array(g.partner(shape), q)
    if g.chance(0.5):
        a, b = b, a
    r = BINARY[name](a, b)
    # NumPy leaves open which zero is the larger. From one zero to the other it
    # is the first in float16, the second in other types and by the standard.
    zero = name in ("Maximum", "Minimum") or name == "Nextafter" and r.dtype == np.float16
    return case(name, [a, b], want(r, zero=zero), ["@1"])


def scalar_binary(g):
    name = g.turn("scalar", list(BINARY)[:15])
    a = g.array(g.shape(), g.turn("scalar type", DTYPES))
    b = g.pick([2, -3, 7, 0, 0.5, -1.25, 3.0])
    r = BINARY[name](a, b)
    return case(name, [a], want(r, zero=name in ("Maximum", "Minimum")), [scalar(b)])


def unary(g):
    name = g.turn("unary", list(UNARY))
    a = g.array(g.shape(), g.turn("unary type", DTYPES + [DTYPES[0]]))
    if name == "Round" and a.dtype == bool:
        raise TypeError("np.round makes float16 of bools, unlike floor")
    if name == "Signbit" and a.dtype.kind in "iub":
        return case(name, [a], a.astype(np.float64) < 0)
    if name == "Reciprocal" and a.dtype.kind in "iub":
        a = np.where(a == 0, 1, a).astype(a.dtype)
    if name == "NanToNum":
        return case(name, [a], np.nan_to_num(a, nan=0.5), [0.5, None, None])
    return case(name, [a], UNARY[name](a))


def functions(g):
    if g.chance(0.3):
        name = g.turn("exact2", list(EXACT2))
        f, e = EXACT2[name]
        shape = g.shape()
        p, q = pairs(g) if name != "Pow" or g.chance(0.3) else (g.pick(FLOATS), g.pick(FLOATS))
        a, b = g.array(shape, p), g.array(g.partner(shape), q)
        r = np.asarray(f(a, b))
        if r.dtype.kind != "f":
            if (b < 0).any():
                raise ValueError("integers to negative powers")
            return case(name, [a, b], r, ["@1"])
        x, y = a.astype(r.dtype), b.astype(r.dtype)
        if name == "LogAddExp":  # its error is that of the larger operand's digits
            size = np.maximum(np.abs(x), np.abs(y)).astype(np.float64) + 1
            bound = np.where(np.isfinite(size), size, 0) * 4 * 2.0**-53
            if r.dtype != np.float64:
                bound = bound * 0
            return case(name, [a, b], want(r, exact(e, r, x, y), 2, bound), ["@1"])
        return case(name, [a, b], want(r, exact(e, r, x, y), 2), ["@1"])
    name = g.turn("exact1", list(EXACT1))
    f, e = EXACT1[name]
    a = g.array(g.shape(), g.turn("function type", FLOATS + DTYPES))
    if name in ("Asin", "Acos", "Atanh") and a.dtype.kind == "f":
        a = (a / 8).astype(a.dtype)
    r = np.asarray(f(a))
    return case(name, [a], want(r, exact(e, r, a.astype(r.dtype)), 2))


SPECIAL = {"Erfc": (mpmath.erfc, {np.inf: 0, -np.inf: 2}),
           "Lgamma": (lambda x: mpmath.re(mpmath.loggamma(x)), {np.inf: np.inf, -np.inf: np.inf})}


def special(g):
    """Functions that NumPy does not have: exact values, and limits."""
    name = g.turn("special", list(SPECIAL))
    f, limits = SPECIAL[name]
    a = g.array(g.shape(), g.turn("special type", FLOATS + DTYPES))
    x = a.astype(np.exp(np.zeros(1, a.dtype)).dtype)
    r, values, bound = np.zeros(x.shape, x.dtype), [], np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        v = float(x[i])
        pole = name == "Lgamma" and v <= 0 and v == np.floor(v)
        if np.isfinite(v) and not pole:
            with mp.workprec(200):
                e = f(mpmath.mpf(v))
            values.append(e if e != 0 else None)
            r[i] = float(e)
            if name == "Lgamma" and v < 0:  # a difference, of which these are the terms
                bound[i] = 1e-15 * (40 + float(mpmath.re(mpmath.loggamma(1 - v))))
        else:
            values.append(None)
            r[i] = np.inf if pole else limits.get(v, np.nan)
    return case(name, [a], want(r, values, 4, bound))


def cast(g):
    kind = g.turn("cast", ["cast", "clip", "where", "shift", "isclose"])
    a = g.array(g.shape(), None, False)
    if kind == "cast":
        to = g.pick(DTYPES)
        if a.dtype.kind == "f" and to.startswith("u"):
            a = np.abs(a)
        from form import NAMES
        return case("Cast", [a], a.astype(to), ["dtype:" + NAMES[to]])
    if kind == "clip":
        a = g.array(g.shape())
        lo, hi = g.pick([-1, 0, 2, None]), g.pick([3, 5, None])
        if a.dtype == bool or lo is None and hi is None:
            raise ValueError("no limits")
        return case("Clip", [a], want(np.clip(a, lo, hi), zero=True), [lo, hi])
    if kind == "where":
        shape = g.shape()
        c = g.array(shape, "bool")
        x, y = g.array(g.partner(shape)), g.array(g.partner(shape))
        return case("Where", [c, x, y], np.where(c, x, y), ["@0", "@1", "@2"])
    if kind == "isclose":
        a = g.array(g.shape(), g.pick(["float32", "float64"]))
        b = a + np.asarray(g.rng.normal(size=a.shape) * 1e-5).astype(a.dtype)
        nan = bool(g.chance(0.5))
        return case("IsClose", [a, b], np.isclose(a, b, 1e-4, 1e-6, nan), ["@1", 1e-4, 1e-6, nan])
    a = g.array(g.shape(), g.pick(INTS))
    b = np.asarray(g.rng.integers(0, 8 * a.itemsize, size=g.partner(a.shape))).astype(a.dtype)
    name, f = g.pick([("Shl", np.left_shift), ("Shr", np.right_shift)])
    return case(name, [a, b], f(a, b), ["@1"])
