"""A network with inputs, outputs and gradients, as GoldenModelsTest reads them."""

import json

import torch
from safetensors.torch import save_file


def shake(network):
    """No scale of one and no bias of zero, so that nothing can be left out; exact in half precision."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
            parameter.copy_(parameter.half().double())


def gradient(parameter):
    """Of a parameter that the output does not depend on, too."""
    return torch.zeros(parameter.shape) if parameter.grad is None else parameter.grad.float()


def write(folder, config, network, y, io, name_in_file=str):
    """Writes a folder's four files.

    config        with the _class_name
    y             what the network made of io's x [N,C,H,W], in double precision
    io            also the weights [N] of the losses mean(y*g); gets g, y and the losses
    name_in_file  of a parameter
    """
    folder.mkdir(parents=True, exist_ok=True)
    io["g"] = torch.randn(y.shape)
    losses = (y * io["g"].double()).mean(dim=(1, 2, 3))
    (losses * io["weights"].double()).mean().backward()
    io["y"], io["losses"] = y.detach().contiguous(), losses.detach()
    weights = {
        name_in_file(name): tensor.detach().half().contiguous()
        for name, tensor in network.state_dict().items()
    }
    gradients = {name: gradient(p).contiguous() for name, p in network.named_parameters()}
    save_file(io, folder / "io.safetensors")
    save_file(weights, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    save_file(gradients, folder / "grads.safetensors")
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
