"""Writes the .pt files beside it by torch.save, and expected.json, what torch says is in them.

Needs PyTorch 2.3 or later (unsigned dtypes); those in the repository are of 2.11.
"""

import json
import pathlib

import torch

FOLDER = pathlib.Path(__file__).parent
EXPECTED = {}


def flatten(name, value, into):
    if isinstance(value, torch.Tensor):
        kept = torch.int64 if value.dtype in (torch.uint16, torch.uint32) else value.dtype
        into[name] = {
            "dtype": str(value.dtype).split(".")[1],
            "shape": list(value.shape),
            "values": [float(x) for x in value.detach().to(kept).contiguous().flatten().tolist()],
        }
    elif isinstance(value, dict):
        for key, entry in value.items():
            flatten(f"{name}.{key}" if name else str(key), entry, into)
    elif isinstance(value, (list, tuple)):
        flatten(name, dict(enumerate(value)), into)
    return into


def write(name, value, **options):
    torch.save(value, FOLDER / name, **options)
    EXPECTED[name] = flatten("", value, {})


torch.manual_seed(1)
dtypes = {}
for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
    dtypes[str(dtype)] = torch.tensor([[1.5, -2.25, 0.0], [1024.0, -0.0078125, 3.0]]).to(dtype)
for dtype in (torch.int64, torch.int32, torch.int16, torch.int8):
    dtypes[str(dtype)] = torch.tensor([-128, 0, 127], dtype=dtype)
for dtype in (torch.uint8, torch.uint16, torch.uint32):
    dtypes[str(dtype)] = torch.tensor([0, 255], dtype=dtype)
dtypes["torch.uint64"] = torch.tensor([0, 1 << 40], dtype=torch.uint64)
dtypes["torch.bool"] = torch.tensor([True, False, True])

base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
views = {
    "base": base,
    "permuted": base.permute(2, 0, 1),
    "sliced": base[:, 1:, ::2],
    "row": base[1, 2],
    "expanded": torch.tensor([[7.0], [8.0]]).expand(2, 3),
    "channels_last": torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last),
    "half_transposed": torch.arange(6.0).half().reshape(2, 3).t(),
    "bytes_strided": torch.arange(10, dtype=torch.uint8)[1::3],
    "longs_strided": torch.arange(10)[::4],
    "scalar": torch.tensor(3.5),
    "empty": torch.zeros(0, 3),
}

net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
net(torch.ones(4, 2)).sum().backward()
optimiser.step()
checkpoint = {
    "step": 3,
    "model": net.state_dict(),
    "opt": optimiser.state_dict(),
    "ema": {"initted": torch.tensor([True]), "weights": [p for p in net.parameters()]},
    "scaler": None,
    "version": "2.1.1",
    "betas": (0.9, 0.99),
    "big": 1 << 70,
    "shape": torch.Size([2, 3]),
}

write("dtypes.pt", dtypes)
write("dtypes-legacy.pt", dtypes, _use_new_zipfile_serialization=False)
write("views.pt", views)
write("views-legacy.pt", views, _use_new_zipfile_serialization=False)
write("checkpoint.pt", checkpoint)
write("checkpoint-legacy.pt", checkpoint, _use_new_zipfile_serialization=False)
write("checkpoint-protocol-4.pt", checkpoint, pickle_protocol=4)

# What no reader of tensors reads.
torch.save(net, FOLDER / "module.pt")
torch.save({"z": torch.ones(2, dtype=torch.complex64)}, FOLDER / "complex.pt")

(FOLDER / "expected.json").write_text(json.dumps(EXPECTED, indent=1) + "\n")
