"""A transformer in loops and plain numpy, float64, written from the papers and from nothing else.

It shares no code with the library: it reads a configuration's fields and a nested dictionary of arrays. A
row is computed by itself and its padding is cut out beforehand, which is what padding should amount to.
"""

import math

import numpy as np


def logits(config, params, tokens, source=None):
    """Logits of one row without padding. tokens: list[int] -> [T, V]"""
    encoded = None
    if config.kind != "decoder":
        read = tokens if source is None else source
        encoded = run_stack(config, params["encoder"], embed(config, params, read), causal=False)
    if config.kind == "encoder":
        hidden = encoded
    else:
        x = embed(config, params, tokens)
        hidden = run_stack(config, params["decoder"], x, causal=True, encoded=encoded)
    matrix = params["embedding"]["table"].T if config.head.weights == "tied" else params["head"]
    return hidden @ matrix + params.get("head_bias", 0.0)


def embed(config, params, tokens):
    return np.stack([params["embedding"]["table"][t] * config.embedding.scale for t in tokens])


def run_stack(config, params, x, *, causal, encoded=None):
    scheme = type(config.position).__name__
    length, width = x.shape
    if scheme == "Learned":
        x = x + params["tables"]["table"][:length]
    if scheme == "Sinusoidal":
        x = x + np.stack([sinusoid(config.position, t, width) for t in range(length)])
    for index in sorted(params["blocks"]):
        x = block(config, params, params["blocks"][index], x, causal=causal, encoded=encoded)
    return x if config.wiring == "post" else norm(config, params["norm"], x)


def block(config, stack, params, x, *, causal, encoded):
    def attend(h):
        return attention(config, stack, params["attention"], h, causal=causal)

    def cross(h):
        return attention(config, stack, params["cross"], h, encoded=encoded)

    def feed(h):
        return mlp(config, params["mlp"], h)

    parts = [attend, feed] if encoded is None else [attend, cross, feed]
    if config.wiring == "parallel":
        n = norm(config, params["norms"][0], x)
        return x + sum(part(n) for part in parts)
    if config.wiring == "parallel_apart":
        return x + sum(part(norm(config, params["norms"][i], x)) for i, part in enumerate(parts))
    for index, part in enumerate(parts):
        if config.wiring == "res_post":
            x = x + norm(config, params["norms"][index], part(x))
        elif config.wiring == "pre":
            x = x + part(norm(config, params["norms"][index], x))
        else:
            x = norm(config, params["norms"][index], x + part(x))
    return x


def norm(config, params, x):
    rows = []
    for row in x:
        if config.norm == "layer":
            mean = math.fsum(row) / len(row)
            variance = math.fsum((v - mean) ** 2 for v in row) / len(row)
            row = (row - mean) / math.sqrt(variance + config.norm_epsilon) * params["scale"]
            row = row + params.get("bias", 0.0)
        else:
            square = math.fsum(v * v for v in row) / len(row)
            row = row / math.sqrt(square + config.norm_epsilon) * params["scale"]
        rows.append(row)
    return np.stack(rows)


def gelu(v):
    return 0.5 * v * (1 + math.erf(v / math.sqrt(2)))


def gelu_tanh(v):
    return 0.5 * v * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3)))


def relu(v):
    return max(v, 0.0)


def silu(v):
    return v / (1 + math.exp(-v))


PLAIN = {"relu": relu, "gelu": gelu, "gelu_tanh": gelu_tanh, "silu": silu}
GATED = {"reglu": relu, "geglu": gelu, "geglu_tanh": gelu_tanh, "swiglu": silu}


def mlp(config, params, x):
    up = linear(params["up"], x)
    if config.mlp.activation in GATED:
        hidden = np.vectorize(GATED[config.mlp.activation])(linear(params["gate"], x)) * up
    else:
        hidden = np.vectorize(PLAIN[config.mlp.activation])(up)
    return linear(params["down"], hidden)


def linear(params, x):
    return x @ params["kernel"] + params.get("bias", 0.0)


def attention(config, stack, params, x, *, causal=False, encoded=None):
    """Self-attention, or attention to `encoded`, which has neither positions nor a window."""
    position, scheme = config.position, type(config.position).__name__
    seen = x if encoded is None else encoded
    q = np.einsum("td,dhk->htk", x, params["query"]["kernel"])
    k = np.einsum("sd,dgk->gsk", seen, params["key"]["kernel"])
    v = np.einsum("sd,dgk->gsk", seen, params["value"]["kernel"])
    if "bias" in params["query"]:
        q = q + params["query"]["bias"][:, None]
        k = k + params["key"]["bias"][:, None]
        v = v + params["value"]["bias"][:, None]
    heads, length, width = q.shape
    if scheme == "Rotary" and encoded is None:
        q = np.stack([[rotate(position, row, t) for t, row in enumerate(head)] for head in q])
        k = np.stack([[rotate(position, row, t) for t, row in enumerate(head)] for head in k])
    scale = config.attention.scale if config.attention.scale is not None else 1 / math.sqrt(width)
    output = np.zeros(x.shape)
    for h in range(heads):
        g = h // (heads // len(k))  # consecutive query heads share a key and value head
        for t in range(length):
            scores = {}
            for s in range(len(seen)):
                if encoded is None:
                    if causal and s > t:
                        continue
                    if config.window is not None and abs(s - t) >= config.window:
                        continue
                score = scale * float(q[h, t] @ k[g, s])
                if encoded is None and scheme == "Relative":
                    bucket = t5_bucket(position, s - t, both=not causal)
                    score += stack["tables"]["bias"][bucket, h]
                if encoded is None and scheme == "ALiBi":
                    score -= alibi_slope(h, heads) * abs(s - t)
                scores[s] = score
            highest = max(scores.values())
            total = math.fsum(math.exp(score - highest) for score in scores.values())
            mixed = sum(math.exp(score - highest) / total * v[g, s] for s, score in scores.items())
            output[t] += mixed @ params["out"]["kernel"][h]
    return output + params["out"].get("bias", 0.0)


def sinusoid(position, t, width):
    """Vaswani et al. 2017, section 3.5: sin(t / theta^(2i/d)) and the cosine of the same."""
    angles = [t / position.theta ** (2 * i / width) for i in range((width + 1) // 2)]
    sines, cosines = [math.sin(a) for a in angles], [math.cos(a) for a in angles]
    if position.layout == "split":
        wave = sines + cosines
    else:
        wave = [value for pair in zip(sines, cosines, strict=True) for value in pair]
    return np.array(wave[:width])


def rotate(position, vector, t):
    """Su et al. 2021, equation 15, one pair of features at a time."""
    vector = np.array(vector)
    width = len(vector) if position.rotary_dim is None else position.rotary_dim
    for i in range(width // 2):
        a, b = (i, i + width // 2) if position.pairing == "half" else (2 * i, 2 * i + 1)
        angle = t * position.theta ** (-2 * i / width)
        x, y = vector[a], vector[b]
        vector[a] = x * math.cos(angle) - y * math.sin(angle)
        vector[b] = x * math.sin(angle) + y * math.cos(angle)
    return vector


def t5_bucket(position, distance, *, both):
    """Raffel et al. 2020, section 2.1, and the authors' `_relative_position_bucket`."""
    count, start = position.num_buckets, 0
    if both:
        count //= 2
        start = count if distance > 0 else 0
        far = abs(distance)
    else:
        far = max(-distance, 0)
    exact = count // 2
    if far < exact:
        return start + far
    share = math.log(far / exact) / math.log(position.max_distance / exact)
    return start + min(exact + int(share * (count - exact)), count - 1)


def alibi_slope(head, heads):
    """Press et al. 2022, section 3; for head counts that are no power of two, their published code."""
    if math.log2(heads).is_integer():
        return 2 ** (-8 * (head + 1) / heads)
    power = 2 ** math.floor(math.log2(heads))
    if head < power:
        return alibi_slope(head, power)
    return alibi_slope(2 * (head - power), 2 * power)
