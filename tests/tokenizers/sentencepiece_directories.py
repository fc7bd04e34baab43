"""Directories that hold a SentencePiece model alone, for the tests with and without transformers."""

import io
import json

TRAINED_ON = [
    "The sum of 12 and 34 is 46, the naïve café says 1,000 more.",
    "A quick test of Ｆｕｌｌ ｗｉｄｔｈ text, (a) and <b>.",
    '"quoted" words, and 9, 10, 11, 12, 13',
] * 5
_ALBERT = {
    **{"pad_id": 0, "unk_id": 1, "bos_id": -1, "eos_id": -1},
    "control_symbols": ["[CLS]", "[SEP]", "[MASK]"],
}
_T5 = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}
_FAIRSEQ = {"unk_id": 0, "bos_id": 1, "eos_id": 2}
#: By name: the model_type, the file, how the model is trained, and the tokenizer_config.json.
CASES = {
    "albert": ("albert", "spiece.model", _ALBERT, {}),
    "albert, cased": ("albert", "spiece.model", _ALBERT, {"do_lower_case": False, "keep_accents": True}),
    "albert, by its class": (None, "spiece.model", _ALBERT, {"tokenizer_class": "AlbertTokenizer"}),
    "t5": ("t5", "spiece.model", _T5, {}),
    "mt5": ("mt5", "spiece.model", _T5, {"extra_ids": 0}),
    "xlm-roberta": ("xlm-roberta", "sentencepiece.bpe.model", _FAIRSEQ, {}),
    "reformer": ("reformer", "spiece.model", _FAIRSEQ | {"model_type": "bpe"}, {}),
}
#: Texts that every version of transformers reads alike.
TEXTS = (
    *(
        "The sum of 12 and 34 is 46",
        "the NAÏVE  Café",
        "``quoted'' e\u0301 Ｆｕｌｌ ☃",
        "a\nb\tc",
        "",
        "1000 (a)",
    ),
)


def write(path, name):
    """A directory with a small model, trained here."""
    from sentencepiece import SentencePieceTrainer

    kind, file, trained, settings = CASES[name]
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINED_ON),
        model_writer=model,
        vocab_size=90,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        **trained,
    )
    (path / file).write_bytes(model.getvalue())
    if kind is not None:
        (path / "config.json").write_text(json.dumps({"model_type": kind}))
    if settings:
        (path / "tokenizer_config.json").write_text(json.dumps(settings))
    return model.getvalue()
