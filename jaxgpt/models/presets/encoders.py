"""Encoders: BERT, DistilBERT, XLM-RoBERTa, ALBERT."""

import dataclasses

from jaxgpt.core.nested import replaced
from jaxgpt.models.config import ModelConfig
from jaxgpt.nn.embedding_config import EmbeddingConfig
from jaxgpt.nn.head_config import HeadConfig
from jaxgpt.nn.mlp_config import MLPConfig
from jaxgpt.nn.position.learned import Learned


def bert_base() -> ModelConfig:
    """BERT base (Devlin et al. 2019, arXiv 1810.04805, section 3): 12 post-norm layers of width 768.

    With the head for masked words of google-research/bert; 110M parameters.
    """
    return ModelConfig(
        kind="encoder",
        max_length=512,
        num_layers=12,
        d_model=768,
        num_heads=12,
        position=Learned(),
        wiring="post",
        norm_epsilon=1e-12,
        mlp=MLPConfig(activation="gelu"),
        head=HeadConfig(bias=True, transform=True),
        embedding=EmbeddingConfig(norm=True),
        segments=2,
        dropout=0.1,
        residual_init="plain",
    )


def bert_large() -> ModelConfig:
    """BERT large (Devlin et al. 2019, section 3): 24 layers of width 1024; 335M parameters."""
    return dataclasses.replace(bert_base(), num_layers=24, d_model=1024, num_heads=16)


def distilbert_base() -> ModelConfig:
    """DistilBERT base (Sanh et al. 2019, arXiv 1910.01108, section 3): half of BERT's layers, no segments.

    67M parameters with the head for masked words.
    """
    return dataclasses.replace(bert_base(), num_layers=6, segments=0)


def xlm_roberta_base() -> ModelConfig:
    """XLM-RoBERTa base (Conneau et al. 2020, arXiv 1911.02116, table 5): BERT base without segments.

    One vector for all tokens stands where BERT's segments do, as in RoBERTa; 278M parameters.
    """
    return dataclasses.replace(bert_base(), norm_epsilon=1e-5, segments=1)


def albert_base() -> ModelConfig:
    """ALBERT base (Lan et al. 2020, arXiv 1909.11942, table 1): one layer of width 768, twelve times over.

    Embeddings of width 128; 12M parameters.
    """
    return replaced(
        bert_base(),
        {"num_layers": 1, "loops": 12, "embedding.width": 128, "mlp.activation": "gelu_tanh", "dropout": 0.0},
    )


def albert_xxlarge() -> ModelConfig:
    """ALBERT xxlarge (Lan et al. 2020, table 1): one layer of width 4096, twelve times over; 235M."""
    return dataclasses.replace(albert_base(), d_model=4096, num_heads=64)
