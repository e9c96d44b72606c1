"""Golden values of PyTorch's AdamW in double precision. usage: make_adamw.py > adamw.json"""
import json
import torch

torch.manual_seed(5)
STEPS, SIZE = 30, 6
start = torch.randn(SIZE, dtype=torch.float64)
gradients = torch.randn(STEPS, SIZE, dtype=torch.float64) * torch.logspace(-4, 1, SIZE, dtype=torch.float64)
w = start.clone().requires_grad_()
optimizer = torch.optim.AdamW([w], lr=0.02, betas=(0.9, 0.99), eps=1e-6, weight_decay=0.05)
states = []
for g in gradients:
    w.grad = g.clone()
    optimizer.step()
    states.append(w.detach().tolist())
print(json.dumps(dict(torch=torch.__version__, start=start.tolist(), gradients=gradients.tolist(), weights=states)))
