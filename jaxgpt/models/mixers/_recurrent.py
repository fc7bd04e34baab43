"""What LSTM, GRU and RNN share."""

import dataclasses
from typing import Annotated, ClassVar

from jaxgpt.models.mixers.base import Mixer
from jaxgpt.models.recurrent import RecurrentStack


@dataclasses.dataclass(frozen=True)
class Recurrent(Mixer):
    """Recurrent layers, of the kind of cell that a member names."""

    additive: Annotated[bool, "the decoder attends to its source (Bahdanau)"] = False

    kinds: ClassVar[tuple[str, ...]] = ("decoder", "encoder_decoder")
    keeps: ClassVar[tuple[str, ...]] = ("additive",)
    #: Of `jaxgpt.nn.recurrent_cells.Cell`.
    cell: ClassVar[str]

    def build(self, config, role, rngs):
        return RecurrentStack(config, self.cell, self.additive, role=role, rngs=rngs)

    def check(self, config):
        super().check(config)
        if self.additive and config.kind != "encoder_decoder":
            raise ValueError(f"mixer.additive=true needs kind=encoder_decoder, not {config.kind}")
        if (
            config.kind == "encoder_decoder"
            and not self.additive
            and config.num_encoder_layers != config.num_layers
        ):
            raise ValueError(
                f"encoder_layers={config.encoder_layers}: the decoder's {config.num_layers} layers begin "
                "with the encoder's states, one each; leave it at none or set mixer.additive=true"
            )

    def flops(self, config, *, tokens, source):
        """Scores and contexts of a decoder that attends: D and 2 D for a token and one of its source."""
        return 6 * 3 * config.d_model * tokens * source if self.additive else 0

    def formula(self, config):
        return "18 x width x pairs of tokens for attention"
