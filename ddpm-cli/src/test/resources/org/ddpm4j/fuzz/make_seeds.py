#!/usr/bin/env python3
"""Makes the sound seeds of the fuzz tests beside this file: make_seeds.py RUN

RUN is the folder of a run of the smallest network there is, trained with
  --network tutorial --dim 1 --timesteps 6 --grayscale --image-size 8 --timestep-sampling importance
It takes Pillow, PyTorch and, of release 2, denoising-diffusion-pytorch.
"""

import base64
import gzip
import io
import json
import struct
import sys
import zlib
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
CUT = b"\xff"


def write(target: str, name: str, content: bytes) -> None:
    folder = HERE / target
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)


def safetensors(tensors: dict, metadata: dict | None = None) -> bytes:
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensors() -> None:
    floats = struct.pack("<6f", 0, 1, -1, 0.5, float("nan"), float("inf"))
    write("safetensors", "two", safetensors({"a": ("F32", [2, 3], floats), "b": ("I64", [1], bytes(8))}, {"format": "pt"}))
    every = {
        dtype: (dtype, [2], bytes(2 * size))
        for dtype, size in [("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2), ("I64", 8), ("I32", 4),
                            ("I16", 2), ("I8", 1), ("U8", 1), ("BOOL", 1)]
    }
    write("safetensors", "every-dtype", safetensors(every))
    write("safetensors", "scalar-and-empty", safetensors({"s": ("F32", [], bytes(4)), "e": ("F32", [0, 3], b"")}))
    write("safetensors", "refused-checksum", safetensors({"s": ("F32", [], bytes(4))}, {"crc32c": "00000000"}))
    write("safetensors", "refused-unsigned", safetensors({"s": ("U16", [1], bytes(2))}))


def fixtures() -> None:
    """What diffusers has made for other tests."""
    modules = HERE.parents[6]
    networks = modules / "ddpm-unet/src/test/resources/org/ddpm4j/unet"
    pipelines = modules / "ddpm-diffusion/src/test/resources/org/ddpm4j/diffusion/diffusers"

    def folder(name: str) -> bytes:
        weights = (networks / name / "diffusion_pytorch_model.safetensors").read_bytes()
        return (networks / name / "config.json").read_bytes() + CUT + weights

    write("network-config", "ncsnpp", (networks / "unet2d_ncsnpp/config.json").read_bytes())
    write("network-config", "dit", (networks / "dit/config.json").read_bytes())
    write("network-folder", "dit", folder("dit"))
    for name in ("autoencoder_vq", "autoencoder_kl_attention"):
        write("autoencoder-folder", name, folder(name))
    for name, scheduler in (("score_sde", "ScoreSdeVeScheduler"), ("karras_ve", "KarrasVeScheduler")):
        pipeline = pipelines / name / "pipeline"
        config = (pipeline / "scheduler/scheduler_config.json").read_bytes()
        write("scheduler", scheduler, (pipeline / "model_index.json").read_bytes() + CUT + config)


def network(run: Path) -> None:
    config = (run / "unet/config.json").read_bytes()
    weights = (run / "unet/diffusion_pytorch_model.safetensors").read_bytes()
    write("network-folder", "tutorial", config + CUT + weights)
    write("network-config", "tutorial", config)
    for name, fields in {
        "annotated": {"_model": "annotated", "dim": 4, "dim_mults": [1, 2], "channels": 1,
                      "resnet_block_groups": 2},
        "minimal": {"_model": "minimal", "dim": 2, "channels": 1, "time_dim": 16},
        "diffusers": {"_class_name": "UNet2DModel", "_diffusers_version": "0.30.0", "sample_size": 8,
                      "in_channels": 3, "out_channels": 3, "block_out_channels": [8, 8], "layers_per_block": 1,
                      "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
                      "up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "norm_num_groups": 4,
                      "attention_head_dim": 8, "norm_eps": 1e-5, "act_fn": "silu", "num_class_embeds": 4},
    }.items():
        write("network-config", name, json.dumps(fields).encode())
    newest = sorted((run / "checkpoints").glob("*.safetensors"))[-1]
    write("checkpoint", "newest", newest.read_bytes())
    trained = json.loads((run / "config.json").read_bytes())
    trained["data"]["source"] = "11 images to train on"
    write("run-config", "trained", json.dumps(trained, indent=1).encode())
    untrained = trained.copy()
    for field in ("training", "batches", "initial_weights_seed", "checkpoint_every", "sample_every"):
        untrained.pop(field, None)
    untrained["parameterization"] = "v"
    write("run-config", "from-elsewhere", json.dumps(untrained).encode())


def pipelines() -> None:
    def index(scheduler: str) -> bytes:
        return json.dumps({"_class_name": "DDPMPipeline", "_diffusers_version": "0.30.0",
                           "scheduler": ["diffusers", scheduler], "unet": ["diffusers", "UNet2DModel"]}).encode()

    common = {"_diffusers_version": "0.30.0", "num_train_timesteps": 20, "beta_start": 0.0001, "beta_end": 0.02,
              "beta_schedule": "linear", "trained_betas": None, "prediction_type": "epsilon"}
    for scheduler, more in {
        "DDPMScheduler": {"variance_type": "fixed_small", "clip_sample": True, "thresholding": False},
        "DDIMScheduler": {"clip_sample": True, "set_alpha_to_one": True, "steps_offset": 0, "rescale_betas_zero_snr": True,
                          "timestep_spacing": "trailing"},
        "DPMSolverMultistepScheduler": {"solver_order": 2, "algorithm_type": "dpmsolver++", "solver_type": "midpoint",
                                        "lower_order_final": True, "use_karras_sigmas": True,
                                        "lambda_min_clipped": float("-inf")},
        "PNDMScheduler": {"skip_prk_steps": True, "steps_offset": 1},
        "EulerDiscreteScheduler": {"timestep_spacing": "linspace", "use_karras_sigmas": False},
        "UniPCMultistepScheduler": {"solver_order": 2, "predict_x0": True, "solver_type": "bh2", "disable_corrector": []},
    }.items():
        fields = {"_class_name": scheduler, **common, **more}
        write("scheduler", scheduler, index(scheduler) + CUT + json.dumps(fields).encode())
    betas = {"_class_name": "DDPMScheduler", **common, "num_train_timesteps": 4, "trained_betas": [0.1, 0.2, 0.3, 0.4]}
    write("scheduler", "trained-betas", index("DDPMScheduler") + CUT + json.dumps(betas).encode())
    write("class-names", "three", b'["cat", "dog", "\\u00e9t\\u00e9"]')


def pictures() -> None:
    grey = Image.new("L", (9, 7))
    grey.putdata([(x * 25 + y * 11) % 256 for y in range(7) for x in range(9)])
    colour = Image.merge("RGB", [grey, grey.rotate(180), grey.point(lambda v: 255 - v)])
    alpha = colour.copy()
    alpha.putalpha(grey)
    palette = colour.convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    deep = Image.frombytes("I;16", (9, 7), bytes(range(126)))
    bits = grey.point(lambda v: 255 * (v > 99)).convert("1")
    inks = colour.convert("CMYK")
    exif = Image.Exif()
    exif[0x0112] = 6

    def picture(target: str, name: str, image: Image.Image, form: str, **options) -> None:
        out = io.BytesIO()
        image.save(out, form, **options)
        write(target, name, out.getvalue())

    for name, image in {"grey": grey, "colour": colour, "alpha": alpha, "palette": palette, "deep": deep, "bits": bits}.items():
        picture("png", name, image, "PNG")
    picture("png", "turned", colour, "PNG", exif=exif)
    picture("jpeg", "colour", colour, "JPEG", quality=70)
    picture("jpeg", "grey", grey, "JPEG", quality=70)
    picture("jpeg", "progressive", colour, "JPEG", progressive=True)
    picture("jpeg", "inks", inks, "JPEG")
    picture("jpeg", "turned", colour, "JPEG", exif=exif)
    picture("gif", "palette", palette, "GIF")
    picture("gif", "bits", bits, "GIF")
    picture("gif", "animated", palette, "GIF", save_all=True, append_images=[palette.rotate(90)], transparency=1)
    for name, image in {"grey": grey, "colour": colour, "palette": palette, "bits": bits, "alpha": alpha}.items():
        picture("bmp", name, image, "BMP")
    for name, image in {"grey": grey, "colour": colour, "alpha": alpha, "palette": palette, "deep": deep, "bits": bits, "inks": inks}.items():
        picture("tiff", name, image, "TIFF")
    picture("tiff", "lzw", colour, "TIFF", compression="tiff_lzw")
    picture("tiff", "deflate", colour, "TIFF", compression="tiff_adobe_deflate")
    picture("tiff", "packbits", colour, "TIFF", compression="packbits")
    picture("tiff", "jpeg", colour, "TIFF", compression="jpeg")
    picture("tiff", "fax", bits, "TIFF", compression="group4")
    picture("tiff", "turned", colour, "TIFF", tiffinfo={274: 6})
    picture("webp", "lossy", colour, "WEBP", quality=50)
    picture("webp", "lossless", colour, "WEBP", lossless=True)
    picture("webp", "alpha", alpha, "WEBP", lossless=True)
    picture("webp", "lossy-alpha", alpha, "WEBP", quality=50)
    picture("webp", "animated", colour, "WEBP", save_all=True, append_images=[colour.rotate(90)])
    picture("webp", "turned", colour, "WEBP", exif=exif)


def data_sets() -> None:
    images = struct.pack(">HBB3I", 0, 8, 3, 3, 2, 2) + bytes(range(12))
    labels = struct.pack(">HBBI", 0, 8, 1, 3) + bytes([0, 1, 9])
    write("idx", "images", images)
    write("idx", "labels", labels)
    write("idx", "images-gz", gzip.compress(images, mtime=0))
    write("idx-pair", "plain", struct.pack(">H", len(images)) + images + labels)
    names = "\n".join("airplane automobile bird cat deer dog frog horse ship truck".split()).encode()
    write("cifar10", "one-image", names + CUT + bytes([3]) + bytes(i % 251 for i in range(3072)))
    write("cifar10", "refused-length", names + CUT + bytes(3000))
    names = "\n".join(f"class {i}" for i in range(100)).encode()
    write("cifar100", "one-image", names + CUT + bytes([3, 77]) + bytes(i % 251 for i in range(3072)))
    write("tiny-imagenet", "two-classes", CUT.join([
        b"n01443537\nn01629819\n", b"n01443537\tgoldfish, Carassius auratus\nn01629819\tsalamander\n",
        b"a.png\tn01629819\t0\t32\t44\t62\n"]))
    write("file-names", "two-classes", b"cat/1.png" + CUT + b"dog/1.png")
    write("file-names", "strange", "é ٣/\u202e.png".encode() + CUT + b" /..png")
    write("file-names", "split", b"train/cat/1.png" + CUT + b"test/cat/2.png")
    write("class-choice", "name", b"cat\ndog\n2" + CUT + b"dog")
    write("class-choice", "number", b"cat\ndog\nbird" + CUT + b"1")
    write("class-choice", "refused", b"cat\ndog" + CUT + b"7")
    for name, start in {"pickle": b"\x80\x02}q\x00", "zip": b"PK\x03\x04", "gzip": b"\x1f\x8b\x08", "html": b"<!DOCTYPE html><html>",
                        "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "json": b"{}",
                        "png": b"\x89PNG\r\n\x1a\n", "hdf5": b"\x89HDF\r\n\x1a\n", "empty": b"",
                        "npy": b"\x93NUMPY\x01\x00", "tar": bytes(257) + b"ustar\x0000", "safetensors": safetensors({})}.items():
        write("foreign-format", name, start)


def pytorch() -> None:
    import torch

    state = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(3, dtype=torch.bfloat16),
             "steps": torch.tensor(7), "mask": torch.tensor([True, False])}
    matrix = torch.arange(6.0).reshape(2, 3)
    for name, saved in {"state": state, "nested": {"ema": state, "step": 3, "note": "of a test", "rates": [0.1, 2, None]},
                        "views": {"turned": matrix.t(), "row": matrix[1], "every-second": matrix[:, ::2]},
                        "parameter": {"w": torch.nn.Parameter(torch.ones(2))}}.items():
        for suffix, options in {"": {}, "-legacy": {"_use_new_zipfile_serialization": False}}.items():
            out = io.BytesIO()
            torch.save(saved, out, **options)
            write("pytorch", name + suffix, out.getvalue())


def lucidrains() -> None:
    """A diffusion with a network as small as his can be."""
    import torch
    from denoising_diffusion_pytorch import GaussianDiffusion, Unet
    from safetensors.torch import save

    torch.manual_seed(1)
    unet = Unet(dim=4, channels=1, dim_mults=(1,), attn_heads=1, attn_dim_head=1)
    state = {f"model.{name}": tensor.half() if name.startswith("model.") else tensor
             for name, tensor in GaussianDiffusion(unet, image_size=8, timesteps=10).state_dict().items()}
    write("lucidrains", "state", save(state))
    out = io.BytesIO()
    torch.save(state, out, _use_new_zipfile_serialization=False)
    write("lucidrains", "state-legacy", out.getvalue())


def run_files() -> None:
    write("sample-record", "call", json.dumps({"seed": "7", "sampler": "ddpm", "digits": "4"}, indent=2).encode())
    write("run-tables", "trained", CUT.join([
        b"begun_at_step,steps,images,seconds,machine\n0,100,3200,12.500,\"AMD EPYC, 2 threads, float32\n100,50,1600,7.250,cpu\n",
        b"step,loss,validation_loss,learning_rate,gradient_norm\n25,0.5,NaN,0.001,1.25\n50,0.25,0.3,9.0E-4,1.0\n",
        b"step,images,frechet_distance,kernel_distance,kernel_distance_error,precision,recall,density,coverage,inception_score\n"
        b"100,50,12.5,0.01,0.001,0.5,0.5,0.9,0.8,\n",
        b'{"step": 3, "steps": 10, "loss": null, "images_per_second": 31.5, "seconds_left": 2, "process": 77, "ended": false}\n']))
    statistics = {"count": ("I64", [1], struct.pack("<q", 3)), "mean": ("F64", [2], struct.pack("<2d", 0.5, -1)),
                  "scatter": ("F64", [2, 2], struct.pack("<4d", 2, 0.5, 0.5, 1))}
    classes = {f"class.{k}.{name}": tensor for k in range(2) for name, tensor in statistics.items()}
    some = {"features": ("F32", [3, 2], bytes(24)), "probabilities": ("F32", [3, 2], bytes(24)), "labels": ("I32", [3], bytes(12))}
    metadata = {"extractor": "classifier", "source": "3 images", "fingerprint": "0" * 64, "class_names": "cat\ndog",
                "crc32c": "00000000"}
    write("reference-features", "two-classes", safetensors({**statistics, **classes, **some}, metadata))
    two = safetensors({"a": ("F32", [1], bytes(4)), "b": ("F32", [2], bytes(8))})
    write("weights-index", "one-file", json.dumps(
        {"metadata": {"total_size": 12}, "weight_map": {"a": "a.safetensors", "b": "a.safetensors"}}).encode() + CUT + two)


def requests() -> None:
    picture = io.BytesIO()
    Image.new("L", (28, 28), 99).save(picture, "PNG")
    image = base64.b64encode(picture.getvalue()).decode()
    mask = Image.new("L", (28, 28), 255)
    mask.paste(0, (0, 0, 9, 9))
    picture = io.BytesIO()
    mask.save(picture, "PNG")
    for name, body in {
        "sample": {"count": 2, "seed": 7, "steps": 3, "sampler": "ddim", "previews": 2},
        "seeds": {"seeds": [1, -2, 3], "model": "bundled"},
        "inpaint": {"kind": "inpaint", "image": image, "mask": base64.b64encode(picture.getvalue()).decode(), "steps": 4,
                    "resamplings": 2, "count": 1},
        "image-to-image": {"kind": "image-to-image", "image": image, "strength": 0.5, "sampler": "dpm++"},
        "interpolate": {"kind": "interpolate", "image": image, "to": image, "count": 3},
        "refused-guidance": {"guidance": 3, "class": "Bag", "count": 1},
    }.items():
        write("service-request", name, json.dumps(body).encode())


if __name__ == "__main__":
    tensors()
    fixtures()
    network(Path(sys.argv[1]))
    pipelines()
    pictures()
    data_sets()
    pytorch()
    lucidrains()
    run_files()
    requests()
