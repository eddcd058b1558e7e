# SPDX-License-Identifier: Apache-2.0
"""Eight numbers as one value inside kernels: arithmetic on `Vector8` is one instruction for eight patients.

A kernel written with the functions below and with ``+ - * /`` and comparisons runs on vectors of eight lanes and on
plain numbers alike, from the same text: `get` gives a vector from a table of rows of eight and a number from a plain
array.
Every operation acts on each lane alone and is exactly rounded (the fused `fma` included), so a lane's bits depend
neither on its neighbours nor on the processor, and a scalar kernel gives the same bits.

Numbers are float64; `select` chooses by a comparison, since lanes cannot branch.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from importlib import import_module
from typing import Any

from numba import extending, types
from numba.core import cgutils, imputils
from numba.core.typing import templates

__all__ = [
    "LANES",
    "absolute",
    "all_lanes",
    "ceil",
    "exponent",
    "floor",
    "fma",
    "gather",
    "get",
    "lane_bits",
    "like",
    "mantissa",
    "pointer",
    "power_of_two",
    "put",
    "select",
    "sqrt",
    "vector8",
]

# numba has no types for those who extend it, llvmlite none at all.
ir: Any = import_module("llvmlite.ir")
lower_builtin: Any = imputils.lower_builtin
lower_cast: Any = imputils.lower_cast
signature: Any = templates.signature
infer_global: Any = templates.infer_global
get_or_insert_function: Any = cgutils.get_or_insert_function
register_model: Any = extending.register_model

LANES = 8
"""Patients to a vector: the width of one 512-bit register, or of two 256-bit ones."""


def _initialise(base: Any, *given: Any) -> None:
    base(*given)


class Vector8(types.Type):  # type of eight float64 inside kernels; never seen by Python
    """Eight float64 that go through the same arithmetic."""

    def __init__(self) -> None:
        _initialise(super().__init__, "Vector8")


class Mask8(types.Type):
    """Eight truths, from comparing vectors."""

    def __init__(self) -> None:
        _initialise(super().__init__, "Mask8")


class RowsPointer(types.Type):
    """Where a table of rows of eight begins: handed between kernels, it is not counted as an array is."""

    def __init__(self) -> None:
        _initialise(super().__init__, "RowsPointer")


class NumbersPointer(types.Type):
    """Where a plain array begins."""

    def __init__(self) -> None:
        _initialise(super().__init__, "NumbersPointer")


vector8, mask8 = Vector8(), Mask8()
rows_pointer, numbers_pointer = RowsPointer(), NumbersPointer()
_NUMBERS = ir.VectorType(ir.DoubleType(), LANES)
_WHOLE = ir.VectorType(ir.IntType(64), LANES)
_TRUTHS = ir.VectorType(ir.IntType(1), LANES)
_INT = ir.IntType(64)


@register_model(Vector8)
class _VectorModel(extending.models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        _initialise(super().__init__, manager, kind, _NUMBERS)


@register_model(Mask8)
class _MaskModel(extending.models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        _initialise(super().__init__, manager, kind, _TRUTHS)


@register_model(RowsPointer)
@register_model(NumbersPointer)
class _PointerModel(extending.models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        _initialise(super().__init__, manager, kind, ir.DoubleType().as_pointer())


@lower_cast(types.Float, vector8)
@lower_cast(types.Integer, vector8)
def _spread(context: Any, builder: Any, given: Any, _: Any, value: Any) -> Any:
    number = context.cast(builder, value, given, types.float64)
    nothing = ir.Constant(_NUMBERS, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, nothing, zeros)


@lower_cast(types.Boolean, mask8)
def _spread_truth(context: Any, builder: Any, given: Any, _: Any, value: Any) -> Any:
    nothing = ir.Constant(_TRUTHS, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def _is_number(kind: Any) -> bool:
    return isinstance(kind, types.Float | types.Integer)


def _kind(*given: Any) -> Any:
    """What arithmetic on such operands works on: vectors if one of them is a vector, else numbers; else None."""
    if all(kind is vector8 or _is_number(kind) for kind in given):
        return vector8 if vector8 in given else types.float64
    return None


def _are_truths(*given: Any) -> bool:
    return mask8 in given and all(kind is mask8 or isinstance(kind, types.Boolean) for kind in given)


def _typed(function: Any, decide: Callable[..., Any]) -> None:
    """Let `decide` give the signature of `function` for the types of its arguments."""

    class Template(templates.AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            return decide(*args) if not kws else None

    infer_global(function)(Template)


def _constant(kind: Any, value: int) -> Any:
    return ir.Constant(_WHOLE, [value] * LANES) if kind is vector8 else ir.Constant(_INT, value)


def _bits(builder: Any, kind: Any, value: Any) -> Any:
    return builder.bitcast(value, _WHOLE if kind is vector8 else _INT)


def _number(builder: Any, kind: Any, bits: Any) -> Any:
    return builder.bitcast(bits, _NUMBERS if kind is vector8 else ir.DoubleType())


def _emitting(name: str) -> Callable[[Any, Any], Any]:
    return lambda builder, args: getattr(builder, name)(*args)


def _comparing(name: str) -> Callable[[Any, Any], Any]:
    return lambda builder, args: builder.fcmp_ordered(name, *args)


def _operator(function: Any, emit: Callable[[Any, Any], Any], operands: int, result: Any) -> None:
    """An operator numba has for numbers already, on vectors."""

    def decide(*args: Any) -> Any:
        if len(args) == operands and vector8 in args and _kind(*args) is vector8:
            return signature(result, *(vector8,) * operands)
        return None

    _typed(function, decide)

    @lower_builtin(function, *(vector8,) * operands)
    def _(context: Any, builder: Any, given: Any, args: Any) -> Any:
        return emit(builder, args)


for _function, _name in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operator(_function, _emitting(_name), 2, vector8)
_operator(operator.neg, lambda builder, args: builder.fneg(args[0]), 1, vector8)
for _function, _name in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
):
    _operator(_function, _comparing(_name), 2, mask8)
_operator(operator.ne, lambda builder, args: builder.fcmp_unordered("!=", *args), 2, mask8)

for _function, _name in ((operator.and_, "and_"), (operator.or_, "or_"), (operator.xor, "xor")):
    _typed(_function, lambda *args: signature(mask8, mask8, mask8) if _are_truths(*args) else None)

    @lower_builtin(_function, mask8, mask8)
    def _combine(context: Any, builder: Any, given: Any, args: Any, name: str = _name) -> Any:
        return getattr(builder, name)(*args)


def _mathematics(function: Any, operands: int, emit: Callable[[Any, Any, Any], Any]) -> None:
    """A function on vectors and numbers alike; `emit` gets the builder, the kind and the operands."""

    def decide(*args: Any) -> Any:
        kind = _kind(*args) if len(args) == operands else None
        return None if kind is None else signature(kind, *(kind,) * operands)

    _typed(function, decide)
    for kind in (vector8, types.float64):

        @lower_builtin(function, *(kind,) * operands)
        def _(context: Any, builder: Any, given: Any, args: Any, kind: Any = kind) -> Any:
            return emit(builder, kind, args)


def _processor(name: str) -> Callable[[Any, Any, Any], Any]:
    """An exactly rounded operation of the processor."""

    def emit(builder: Any, kind: Any, args: Any) -> Any:
        shape, suffix = (_NUMBERS, f"v{LANES}f64") if kind is vector8 else (ir.DoubleType(), "f64")
        called = ir.FunctionType(shape, [shape] * len(args))
        return builder.call(get_or_insert_function(builder.module, called, f"llvm.{name}.{suffix}"), args)

    return emit


KERNELS_ONLY = "this is written out as instructions of the processor: only kernels can call it"


def fma(a: Any, b: Any, c: Any) -> Any:
    """Multiply and add with one rounding: a b + c."""
    raise TypeError(KERNELS_ONLY)


def sqrt(a: Any) -> Any:
    """Square root, exactly rounded."""
    raise TypeError(KERNELS_ONLY)


def floor(a: Any) -> Any:
    """Round down to a whole number."""
    raise TypeError(KERNELS_ONLY)


def ceil(a: Any) -> Any:
    """Round up to a whole number."""
    raise TypeError(KERNELS_ONLY)


def absolute(a: Any) -> Any:
    """Absolute value."""
    raise TypeError(KERNELS_ONLY)


_mathematics(fma, 3, _processor("fma"))
_mathematics(sqrt, 1, _processor("sqrt"))
_mathematics(floor, 1, _processor("floor"))
_mathematics(ceil, 1, _processor("ceil"))
_mathematics(absolute, 1, _processor("fabs"))

# The pattern of bits of a float64: 52 of fraction, then the exponent, offset by 1023.
_FRACTION, _OFFSET = 52, 1023
_SQRT_HALF = 0x3FE6A09E667F3BCD
_MAGIC = 0x4338000000000000  # 1.5 * 2^52: adding it leaves a whole number in the low bits


def power_of_two(k: Any) -> Any:
    """2^(k - 1) of a whole number that was rounded by adding 1.5 * 2^52 and still has that added."""
    raise TypeError(KERNELS_ONLY)


def exponent(a: Any) -> Any:
    """The whole number e with a = m 2^e and sqrt(1/2) <= m < sqrt(2), for normal a > 0."""
    raise TypeError(KERNELS_ONLY)


def mantissa(a: Any) -> Any:
    """The number m with a = m 2^e and sqrt(1/2) <= m < sqrt(2), for normal a > 0."""
    raise TypeError(KERNELS_ONLY)


def _power_of_two(builder: Any, kind: Any, args: Any) -> Any:
    whole = builder.add(_bits(builder, kind, args[0]), _constant(kind, _OFFSET - 1))
    return _number(builder, kind, builder.shl(whole, _constant(kind, _FRACTION)))


def _whole_exponent(builder: Any, kind: Any, value: Any) -> Any:
    above = builder.sub(_bits(builder, kind, value), _constant(kind, _SQRT_HALF))
    return builder.ashr(above, _constant(kind, _FRACTION))


def _exponent(builder: Any, kind: Any, args: Any) -> Any:
    raised = builder.add(_whole_exponent(builder, kind, args[0]), _constant(kind, _MAGIC))
    magic = _number(builder, kind, _constant(kind, _MAGIC))
    return builder.fsub(_number(builder, kind, raised), magic)


def _mantissa(builder: Any, kind: Any, args: Any) -> Any:
    whole = builder.shl(_whole_exponent(builder, kind, args[0]), _constant(kind, _FRACTION))
    return _number(builder, kind, builder.sub(_bits(builder, kind, args[0]), whole))


_mathematics(power_of_two, 1, _power_of_two)
_mathematics(exponent, 1, _exponent)
_mathematics(mantissa, 1, _mantissa)


def select(condition: Any, value: Any, otherwise: Any) -> Any:
    """Choose in each lane; both values have been worked out."""
    raise TypeError(KERNELS_ONLY)


def _decide_select(*args: Any) -> Any:
    if len(args) != 3:
        return None
    kind = _kind(*args[1:])
    if kind is None or not (args[0] is mask8 or isinstance(args[0], types.Boolean)):
        return None
    if args[0] is mask8 or kind is vector8:
        return signature(vector8, mask8, vector8, vector8)
    return signature(kind, types.boolean, kind, kind)


_typed(select, _decide_select)


@lower_builtin(select, mask8, vector8, vector8)
@lower_builtin(select, types.boolean, types.float64, types.float64)
def _select(context: Any, builder: Any, given: Any, args: Any) -> Any:
    return builder.select(*args)


def like(model: Any, value: Any) -> Any:
    """A number in the shape of `model`: in every lane, where that is a vector."""
    raise TypeError(KERNELS_ONLY)


_mathematics(like, 2, lambda builder, kind, args: args[1])


def lane_bits(condition: Any) -> Any:
    """The lanes in which a comparison holds, as bits of one whole number."""
    raise TypeError(KERNELS_ONLY)


_typed(lane_bits, lambda *args: signature(types.int64, mask8) if args == (mask8,) else None)


@lower_builtin(lane_bits, mask8)
def _lane_bits(context: Any, builder: Any, given: Any, args: Any) -> Any:
    return builder.zext(builder.bitcast(args[0], ir.IntType(LANES)), _INT)


def all_lanes(condition: Any) -> Any:
    """Whether a comparison holds in every lane."""
    raise TypeError(KERNELS_ONLY)


def _decide_all(*args: Any) -> Any:
    if len(args) == 1 and (args[0] is mask8 or isinstance(args[0], types.Boolean)):
        return signature(types.boolean, args[0])
    return None


_typed(all_lanes, _decide_all)


@lower_builtin(all_lanes, mask8)
def _all_lanes(context: Any, builder: Any, given: Any, args: Any) -> Any:
    bits = builder.bitcast(args[0], ir.IntType(LANES))
    return builder.icmp_unsigned("==", bits, ir.Constant(bits.type, 2**LANES - 1))


@lower_builtin(all_lanes, types.Boolean)
def _holds(context: Any, builder: Any, given: Any, args: Any) -> Any:
    return args[0]


def get(table: Any, row: int) -> Any:
    """Read a row of eight as a vector, or an entry of a plain array as a number."""
    raise TypeError(KERNELS_ONLY)


def put(table: Any, row: int, value: Any) -> None:
    """Write what `get` reads."""
    raise TypeError(KERNELS_ONLY)


def gather(flat: Any, places: Any) -> Any:
    """Read, in each lane, the entry of a plain array at a place of that lane's own (a whole number >= 0)."""
    raise TypeError(KERNELS_ONLY)


def pointer(table: Any) -> Any:
    """Where a table or a plain array begins; what `get`, `put` and `gather` take in its place."""
    raise TypeError(KERNELS_ONLY)


def _held(table: Any) -> Any:
    """What a table holds; None for what is no table."""
    if table is rows_pointer or table is numbers_pointer:
        return vector8 if table is rows_pointer else types.float64
    if isinstance(table, types.Array) and table.dtype is types.float64 and table.layout == "C":
        return {1: types.float64, 2: vector8}.get(table.ndim)
    return None


def _decide_get(*args: Any) -> Any:
    held = _held(args[0]) if len(args) == 2 and isinstance(args[1], types.Integer) else None
    return None if held is None else signature(held, args[0], types.intp)


def _decide_put(*args: Any) -> Any:
    held = _held(args[0]) if len(args) == 3 and isinstance(args[1], types.Integer) else None
    if held is None or _kind(args[2]) is None or (held is types.float64 and args[2] is vector8):
        return None
    return signature(types.none, args[0], types.intp, held)


def _decide_gather(*args: Any) -> Any:
    if len(args) == 2 and _held(args[0]) is types.float64 and _kind(args[1]) is not None:
        return signature(_kind(args[1]), args[0], _kind(args[1]))
    return None


def _decide_pointer(*args: Any) -> Any:
    if len(args) == 1 and isinstance(args[0], types.Array) and _held(args[0]) is not None:
        return signature(rows_pointer if args[0].ndim == 2 else numbers_pointer, args[0])
    return None


_typed(pointer, _decide_pointer)
_typed(get, _decide_get)
_typed(put, _decide_put)
_typed(gather, _decide_gather)


def _beginning(context: Any, builder: Any, kind: Any, table: Any) -> Any:
    return context.make_array(kind)(context, builder, value=table).data if isinstance(kind, types.Array) else table


def _entry(context: Any, builder: Any, kind: Any, table: Any, row: Any) -> Any:
    start = _beginning(context, builder, kind, table)
    if _held(kind) is types.float64:
        return builder.gep(start, [row])
    place = builder.gep(start, [builder.mul(row, ir.Constant(row.type, LANES))])
    return builder.bitcast(place, _NUMBERS.as_pointer())


@lower_builtin(pointer, types.Array)
def _pointer(context: Any, builder: Any, given: Any, args: Any) -> Any:
    return _beginning(context, builder, given.args[0], args[0])


@lower_builtin(get, types.Array, types.intp)
@lower_builtin(get, rows_pointer, types.intp)
@lower_builtin(get, numbers_pointer, types.intp)
def _get(context: Any, builder: Any, given: Any, args: Any) -> Any:
    return builder.load(_entry(context, builder, given.args[0], *args), align=8)


@lower_builtin(put, types.Array, types.intp, types.float64)
@lower_builtin(put, types.Array, types.intp, vector8)
@lower_builtin(put, rows_pointer, types.intp, vector8)
def _put(context: Any, builder: Any, given: Any, args: Any) -> Any:
    builder.store(args[2], _entry(context, builder, given.args[0], *args[:2]), align=8)
    return context.get_dummy_value()


@lower_builtin(gather, types.Array, types.float64)
@lower_builtin(gather, numbers_pointer, types.float64)
def _gather_number(context: Any, builder: Any, given: Any, args: Any) -> Any:
    return builder.load(_entry(context, builder, given.args[0], args[0], builder.fptosi(args[1], _INT)))


@lower_builtin(gather, types.Array, vector8)
@lower_builtin(gather, numbers_pointer, vector8)
def _gather_lanes(context: Any, builder: Any, given: Any, args: Any) -> Any:
    places = builder.fptosi(args[1], _WHOLE)
    found = ir.Constant(_NUMBERS, ir.Undefined)
    for lane in range(LANES):
        at = ir.Constant(ir.IntType(32), lane)
        number = builder.load(_entry(context, builder, given.args[0], args[0], builder.extract_element(places, at)))
        found = builder.insert_element(found, number, at)
    return found
