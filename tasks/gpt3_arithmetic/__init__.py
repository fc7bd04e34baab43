"""GPT-3's ten arithmetic tasks, under the names that lm-evaluation-harness gives them.

Brown et al. 2020 (arXiv 2005.14165, section 3.9.1) ask for sums and differences of 2 to 5 digits, products of
2 digits, and two operations on three numbers of one digit. The questions are written as in
lm-evaluation-harness, whose data are the files of the repository openai/gpt-3 with `Question:` for `Q:`:

    arithmetic_2da   Question: What is 48 plus 76?        arithmetic_2dm   Question: What is 24 times 42?
                     Answer: 124                                           Answer: 1008
    arithmetic_2ds   Question: What is 34 minus 53?       arithmetic_1dc   Question: What is (9 + 8) * 2?
                     Answer: -19                                           Answer: 34

The prompt ends with `Answer:`. The `plain` format answers ` 124`; `worked` writes what one would write on
paper, least significant digits first, ` 421`, and what is said of it is turned round again:

    >>> task = Gpt3Arithmetic(format="worked")
    >>> task.prompt("24 * 42")
    'Question: What is 24 times 42?\\nAnswer:'
    >>> task.answer(task.prompt("24 * 42"), " 84,69,8001")
    '1008'

Whoever trains on these questions compares with others who did, and not with GPT-3, which had seen a few in
its prompt. Solved questions before the one that is asked are `--task.shots 5`, in an evaluation, too.
"""

from tasks.gpt3_arithmetic.experiments import gpt3_arithmetic
from tasks.gpt3_arithmetic.task import Gpt3Arithmetic

#: What `--list` groups the experiments under.
HEADING = "sums, differences, products"

__all__ = ["Gpt3Arithmetic", "gpt3_arithmetic"]
