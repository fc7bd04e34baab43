"""jaxgpt: how should a transformer read numbers? Models, tokenizers, training and evaluation in JAX."""
