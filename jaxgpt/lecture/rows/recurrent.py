"""Recurrent models of text: characters against words, and text that they write while they learn."""

import dataclasses

from jaxgpt.lab.samples import samples
from jaxgpt.lecture import reached
from jaxgpt.lecture.arm import Arm
from jaxgpt.lecture.arm_table import ArmTable
from jaxgpt.lecture.row import Row
from jaxgpt.lecture.text_values import text_values

_CHARACTERS, _GRU = "LSTM, characters", "GRU, characters"
#: The tokens of the LSTM's other arms.
_TOKENS = {"bytes": "bytes", "subwords": "bpe:512", "words": "lexicon:2000"}
#: Characters that a sampled text has, or the tokens, and texts of each model.
_LENGTH, _TEXTS = 200, 5


@dataclasses.dataclass(frozen=True)
class Recurrent(Row):
    """LSTM and GRU on running text, read by characters, bytes, subwords or words at equal training FLOPs.

    Karpathy 2015, The Unreasonable Effectiveness of Recurrent Neural Networks; karpathy/char-rnn.
    """

    place = 1
    title = "Recurrent models: characters against words"
    claim = (
        "A recurrent model of characters needs less memory than one of words, since its embeddings and its "
        "output are small. But it makes up words, and is worse at what lies far back. Here two LSTM layers "
        "of width 128 read characters, bytes, 512 subwords or the 2,000 most frequent words, and spell the "
        "others, for as many operations; beside them a GRU and a Transformer of characters, too."
    )
    files = ("text",)

    def arms(self, files):
        base = text_values(files) | {"training.batch_size": "24"}
        lstm = base | {"model": "char_lstm", "model.max_length": "64"}
        kept = {"training.keep_spaced": "6"}
        return (
            Arm(_CHARACTERS, "text", lstm | kept),
            *(
                Arm(f"LSTM, {name}", "text", lstm | {"tokenizer": spec}, as_costly_as=_CHARACTERS)
                for name, spec in _TOKENS.items()
            ),
            Arm(_GRU, "text", lstm | kept | {"model": "char_gru"}, as_costly_as=_CHARACTERS),
            Arm(
                "Transformer, characters",
                "text",
                base | {"model.num_layers": "2", "model.d_model": "128", "model.num_heads": "4"},
                as_costly_as=_CHARACTERS,
            ),
        )

    def parts(self, runs, files):
        loss = {
            f"{name}; {reached.num_weights(run):,} weights": reached.bits_a_byte(run)
            for name, run in runs.items()
        }
        first = runs[_CHARACTERS]
        known = "".join(example.target for example in first.task.examples("train"))
        # What a line begins with; a text of one line has no line end, and its alphabet none either.
        prompts = ["\n" if "\n" in known else known[0]]
        kept = {
            name: samples(runs[name], prompts, seeds=range(_TEXTS), tokens=_LENGTH, corpus=known)
            for name in (_CHARACTERS, _GRU)
        }
        words = {}
        for name, run in runs.items():
            last = samples(
                (run.models, run.tokenizer), prompts, seeds=range(_TEXTS), tokens=_LENGTH, corpus=known
            )
            shares = last.scores["words found"][-1]
            words[name] = tuple(shares.reshape(len(shares), -1).mean(axis=1).tolist())
        return {
            "loss": ArmTable("bits a byte", loss, baseline=next(iter(loss)), better="less"),
            "words": ArmTable("written words that the text has", words, baseline=_CHARACTERS, unit="share"),
            "samples": kept[_CHARACTERS],
            "gru-samples": kept[_GRU],
        }
