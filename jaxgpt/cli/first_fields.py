"""Which fields the help of an experiment shows first: those that people change before any other."""

#: Heading -> fields, in the order of the page. `*` stands for the settings of the task; `model.num_heads`
#: also finds one that a part of the model holds. What an experiment does not have is left out.
FIRST = {
    "question and tokenizer": ("tokenizer", "task.*"),
    "model": (
        "model",
        "model.num_layers",
        "model.d_model",
        "model.num_heads",
        "model.max_length",
        "model.position",
        "model.dropout",
    ),
    "training": (
        "training.steps",
        "training.epochs",
        "training.batch_size",
        "training.train_examples",
        "objective",
        "optimizer",
        "optimizer.learning_rate",
        "optimizer.schedule",
        "optimizer.warmup_steps",
        "optimizer.weight_decay",
        "seeds",
        "training.seed",
    ),
    "evaluation": (
        "training.test_examples",
        "training.eval_every",
    ),
}
