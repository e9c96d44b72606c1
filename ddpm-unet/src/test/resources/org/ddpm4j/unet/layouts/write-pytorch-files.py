"""Writes the weights of ../unet2d_former_names in PyTorch's own formats, by torch.save of 2.11."""

import collections
import json
import pathlib
import struct

import torch

FOLDER = pathlib.Path(__file__).parent
SOURCE = FOLDER.parent / "unet2d_former_names" / "diffusion_pytorch_model.safetensors"


def weights():
    data = SOURCE.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    tensors = collections.OrderedDict()
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            dtype = {"F16": torch.float16, "F32": torch.float32}[entry["dtype"]]
            values = torch.frombuffer(bytearray(data[begin:end]), dtype=dtype)
            tensors[name] = values.reshape(entry["shape"]).clone()
    return tensors


state = weights()
torch.save(state, FOLDER / "diffusion_pytorch_model.bin")

others = collections.OrderedDict((name, torch.zeros_like(x)) for name, x in state.items())
average = collections.OrderedDict(("ema_model." + name, x) for name, x in state.items())
average["step"] = torch.tensor(7)
torch.save(
    {"step": 7, "model": others, "ema": average, "scaler": None},
    FOLDER / "checkpoint.pt",
    _use_new_zipfile_serialization=False,
)
