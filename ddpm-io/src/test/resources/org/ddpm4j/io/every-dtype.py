"""Writes every-dtype.safetensors with Python's own safetensors package.

    pip install safetensors==0.8.0 && python every-dtype.py
"""

import ctypes
import struct

from safetensors import TensorSpec, serialize_file

buffers = []


def tensor(dtype, shape, fmt, *values):
    data = struct.pack("<%d%s" % (len(values), fmt), *values)
    buffers.append(ctypes.create_string_buffer(data, max(1, len(data))))
    return TensorSpec(
        dtype=dtype, shape=shape, data_ptr=ctypes.addressof(buffers[-1]), data_len=len(data)
    )


serialize_file(
    {
        "f64": tensor("float64", [2], "d", 0.1, -1e300),
        "f32": tensor("float32", [2, 3], "f", 0.0, 1.0, 2.0, 3.0, 4.0, 5.5),
        "f16": tensor("float16", [2], "e", 1.5, -65504.0),
        # The upper halves of the float32 1.0 (3f800000) and -3.140625 (c0490000).
        "bf16": tensor("bfloat16", [2], "H", 0x3F80, 0xC049),
        "i64": tensor("int64", [2], "q", -(2**63), 2**63 - 1),
        "i32": tensor("int32", [2], "i", -(2**31), 2**31 - 1),
        "i16": tensor("int16", [2], "h", -(2**15), 2**15 - 1),
        "i8": tensor("int8", [2], "b", -128, 127),
        "u64": tensor("uint64", [1], "Q", 2**53 - 1),
        "u32": tensor("uint32", [2], "I", 0, 2**32 - 1),
        "u16": tensor("uint16", [2], "H", 0, 2**16 - 1),
        "u8": tensor("uint8", [2], "B", 0, 255),
        "bool": tensor("bool", [3], "?", True, False, True),
        "scalar": tensor("float32", [], "f", 42.0),
        "empty": tensor("float32", [2, 0, 3], "f"),
        "naïve \"quoted\" 名": tensor("float32", [1], "f", 7.0),
    },
    "every-dtype.safetensors",
    {"format": "pt", "ключ": "значение \"x\"\n"},
)
