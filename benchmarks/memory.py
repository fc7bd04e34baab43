"""How much memory the largest experiment takes before its first step: `python benchmarks/memory.py`.

Its examples are made and become a table of tokens, as in training. The peak is that of the whole process.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time

from alternate import write


def main():
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", default="magic-squares-five", help="what is prepared")
    parser.add_argument("--rounds", type=int, default=1, help="rounds; medians are quoted")
    parser.add_argument("--no-write", action="store_true", help="print the figures alone")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.once:
        once(given.experiment)
        return
    # Of a process the peak never falls, so each round has its own.
    command = [sys.executable, __file__, "--once", "--experiment", given.experiment]
    rounds = []
    for _ in range(given.rounds):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rounds.append(tuple(map(float, done.stdout.split())))
    examples, seconds, table, peak = map(statistics.median, zip(*rounds, strict=True))
    row = {"experiment": given.experiment, "examples": round(examples), "seconds": seconds}
    row |= {"table_mib": table, "peak_mib": peak}
    print(f"{given.experiment}: {examples:,.0f} examples in {seconds:.0f} s, a table of {table:,.0f} MiB")
    print(f"most memory: {peak:,.0f} MiB")
    if not given.no_write:
        print(f"written: {write('memory', [row])}")


def once(name: str):
    """Prepare an experiment, and print its examples, the seconds, the MiB of its table and of the process."""
    from jaxgpt.runs.experiments import find
    from jaxgpt.training.prepare import prepare

    began = time.perf_counter()
    prepared = prepare(find(name))
    table = sum(array.nbytes for array in prepared.table.arrays().values()) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(len(prepared.examples), time.perf_counter() - began, table, peak)


if __name__ == "__main__":
    main()
