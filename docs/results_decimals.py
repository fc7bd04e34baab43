"""The rows of results.md about decimals: products and quotients that others published, worked out."""

from results_types import Figure, Row

SECTION = "Decimals"
INTRODUCTION = (
    "500 products and 500 quotients that were put to models that answer at once (BitTokens, arXiv "
    "2510.06824). Ours are trained on one operation alone. They read both numbers as digits and an exponent, "
    "work with eight digits of each and write every step; their result is read as a number. Longer operands "
    "are rounded first, so few of their results can be exact. log sMAPE is 1 if 15 digits are right, and "
    "about 0.5 if half of them are."
)
_SOURCE = ", without reasoning (computed from the answers published with arXiv 2510.06824)"
_RUN = "python train.py {0} --seeds 4 --workdir runs/results_{1}"
_ASK = "python evaluate.py runs/results_{} --questions {}_500.tsv"
_OWN = (
    Figure("own questions, every step as written", "scores/as_written"),
    Figure("own questions, the sign of the result", "scores/right_sign"),
)


def _exam(operation: str, smape: tuple[str, str], exact: tuple[str, str]) -> tuple[Figure, Figure]:
    """The two measures of others' questions; each is given as target and published figures."""
    file = f"questions_{operation}_500.json"
    return (
        Figure("log sMAPE", "exam/log_smape", smape[0], smape[1] + _SOURCE, file, percent=False),
        Figure("exactly right", "exam/exact_match", exact[0], exact[1], file),
    )


def _of_digits(digits: int, word: str) -> tuple[Figure, str]:
    """The figure of operands with that many digits, and its command; none is rounded up to 8 digits."""
    command = (
        f"python evaluate.py runs/results_decimals_multiplication --task.min-digits {digits} "
        f"--task.max-digits {digits} --output runs/results_decimals_multiplication/{word}_digits.json"
    )
    published = (
        "up to 99 % of 9 x 9 digits, without a sign and without written steps (GPT-2 small; Deng et al. "
        "2024, arXiv 2405.14838)"
    )
    label = f"own questions, {digits} x {digits} digits, exactly right"
    return Figure(label, "all", "99 %", published, f"{word}_digits.json"), command


_SIX, _ASK_SIX = _of_digits(6, "six")
_EIGHT, _ASK_EIGHT = _of_digits(8, "eight")

ROWS = (
    Row(
        SECTION,
        "Products of up to 17 digits",
        "results_decimals_multiplication",
        _RUN.format("decimals-multiplication", "decimals_multiplication"),
        (
            *_exam(
                "multiplication",
                ("above 0.445", "Kimi-K2 .445, Qwen3-235B .390, DeepSeek 3.1 .385, GPT-5 minimal .309"),
                (
                    "above 23.0 %",
                    "Kimi-K2 23.0 %, DeepSeek 3.1 20.2 %, Qwen3-235B 18.2 %, GPT-5 minimal 14.2 %",
                ),
            ),
            *_OWN,
            _SIX,
            _EIGHT,
        ),
        also=(_ASK.format("decimals_multiplication", "multiplication"), _ASK_SIX, _ASK_EIGHT),
        note="Three of four seeds are above every published answer, and multiply six digits by six. The "
        "fourth works out the digits and guesses the sign, which is the exclusive or of two signs: it is "
        "right in about half of its results.",
    ),
    Row(
        SECTION,
        "Quotients of up to 17 digits",
        "results_decimals_division",
        _RUN.format("decimals-division", "decimals_division"),
        (
            *_exam(
                "division",
                ("above 0.468", "Kimi-K2 .468, Qwen3-235B .464, DeepSeek 3.1 .408, GPT-5 minimal .295"),
                (
                    "above 16.0 %",
                    "Kimi-K2 16.0 %, DeepSeek 3.1 14.8 %, Qwen3-235B 12.4 %, GPT-5 minimal 6.4 %",
                ),
            ),
            *_OWN,
        ),
        also=(_ASK.format("decimals_division", "division"),),
        note="Three of four seeds are above every published answer in both measures. The fourth guesses the "
        "sign, as one of products does. Training ran in several parts, beside other work, which counts.",
    ),
)
