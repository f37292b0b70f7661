"""Tensor data as bytes: the binary tensor data extension of the Open Inference Protocol (named by Triton).

Elements follow each other in row-major order, little-endian, without padding. BOOL is one byte, 0 or 1. An element of
BYTES is its length as an unsigned number of four bytes, then its bytes; here those are UTF-8 text.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from scheduler.serving.columns import DTYPE, Array

_LENGTH = struct.Struct("<I")


def decode(data: memoryview, *, datatype: str, shape: Sequence[int]) -> Array:
    """The tensor in `data`; ValueError says in what way the bytes are not `shape` elements of `datatype`."""
    count = prod(shape)
    if datatype == "BYTES":
        texts = list(_texts(data))
        if len(texts) != count:
            raise ValueError(f"the bytes hold {len(texts)} elements, the shape has {count}")
        flat = np.empty(count, dtype=object)
        flat[:] = texts
        return flat.reshape(shape)
    wanted = count * DTYPE[datatype].itemsize
    if len(data) != wanted:
        raise ValueError(f"there are {len(data)} bytes, {count} elements of {datatype} take {wanted}")
    if datatype == "BOOL":
        return _booleans(data).reshape(shape)
    return np.frombuffer(data, dtype=DTYPE[datatype]).reshape(shape)


def encode(array: Array, *, datatype: str) -> bytes:
    if datatype == "BYTES":
        encoded = [str(text).encode() for text in array.ravel().tolist()]
        return b"".join(part for item in encoded for part in (_LENGTH.pack(len(item)), item))
    return np.ascontiguousarray(array, dtype=DTYPE[datatype]).tobytes()


def _texts(data: memoryview) -> Iterator[str]:
    position = 0
    while position < len(data):
        if position + 4 > len(data):
            raise ValueError(f"the bytes end within the length of the element at byte {position}")
        (length,) = _LENGTH.unpack_from(data, position)
        position += 4
        if position + length > len(data):
            raise ValueError(f"an element of {length} bytes begins at byte {position} of {len(data)}")
        yield _text(data[position : position + length], position)
        position += length


def _text(data: memoryview, position: int) -> str:
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"the element at byte {position} is not UTF-8 text") from error


def _booleans(data: memoryview) -> Array:
    numbers = np.frombuffer(data, dtype=np.uint8)
    if numbers.size and numbers.max() > 1:
        raise ValueError(f"a BOOL is 0 or 1, byte {int(np.argmax(numbers > 1))} is {int(numbers.max())}")
    return numbers.astype(np.bool_)
