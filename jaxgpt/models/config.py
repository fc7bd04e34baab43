"""The description of a transformer."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

import numpy as np

from jaxgpt.core import fields
from jaxgpt.core.functions import called
from jaxgpt.models import checks
from jaxgpt.models.mixers.attention import AttentionMixer
from jaxgpt.models.mixers.base import Mixer
from jaxgpt.nn.attention.attention_config import AttentionConfig
from jaxgpt.nn.embedding_config import EmbeddingConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.number import NumberEncoding
from jaxgpt.nn.position import Position
from jaxgpt.nn.position.rotary import Rotary
from jaxgpt.nn.sparse import Sparse
from jaxgpt.nn.values import check_numbers, token_values, value_features
from jaxgpt.tokenizers.vocabulary import Vocabulary


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """One transformer: a decoder, an encoder, or an encoder-decoder.

    With `loops` above 1 it is a looped transformer (Dehghani et al. 2019, arXiv 1807.03819); `injection` is
    that of McLeish et al. 2024, arXiv 2405.17399, section 4.1.

    Raises:
      ValueError: for fields that do not fit together; the message holds the values and the way out.
    """

    metavar: ClassVar[str] = "PRESET"

    mixer: Annotated[
        Mixer, "how tokens exchange information; mean: a bag of words, concat: the last tokens side by side"
    ] = dataclasses.field(default_factory=AttentionMixer)
    init: Annotated[
        str, "run, or directory of transformers, whose model and weights training starts from; empty: none"
    ] = ""
    kind: Annotated[Literal["decoder", "encoder", "encoder_decoder"], "which stacks there are"] = "decoder"
    vocab_size: Annotated[int, "ids; 0 means the tokenizer's, which is the rule"] = 0
    max_length: Annotated[int, "tokens a sequence may have"] = 128
    num_layers: Annotated[int, "blocks in the decoder, and in the encoder"] = 2
    encoder_layers: Annotated[int | None, "blocks in the encoder; none: num_layers"] = None
    encoder_heads: Annotated[int | None, "query heads in the encoder; none: num_heads"] = None
    encoder_d_ff: Annotated[int | None, "width inside the encoder's MLP; none: d_ff"] = None
    loops: Annotated[int, "times the blocks are applied, with the same weights"] = 1
    loop_blocks: Annotated[int | None, "blocks that are looped together before the next; none: all"] = None
    injection: Annotated[bool, "each further loop adds the embeddings to its input again"] = False
    d_model: Annotated[int, "width of the residual stream"] = 64
    num_heads: Annotated[int, "query heads"] = 4
    d_ff: Annotated[int | None, "width inside the MLP; none: 4 d_model"] = None
    position: Annotated[Position, "position scheme"] = dataclasses.field(default_factory=Rotary)
    attention: Annotated[AttentionConfig, "attention"] = dataclasses.field(default_factory=AttentionConfig)
    mlp: Annotated[MLPConfig, "the MLP"] = dataclasses.field(default_factory=MLPConfig)
    embedding: Annotated[EmbeddingConfig, "the tokens' vectors"] = dataclasses.field(
        default_factory=EmbeddingConfig
    )
    head: Annotated[HeadConfig, "what makes logits"] = dataclasses.field(default_factory=HeadConfig)
    window: Annotated[int | None, "keys a query sees backwards, itself included; none: all"] = None
    window_layers: Annotated[
        tuple[bool, ...], "which layers have the window, repeated over the depth; empty: all"
    ] = ()
    window_position: Annotated[
        Position | None, "position scheme of the layers with a window; none: the others'"
    ] = None
    sparse: Annotated[Sparse | None, "attention at a cost linear in length; none: all keys are met"] = None
    memory: Annotated[
        int | None, "keys of earlier calls that a query sees, zeros before the first (Transformer-XL)"
    ] = None
    segment: Annotated[int | None, "tokens read at once in training, the others remembered"] = None
    wiring: Annotated[
        Literal["pre", "post", "res_post", "parallel", "parallel_apart", "sandwich", "reversible"],
        "where the norms stand",
    ] = "pre"
    norm: Annotated[Literal["layer", "rms", "rms_plus_one", "none"], "normalization"] = "layer"
    norm_epsilon: Annotated[float, "added to the variance"] = 1e-5
    norm_bias: Annotated[bool, "layer norms have a bias"] = True
    labels: Annotated[
        int, "labels that a second head tells apart, such as sentiments; 0: as many as the targets are"
    ] = 0
    labels_from: Annotated[
        Literal["first", "last", "each"], "the token that a label is read from; each: every token has one"
    ] = "first"
    labels_bias: Annotated[bool, "bias on the labels' logits"] = True
    pooler: Annotated[bool, "a dense map on that token's hidden state before the labels"] = False
    pooler_activation: Annotated[Literal["tanh", "relu"], "what follows the pooler's map"] = "tanh"
    segments: Annotated[int, "kinds of segment (sentence A, sentence B) with a vector each; 0: none"] = 0
    dropout: Annotated[float, "after embeddings and sublayers, in training"] = 0.0
    init_std: Annotated[float | None, "of initial weights; none: fan_in^-1/2"] = 0.02
    residual_init: Annotated[Literal["plain", "scaled"], "outputs into the residual: GPT-2's 1/sqrt(2L)"] = (
        "scaled"
    )
    layers: Annotated[Literal["unrolled", "scanned"], "scanned compiles a block once"] = "unrolled"
    remat: Annotated[Literal["none", "block"], "recompute a block's inside in the backward pass"] = "none"
    param_dtype: Annotated[Literal["float32", "bfloat16", "float64"], "of the weights"] = "float32"
    dtype: Annotated[Literal["float32", "bfloat16", "float64"], "of the computation"] = "float32"

    # What follows from the tokenizer and the data; `for_vocabulary` fills it in.
    #: How numbers that are one token enter and leave the model.
    number: NumberEncoding | None = fields.told(None)
    #: What the labels are called.
    label_names: tuple[str, ...] = fields.told(())
    #: Ids behind the tokenizer's, which stand for what noise has taken out of a text.
    marks: int = fields.told(0)
    #: The id that hides a token of an encoder.
    mask_id: int | None = fields.told(None)
    #: The number that each id spells, -1 for none; known where embedding.kind is value or parabola.
    token_values: tuple[int, ...] = fields.told(())

    def __post_init__(self):
        checks.check(self)

    @property
    def num_labels(self) -> int:
        """Labels that the second head tells apart; 0: there is no such head."""
        return self.labels or len(self.label_names)

    @property
    def hidden_width(self) -> int:
        """Of what the heads read: both streams, where there are two."""
        return self.d_model * (2 if self.wiring == "reversible" else 1)

    @property
    def resolved_attention_dropout(self) -> float:
        return self.dropout if self.attention.dropout is None else self.attention.dropout

    @property
    def resolved_attention(self) -> AttentionConfig:
        """The attention of each layer, with all that it leaves to the model filled in."""
        return dataclasses.replace(
            self.attention,
            num_kv_heads=self.attention.num_kv_heads or self.num_heads,
            head_dim=self.resolved_head_dim,
            dropout=self.resolved_attention_dropout,
        )

    @property
    def resolved_head_dim(self) -> int:
        return self.attention.head_dim or self.d_model // self.num_heads

    @property
    def resolved_d_ff(self) -> int:
        return self.d_ff or 4 * self.d_model

    @classmethod
    def from_text(cls, text: str) -> "ModelConfig":
        """The preset with this name, or what `package.module:function` returns.

        Raises:
          FieldError: if there is none (with the nearest names), or it gives no ModelConfig.
        """
        return called(text, "jaxgpt.models.presets", cls, noun="preset")

    @property
    def num_encoder_layers(self) -> int:
        return self.encoder_layers or self.num_layers

    @property
    def of_encoder(self) -> Self:
        """The same with the encoder's heads and widths."""
        return dataclasses.replace(
            self,
            num_heads=self.encoder_heads or self.num_heads,
            d_ff=self.encoder_d_ff or self.d_ff,
            encoder_heads=None,
            encoder_d_ff=None,
        )

    @property
    def resolved_embedding_width(self) -> int:
        return self.embedding.width or self.d_model

    @property
    def embedding_std(self) -> float:
        """Initial standard deviation of embeddings: `embedding.std`, or that of the output matrix."""
        return self.head_std if self.embedding.std is None else self.embedding.std

    @property
    def head_std(self) -> float:
        """The same of the output matrix: `init_std`, or the embeddings' width to the power of -1/2."""
        return self.resolved_embedding_width**-0.5 if self.init_std is None else self.init_std

    @property
    def token_features(self) -> np.ndarray | None:
        """The fixed features that embeddings are made of, [V, C]; None where each token has its own vector.

        Raises:
          ValueError: as `all_token_values`, if embedding.kind=value.
        """
        return value_features(self.all_token_values) if self.embedding.kind == "value" else None

    @property
    def all_token_values(self) -> tuple[int, ...]:
        """The number that each id of the model spells, -1 for none.

        Raises:
          ValueError: if the model was not told the vocabulary.
        """
        if not self.token_values:
            raise ValueError(
                f"embedding.kind={self.embedding.kind} does not know the tokenizer's numbers; use "
                "config.for_vocabulary(...)"
            )
        return (*self.token_values, *[-1] * (self.vocab_size - len(self.token_values)))

    def for_vocabulary(
        self, vocabulary: Vocabulary, *, marks: int = 0, label_names: Sequence[str] = ()
    ) -> Self:
        """This model for a vocabulary, with all that follows from it filled in.

        An encoder whose vocabulary has no id that hides a token has one more id for it.

        Args:
          marks: ids behind the tokenizer's, see `Noise.count`.
          label_names: what the labels are called, where there are any.

        Raises:
          ValueError: if `vocab_size` is set and smaller, or the position scheme, the embedding or the width
            cannot use the vocabulary.
        """
        encoding = vocabulary.number_encoding
        count, mask_id = len(vocabulary.texts), vocabulary.mask_id
        if self.vocab_size and self.vocab_size < count + marks:
            behind = f" and {marks} more that mark what is hidden" if marks else ""
            raise ValueError(
                f"vocab_size={self.vocab_size} is smaller than the tokenizer's {count} ids{behind}; leave it "
                "at 0"
            )
        values = ()
        if self.embedding.kind in ("value", "parabola"):
            values = token_values(vocabulary.texts)
            check_numbers(vocabulary.texts, self.embedding.kind)
        own = self.kind == "encoder" and mask_id is None
        size = self.vocab_size or count + own + marks
        if own and size > count:
            mask_id = count
        return dataclasses.replace(
            self,
            vocab_size=size,
            embedding=dataclasses.replace(
                self.embedding, cutoffs=tuple(first for first in self.embedding.cutoffs if first < size)
            ),
            position=self.position.resolve(vocabulary.texts),
            number=None if encoding is None else fields.from_json(NumberEncoding, encoding),
            label_names=tuple(label_names) or self.label_names,
            marks=marks,
            mask_id=mask_id if self.kind == "encoder" else None,
            token_values=values,
        )
