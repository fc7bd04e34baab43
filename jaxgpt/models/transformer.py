"""A transformer: decoder, encoder, or both (Vaswani et al. 2017, arXiv 1706.03762)."""

import dataclasses
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax.sharding import PartitionSpec
from jaxtyping import Array, Float, Int

from jaxgpt.core.signatures import Signature
from jaxgpt.models import call_checks
from jaxgpt.models.building import build_norm
from jaxgpt.models.config import ModelConfig
from jaxgpt.models.explicit_mesh import call_with_automatic_axes, has_explicit_axes
from jaxgpt.models.layer_inputs import Sight
from jaxgpt.models.token_features import Features
from jaxgpt.nn.adaptive import AdaptiveEmbedding
from jaxgpt.nn.attention import cache as caching
from jaxgpt.nn.head import HeadTransform
from jaxgpt.nn.kernels.wide_matmul import wide_matmul
from jaxgpt.nn.linear import Embedding, Linear, constant, normal, read
from jaxgpt.nn.mlp import function
from jaxgpt.nn.parabola import Parabola
from jaxgpt.nn.tap import Tap, identity

NO_FEATURES = Features()
#: Which tokens of a call get logits.
LogitsOf = Literal["all", "last", "none"]


class Output(NamedTuple):
    """What a model returns.

    Attributes:
      logits: of the next token (decoder) or of each token (encoder), float32 or wider; [B, 1, V] of the last
        token alone, where so asked, and None from a model with `head.weights=none`. [B, T, V]
      hidden: what the logits are computed from. [B, T, D]
      cache: with the tokens of this call in it; None if none was given.
      numbers: what is said of the next number, should one come next, in the form of the model's number
        encoding; None without one. [B, T, P]
      pooled: the sequence as one vector, from a model with a `pooler`. [B, D]
      labels: logits of the labels, [B, C], or [B, T, C] with `labels_from=each`; None without any.
    """

    logits: Float[Array, "B T V"] | None
    hidden: Float[Array, "B T D"]
    cache: caching.Cache | None
    numbers: Float[Array, "B T P"] | None = None
    pooled: Float[Array, "B D"] | None = None
    labels: Float[Array, "B *T C"] | None = None


def build_embedding(config: ModelConfig, rngs: nnx.Rngs) -> Embedding | AdaptiveEmbedding:
    """The vectors of the tokens."""
    shared = {
        "std": config.embedding_std,
        "dtype": config.dtype,
        "param_dtype": config.param_dtype,
        "rngs": rngs,
    }
    if config.embedding.kind == "adaptive":
        return AdaptiveEmbedding(
            config.vocab_size,
            config.d_model,
            cutoffs=config.embedding.cutoffs,
            factor=config.embedding.cutoff_factor,
            **shared,
        )
    width = config.resolved_embedding_width
    if config.embedding.kind == "parabola":
        types = {"dtype": config.dtype, "param_dtype": config.param_dtype}
        return Parabola(config.all_token_values, width, **types)
    return Embedding(config.vocab_size, width, features=config.token_features, **shared)


def build_head_transform(config: ModelConfig, rngs: nnx.Rngs) -> HeadTransform:
    """What stands before the output matrix."""
    return HeadTransform(
        config.hidden_width,
        config.resolved_embedding_width,
        activation=config.mlp.activation,
        norm=build_norm(config, config.resolved_embedding_width),
        std=config.init_std,
        dtype=config.dtype,
        param_dtype=config.param_dtype,
        rngs=rngs,
    )


def build_pooler(config: ModelConfig, rngs: nnx.Rngs) -> Linear:
    """The map of one token's hidden state that stands for the sequence (Devlin et al. 2019, section 3.2)."""
    return Linear(
        {"embed": config.hidden_width},
        {None: config.d_model},
        std=config.init_std,
        bias=True,
        dtype=config.dtype,
        param_dtype=config.param_dtype,
        rngs=rngs,
    )


def build_labels(config: ModelConfig, rngs: nnx.Rngs) -> Linear:
    """The second head: labels of a sequence, or of each token."""
    return Linear(
        {"embed": config.d_model if config.pooler else config.hidden_width},
        {None: config.num_labels},
        std=config.init_std,
        bias=config.labels_bias,
        dtype=config.dtype,
        param_dtype=config.param_dtype,
        rngs=rngs,
    )


class Transformer(nnx.Module):
    """The model that a `ModelConfig` describes; with another `mixer` than attention it is no transformer.

        config = jaxgpt.ModelConfig(vocab_size=16, d_model=32, num_heads=2, num_layers=2)
        model = jaxgpt.Transformer(config, rngs=nnx.Rngs(0))
        model(jnp.zeros((1, 8), int)).logits  # [1, 8, 16]

    Args:
      config: with a vocabulary.
      rngs: what weights are drawn from.

    Shapes: B batch, T tokens, Z source tokens, D model, V vocabulary. All of its state is parameters;
    randomness enters through `key` alone, and without a key there is no dropout.

    A model can be pickled, and exported by `jax.export` for an open number of rows. On a mesh with explicit
    axes its logits lie as its tokens do. `nnx.tabulate` shows stacks of attention layers without a source or
    memory, and makemore's MLP and bigram; Flax 0.12 cannot print the arguments of the others.

    Raises:
      ValueError: if `config.vocab_size` is 0.
    """

    __signature__ = Signature()

    def __init__(self, config: ModelConfig, *, rngs: nnx.Rngs):
        if config.vocab_size < 1:
            raise ValueError("vocab_size=0: give the model a vocabulary with config.for_vocabulary(...)")
        self.config = config
        self.embedding = build_embedding(config, rngs)
        build, kind = config.mixer.build, config.kind
        self.encoder = build(config, "encoder", rngs) if kind != "decoder" else None
        self.decoder = build(config, "decoder", rngs) if kind != "encoder" else None
        std, width = config.embedding_std, config.resolved_embedding_width
        behind = width if config.head.transform else config.hidden_width
        shape, axes = (behind, config.vocab_size), ("embed", "vocab")
        own = config.head.weights == "separate"
        self.head = normal(rngs.params(), shape, config.head_std, axes, config.param_dtype) if own else None
        bias = config.head.bias
        self.head_bias = constant(0.0, shape[1:], axes[1:], config.param_dtype) if bias else None
        shape, axes = (config.segments, width), (None, "embed")
        kinds = config.segments
        self.segments = normal(rngs.params(), shape, std, axes, config.param_dtype) if kinds else None
        self.head_transform = build_head_transform(config, rngs) if config.head.transform else None
        self.pooler = build_pooler(config, rngs) if config.pooler else None
        self.labels = build_labels(config, rngs) if config.num_labels else None
        self.number = nnx.Dict()
        tables = {} if config.number is None else config.number.tables(d_model=config.d_model)
        for name, table in sorted(tables.items()):
            std = config.embedding_std if table.std is None else table.std
            self.number[name] = normal(rngs.params(), table.shape, std, table.axes, config.param_dtype)

    def __call__(
        self,
        tokens: Int[Array, "B T"],
        *,
        source: Int[Array, "B Z"] | None = None,
        order: Int[Array, "B T"] | None = None,
        source_order: Int[Array, "B Z"] | None = None,
        features: Features = NO_FEATURES,
        documents: Int[Array, "B T"] | None = None,
        cache: caching.Cache | None = None,
        key: jax.Array | None = None,
        logits_of: LogitsOf = "all",
        tap: Tap = identity,
    ) -> Output:
        """Logits for every token.

        Args:
          tokens: of the decoder, or of the encoder in an encoder.
          source: tokens of the encoder, in an encoder-decoder. May be left out once the cache holds it.
          order: index of each token among the real ones of its row, -1 on padding; None means that there
            is no padding. With a cache it counts on from what the cache has seen. Without one, padding of
            models with `window` or `sparse` stands at the ends of a row (checked outside of jit only).
          source_order: the same for the source.
          features: of numbers, segments and what tokens see, in models that read them.
          documents: where rows hold several, one behind the other: which one each token is in, counted from
            1, and 0 on padding. None sees another, the order begins again with each, and each may have
            `max_length` tokens. Of a decoder whose layers tell them apart (`checks.unpackable`), without
            `order` and `cache`.
          cache: from `init_cache`; the tokens of this call are appended to it.
          key: for dropout and random positions; None for evaluation.
          logits_of: `last` gives the last token alone logits, `none` no token; the method `logits` makes them
            of `Output.hidden`.
          tap: sees and may change every named activation (`jaxgpt.nn.tap`).

        Raises:
          ValueError: if the kind of model and the arguments do not fit, if a text has more tokens than
            `max_length`, or, outside of jit only, if a document has, or if tokens lie outside the vocabulary.
        """
        if has_explicit_axes():
            arrays = {"source": source, "order": order, "source_order": source_order, "features": features}
            arrays |= {"documents": documents, "cache": cache, "key": key}
            settings = {"logits_of": logits_of, "tap": tap}
            return call_with_automatic_axes(self, tokens, arrays, settings, _output_shardings)
        if documents is not None:
            documents = jnp.asarray(documents)
        call_checks.check(
            self.config, tokens, source, order=order, features=features, documents=documents, cache=cache
        )
        given = (tokens, source, order, source_order, features)  # numpy's are welcome
        tokens, source, order, source_order, features = jax.tree.map(jnp.asarray, given)
        numbers, segments = features.numbers, features.segments
        if self.decoder is None:
            x = self._embed(tokens, numbers, segments)
            sight = Sight(features.global_tokens, features.visible)
            hidden, _ = self.encoder(x, tokens, order=order, sight=sight, key=key, tap=tap)
            return self._output(hidden, order, None, logits_of, tap)
        projected = None
        if source is not None:
            projected, source_order = self._read_source(source, source_order, features, key, tap)
            if cache is not None:
                cache = dataclasses.replace(cache, source=projected, source_order=source_order)
        elif self.encoder is not None:
            projected, source_order = cache.source, cache.source_order
        hidden, cache = self.decoder(
            self._embed(tokens, numbers, None if self.encoder is not None else segments),
            tokens,
            order=order,
            source=projected,
            source_order=source_order,
            documents=documents,
            cache=cache,
            key=key,
            tap=tap,
        )
        return self._output(hidden, order, cache, logits_of, tap)

    def logits(self, hidden: Float[Array, "B T D"], tap: Tap = identity) -> Float[Array, "B T V"]:
        """What `Output.logits` is of `Output.hidden`.

        Raises:
          ValueError: for a model with `head.weights=none`.
        """
        if self.config.head.weights == "none":
            raise ValueError("head.weights=none: the model has no logits")
        if self.head_transform is not None:
            hidden = self.head_transform(hidden)
        if self.config.head.factor != 1:
            hidden = hidden * jnp.asarray(self.config.head.factor, hidden.dtype)
        if self.head is None:
            logits = self.embedding.attend(hidden)
        else:
            logits = wide_matmul(hidden, self.head[...].astype(hidden.dtype))
        if self.head_bias is not None:
            logits = logits + self.head_bias[...].astype(logits.dtype)
        if (cap := self.config.head.softcap) is not None:
            logits = cap * jnp.tanh(logits / cap)
        return tap("logits", logits)

    def init_cache(self, batch: int, slots: int) -> caching.Cache:
        """An empty cache for `slots` tokens a row, padding included.

        Raises:
          ValueError: for an encoder, which has no use for one.
        """
        if self.decoder is None:
            raise ValueError("kind=encoder has no cache: it reads all tokens at once")
        return self.decoder.init_cache(batch, slots)

    def _read_source(self, source, source_order, features, key, tap):
        """What the decoder sees of the encoder's tokens, and their order."""
        # One key for both stacks, so that digits get the same random offset on either side.
        encoded, _ = self.encoder(
            self._embed(source, features.source_numbers, features.segments),
            source,
            order=source_order,
            key=key,
            tap=tap,
        )
        if source_order is None:
            source_order = jnp.arange(source.shape[1], dtype=jnp.int32)[None]
        return self.decoder.project(encoded), jnp.broadcast_to(source_order, source.shape)

    def _embed(self, tokens, numbers, segments):
        x = self.embedding(tokens)
        if self.segments is not None:
            kind = jnp.zeros_like(tokens) if segments is None else segments
            x = x + self.segments[...].astype(x.dtype)[kind]
        if numbers is not None:
            number = self.config.number
            added = number.embed(self._number_params(), numbers).astype(x.dtype)
            x = jnp.where((tokens == number.token_id)[..., None], x + added, x)
        return x * jnp.asarray(self.config.embedding.scale, x.dtype)

    def _number_params(self):
        return read(self.number)

    def _output(self, hidden, order, cache, logits_of: LogitsOf, tap) -> Output:
        number = self.config.number
        numbers = None if number is None else number.predict(self._number_params(), hidden)
        logits = None
        if self.config.head.weights != "none" and logits_of != "none":
            logits = self.logits(hidden if logits_of == "all" else hidden[:, -1:], tap)
        pooled, labels = self._labels(hidden, order)
        return Output(logits, hidden, cache, numbers, pooled, labels)

    def _labels(self, hidden, order):
        """The pooled token and the labels' logits, each None without its head."""
        if self.pooler is None and self.labels is None:
            return None, None
        if self.config.labels_from != "each":
            hidden = self.label_state(hidden, order)
        return self.label_logits(hidden)

    def label_state(
        self, hidden: Float[Array, "B T D"], order: Int[Array, "#B T"] | None = None
    ) -> Float[Array, "B D"]:
        """The hidden state of the token that a label is read from, the first or the last of each row."""
        order = jnp.arange(hidden.shape[1])[None] if order is None else order
        wanted = order == 0 if self.config.labels_from == "first" else order
        at = jnp.broadcast_to(jnp.argmax(wanted, axis=1), hidden.shape[:1])
        return jnp.take_along_axis(hidden, at[:, None, None], axis=1)[:, 0]

    def label_logits(
        self, state: Float[Array, "*B D"]
    ) -> tuple[Float[Array, "*B D"] | None, Float[Array, "*B C"] | None]:
        """What `Output.pooled` and `Output.labels` are of such states; each None without its head."""
        pooled = None
        if self.pooler is not None:
            state = pooled = function(self.config.pooler_activation)(self.pooler(state))
        wide = jnp.promote_types(state.dtype, jnp.float32)
        return pooled, None if self.labels is None else self.labels(state).astype(wide)


def _output_shardings(batch: PartitionSpec) -> Output:
    """Where outputs lie on a mesh with explicit axes; the shapes of a cache have no one dimension of rows."""
    return Output(batch, batch, PartitionSpec(), batch, batch, batch)
