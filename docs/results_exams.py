"""The rows of results.md about questions that others asked: GPT-3's, and those of Teaching Arithmetic."""

from results_types import Figure, Row

GPT3 = "GPT-3's ten tasks"
GPT3_INTRODUCTION = (
    "Trained on other questions of the same kind, and worked out least significant digit first; GPT-3 saw a "
    "few in its "
    "prompt and had to guess the answer from its first digit on. Published: GPT-3 175B, few-shot (Brown "
    "et al. 2020, arXiv 2005.14165, table 3.9)."
)
TEACHING = "Teaching Arithmetic's prompts"


#: Of each of the ten: its short name, its name, the name of GPT-3's file, target and published figure.
_TEN = (
    ("2da", "2-digit addition", "two_digit_addition", "100 %", "100 %"),
    ("3da", "3-digit addition", "three_digit_addition", "100 %", "80.4 %"),
    ("4da", "4-digit addition", "four_digit_addition", "100 %", "25.5 %"),
    ("5da", "5-digit addition", "five_digit_addition", "100 %", "9.3 %"),
    ("2ds", "2-digit subtraction", "two_digit_subtraction", "100 %", "98.9 %"),
    ("3ds", "3-digit subtraction", "three_digit_subtraction", "100 %", "94.2 %"),
    ("4ds", "4-digit subtraction", "four_digit_subtraction", "100 %", "26.8 %"),
    ("5ds", "5-digit subtraction", "five_digit_subtraction", "100 %", "9.9 %"),
    ("2dm", "2-digit multiplication", "two_digit_multiplication", "99.5 %", "29.2 %"),
    ("1dc", "three operations", "single_digit_three_ops", "99 %", "21.3 %"),
)

ROWS = (
    Row(
        GPT3,
        "All ten",
        "results_gpt3_arithmetic",
        "python train.py gpt3-arithmetic --seeds 4 --workdir runs/results_gpt3_arithmetic",
        tuple(
            Figure(name, f"groups/arithmetic_{task}", target, published)
            for task, name, _, target, published in _TEN
        ),
    ),
    Row(
        GPT3,
        "GPT-3's own 20,000 questions",
        "results_gpt3_questions",
        "python train.py gpt3-arithmetic --task.hold-out gpt3.tsv --seeds 4 "
        "--workdir runs/results_gpt3_questions",
        tuple(
            Figure(name, "exam/exact_match", target, published, f"questions_{file}.json")
            for _, name, file, target, published in _TEN
        ),
        also=(
            "for file in gpt3/*.tsv; do python evaluate.py runs/results_gpt3_questions --questions $file "
            "--output runs/results_gpt3_questions/questions_$(basename $file .tsv).json; done",
        ),
        note="`gpt3/` holds the ten files that it was asked (openai/gpt-3, `data/`), each line a question, a "
        "tab and its answer; `gpt3.tsv` has all their lines. None of these questions was trained on. Other "
        "work ran beside the training, which counts in its time.",
    ),
    Row(
        TEACHING,
        "10,000 sums of three digits",
        "results_teaching_questions",
        "python train.py addition --task.hold-out teaching.tsv --seeds 4 "
        "--workdir runs/results_teaching_questions",
        (
            Figure(
                "sums such as 237+73",
                "exam/exact_match",
                "100 %",
                "100 % (10.6M weights, answers least significant digit first; Lee et al. 2023, arXiv "
                "2307.03381)",
                "questions_teaching.json",
            ),
        ),
        also=("python evaluate.py runs/results_teaching_questions --questions teaching.tsv",),
        note="`teaching.tsv` has the prompts of lee-ny/teaching_arithmetic (`$237+73=`), a tab and the sum. "
        "None was trained on. Ours learns sums of up to ten digits; one seed of four is not done after 1,000 "
        "steps.",
    ),
)
