"""Rows that several examples share against padded ones: `python benchmarks/packing.py`.

Steps of one experiment on the padded table, and on tables packed into rows of some widths, in turns. A packed
step has as many rows as hold the same number of examples, so that all sides learn as much from a step. What
is compared is the tokens that carry loss, by the second.
"""

import numpy as np
from alternate import alternate, options, serve, write

#: Sums of 1 to 20 digits: a padded table is a little more than half full.
CHANGES = ("task.max-digits=20", "task.extra-digits=", "model.position=rotary")


def main():
    """Print the table and keep it."""
    parser = options(__doc__, rounds=7)
    parser.add_argument("--experiment", default="addition", help="whose questions they are")
    parser.add_argument("--changes", nargs="*", default=CHANGES, help="its options, each as field=value")
    parser.add_argument("--widths", default="96,128", help="tokens a row of the packed tables")
    parser.add_argument("--examples", type=int, default=64, help="examples a step")
    parser.add_argument("--steps", type=int, default=10, help="steps a round")
    given = parser.parse_args()
    if given.side:
        serve(lambda: prepare(given.side, given.experiment, given.changes, given.examples, given.steps))
        return
    names = ["padded", *given.widths.split(",")]
    arguments = ["--experiment", given.experiment, "--examples", str(given.examples)]
    arguments += ["--steps", str(given.steps), "--changes", *given.changes]
    sides = alternate(__file__, names, rounds=given.rounds, arguments=arguments, together=given.together)
    rows = []
    print(f"{'row':<8}{'rows':>5}{'full':>7}{'tokens/s':>10}{'spread':>8}{'times as fast':>15}")
    for side in sides.values():
        if side.error:
            continue
        counted = side.facts["tokens"] / sides["padded"].facts["tokens"]
        rate, ratio = side.facts["tokens"] / side.median, counted * side.over(sides["padded"])
        rows.append({"row": side.name, "tokens_per_second": rate, "ratio": ratio, "spread": side.spread})
        rows[-1] |= side.facts
        print(
            f"{side.name:<8}{side.facts['rows']:>5}{side.facts['share']:>7.1%}{rate:>10,.0f}"
            f"{side.spread:>8.1%}{ratio:>15.2f}"
        )
    if not given.no_write:
        print(f"written: {write('packing', rows, add=given.add)}")


def prepare(side: str, name: str, changes: list[str], examples: int, steps: int):
    """The program of a side."""
    from jaxgpt.core import settings

    settings.apply()
    from jaxgpt.core.fields import override
    from jaxgpt.data.packing import pack
    from jaxgpt.parallel import sharding
    from jaxgpt.runs.experiments import find
    from jaxgpt.training.prepare import prepare as prepared_for

    options = {"training.train-examples": "20000"} | dict(change.split("=", 1) for change in changes)
    options |= {"training.chunk": str(steps), "training.batch-size": str(examples)}
    prepared = prepared_for(override(find(name), options))
    share = float((prepared.table.length - 1).sum()) / prepared.table.tokens[:, 1:].size
    rows = examples
    if side != "padded":
        options["training.packing"] = side
        table = pack(prepared.table, int(side), prepared.tokenizer.pad_id)
        rows, share = max(1, round(examples * table.num_examples / table.num_documents)), table.share
        options["training.batch-size"] = str(rows)
        prepared = prepared_for(override(find(name), options))
    program, feed = prepared.program, prepared.feed
    compiled, whole = program.compile(feed.data).compile(), sharding.replicated(program.mesh)
    state, (data, indices) = program.init(), feed(0, steps)
    first, number = (sharding.put(np.int32(value), whole) for value in (0, steps))

    def work():
        """The same steps each time, so that each round has the same number of tokens."""
        nonlocal state
        state, metrics = compiled(state, data, indices, first, number)
        return float(np.asarray(metrics["weight"]).sum())

    return {"rows": rows, "share": share, "tokens": work()}, work


if __name__ == "__main__":
    main()
