"""Faults of the lab where it reads texts, and draws a model."""

from ..fault import Fault

FAULTS = [
    Fault(
        "predicted-worst",
        "jaxgpt/lab/loss_matrix.py",
        "means.argmin(axis=0)",
        "means.argmax(axis=0)",
        "the model with the highest loss is said to predict a text best",
        ("tests/lab/test_loss_matrix.py",),
    ),
    Fault(
        "likeliest-at-the-first-step",
        "jaxgpt/lab/surprise.py",
        "best = [self.top(-1, place, 1)[0]",
        "best = [self.top(0, place, 1)[0]",
        "the likeliest token of the first step is told as that of the last",
        ("tests/lab/test_surprise.py::test_the_likeliest_tokens_are_those_of_the_last_step",),
    ),
    Fault(
        "ahead-of-fresh-at-first",
        "jaxgpt/lab/fine_tunings.py",
        "one.gained[-1].nats.mean < one.scratch[-1].nats.mean",
        "one.gained[0].nats.mean < one.scratch[0].nats.mean",
        "trained models are compared with fresh weights before any step",
        ("tests/lab/test_fine_tuning.py::test_models_are_counted_that_end_below_fresh_weights",),
    ),
    Fault(
        "samples-of-one-seed",
        "jaxgpt/lab/samples.py",
        "row_ids = [int(np.random.SeedSequence(pair).generate_state(1)[0]) for pair in pairs]",
        "row_ids = list(range(len(pairs)))",
        "a sample depends on which other seeds there are",
        ("tests/lab/test_samples.py",),
    ),
    Fault(
        "cut-words-counted",
        "jaxgpt/lab/whole_words.py",
        "for m in _LETTERS.finditer(text) if m.start() > 0 and m.end() < len(text)]",
        "for m in _LETTERS.finditer(text)]",
        "words that the ends of a text have cut are counted",
        ("tests/lab/test_samples.py",),
    ),
    Fault(
        "self-bleu-of-the-longest",
        "jaxgpt/evaluation/self_bleu.py",
        "others = sorted((abs(lengths[j] - length), lengths[j], j) for j in range(count) if j != i)",
        "others = sorted((-lengths[j], lengths[j], j) for j in range(count) if j != i)",
        "the brevity penalty is that of the longest reference, not of the closest",
        ("tests/evaluation/test_self_bleu.py",),
    ),
    Fault(
        "jackknife-as-mean",
        "jaxgpt/evaluation/intervals.py",
        "error = math.sqrt((count - 1) / count * float(((array - array.mean()) ** 2).sum()))",
        "error = math.sqrt(1 / count * float(((array - array.mean()) ** 2).sum()))",
        "what is left out one at a time is taken for independent values",
        ("tests/evaluation/test_intervals.py",),
    ),
    Fault(
        "looped-taps-lost",
        "jaxgpt/lab/model_boxes.py",
        'places = [f"{role}.{first + size * loop}" for loop in range(loops)]',
        'places = [f"{role}.{first}"]',
        "a diagram names the taps of the first loop alone",
        ("tests/lab/test_diagram.py",),
    ),
]
