#!/usr/bin/env python3
"""Writes what PyTorch's optimizers, recurrent layers and losses compute, for the
tests of frontend/nn: python3 bench/torch/nn.py > frontend/nn/testdata/torch.json"""

import json

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)


def listed(t):
    return {"shape": list(t.shape), "data": t.detach().reshape(-1).tolist()}


def optimizer(make):
    ps = [torch.randn(3, 4), torch.randn(4)]
    start = [listed(p) for p in ps]
    ps = [p.requires_grad_() for p in ps]
    o = make(ps)
    grads = [[torch.randn_like(p) for p in ps] for _ in range(6)]
    after = []
    for gs in grads:
        for p, g in zip(ps, gs):
            p.grad = g
        o.step()
        after.append([listed(p) for p in ps])
    return {"start": start, "grads": [[listed(g) for g in gs] for gs in grads], "after": after}


def recurrent(cls):
    t, n, i, h = 5, 2, 3, 4
    net = cls(i, h)
    x, h0 = torch.randn(t, n, i), torch.randn(n, h)
    c0 = torch.randn(n, h)
    state = (h0[None], c0[None]) if cls is torch.nn.LSTM else h0[None]
    y, _ = net(x, state)
    return {"x": listed(x), "h": listed(h0), "c": listed(c0), "y": listed(y),
            "w": listed(net.weight_ih_l0.T), "u": listed(net.weight_hh_l0.T),
            "b": listed(net.bias_ih_l0), "d": listed(net.bias_hh_l0)}


def attention():
    d, heads = 8, 2
    net = torch.nn.MultiheadAttention(d, heads, batch_first=True)
    torch.nn.init.normal_(net.in_proj_bias)
    x = torch.randn(2, 5, d)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(5)
    y, _ = net(x, x, x, attn_mask=mask, need_weights=False)
    w, b = net.in_proj_weight.T, net.in_proj_bias
    return {"x": listed(x), "y": listed(y), "w": listed(w), "b": listed(b),
            "u": listed(net.out_proj.weight.T), "d": listed(net.out_proj.bias)}


def losses():
    x, y = torch.randn(4, 5), torch.randn(4, 5)
    label = torch.tensor([0, 4, 2, 2])
    q = torch.softmax(torch.randn(4, 5), -1)
    q[0, 0] = 0
    return {"x": listed(x), "y": listed(y), "label": label.tolist(), "q": listed(q),
            "ce": F.cross_entropy(x, label).item(),
            "smooth": F.cross_entropy(x, label, label_smoothing=0.1).item(),
            "mse": F.mse_loss(x, y).item(), "l1": F.l1_loss(x, y).item(),
            "huber": F.huber_loss(x, y, delta=0.7).item(),
            "bce": F.binary_cross_entropy_with_logits(x, torch.sigmoid(y)).item(),
            "kl": F.kl_div(torch.log_softmax(x, -1), q, reduction="batchmean").item()}


def schedules():
    out = {}
    p = torch.nn.Parameter(torch.zeros(1))
    for name, make in {
        "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 20, 0.01),
        "step": lambda o: torch.optim.lr_scheduler.StepLR(o, 5, 0.3),
        "exponential": lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9),
    }.items():
        o = torch.optim.SGD([p], lr=0.5)
        s = make(o)
        rates = []
        for _ in range(20):
            rates.append(o.param_groups[0]["lr"])
            o.step()
            s.step()
        out[name] = rates
    return out


O = torch.optim
print(json.dumps({
    "optimizers": {
        "sgd": optimizer(lambda p: O.SGD(p, lr=0.1)),
        "momentum": optimizer(lambda p: O.SGD(p, lr=0.1, momentum=0.9, dampening=0.3)),
        "nesterov": optimizer(lambda p: O.SGD(p, lr=0.1, momentum=0.9, nesterov=True,
                                              weight_decay=0.01)),
        "adam": optimizer(lambda p: O.Adam(p, lr=0.1, weight_decay=0.01)),
        "adamw": optimizer(lambda p: O.AdamW(p, lr=0.1, weight_decay=0.1)),
        "adafactor": optimizer(lambda p: O.Adafactor(p, lr=0.1, eps=(2.0**-23, 1e-3),
                                                     weight_decay=0.1)),
    },
    "rnn": recurrent(torch.nn.RNN), "lstm": recurrent(torch.nn.LSTM),
    "gru": recurrent(torch.nn.GRU), "attention": attention(), "losses": losses(),
    "schedules": schedules(),
}, separators=(",", ":")))
