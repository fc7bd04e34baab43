"""GPT-2 in plain PyTorch, as the peer of a benchmark: what a careful user would write, no more."""

import torch
from torch import nn
from torch.nn import functional


def written_out_attention(q, k, v):
    """The same as the fused function, one operation after the other, as makemore has it."""
    length = q.shape[-2]
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    ahead = torch.ones(length, length, dtype=torch.bool, device=q.device).triu(1)
    return functional.softmax(scores.masked_fill(ahead, float("-inf")), -1) @ v


def written_out_gelu(x):
    """The same as PyTorch's, as makemore has it."""
    return 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))


class Block(nn.Module):
    """A pre-norm block, with PyTorch's own fused functions or with everything written out."""

    def __init__(self, width: int, heads: int, fused: bool, bias: bool, rate: float):
        super().__init__()
        self.heads, self.fused, self.rate = heads, fused, rate
        self.before_attention, self.before_mlp = (
            nn.LayerNorm(width, bias=bias),
            nn.LayerNorm(width, bias=bias),
        )
        self.qkv, self.out = nn.Linear(width, 3 * width, bias), nn.Linear(width, width, bias)
        self.up, self.down = nn.Linear(width, 4 * width, bias), nn.Linear(4 * width, width, bias)
        self.approximate = "tanh" if bias else "none"  # nanoGPT without biases has the exact GELU

    def forward(self, x):
        batch, length, width = x.shape
        shape = (batch, length, self.heads, width // self.heads)
        q, k, v = (
            part.view(shape).transpose(1, 2) for part in self.qkv(self.before_attention(x)).split(width, 2)
        )
        if self.fused:
            rate = self.rate if self.training else 0.0
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=rate)
        else:
            mixed = written_out_attention(q, k, v)
        x = x + self.drop(self.out(mixed.transpose(1, 2).reshape(batch, length, width)))
        up = self.up(self.before_mlp(x))
        up = functional.gelu(up, approximate=self.approximate) if self.fused else written_out_gelu(up)
        return x + self.drop(self.down(up))

    def drop(self, x):
        return functional.dropout(x, self.rate, self.training)


class GPT(nn.Module):
    """Logits of every next token; the head is the embeddings."""

    def __init__(
        self,
        *,
        vocab: int,
        width: int,
        layers: int,
        heads: int,
        length: int,
        fused: bool = True,
        bias: bool = True,
        rate: float = 0.0,
    ):
        super().__init__()
        self.rate = rate
        self.tokens, self.places = nn.Embedding(vocab, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads, fused, bias, rate) for _ in range(layers))
        self.norm = nn.LayerNorm(width, bias=bias)
        self.head = nn.Linear(width, vocab, bias=False)
        self.head.weight = self.tokens.weight
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                last = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * layers) ** 0.5 if last else 0.02)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1], device=tokens.device))
        x = functional.dropout(x, self.rate, self.training)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))
