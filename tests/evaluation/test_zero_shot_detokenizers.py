"""What each de-tokenizer undoes, by examples that are written out."""

import pytest

from jaxgpt.evaluation.zero_shot import detokenizers

EXAMPLES = {
    "none": [(" a , b \n", " a , b \n")],
    "wikitext": [
        (" = Robert Boulter = \n", " = Robert Boulter =\n"),
        ("a 3 @-@ 2 win , 1 @,@ 000 @.@ 5 miles .", "a 3-2 win, 1,000.5 miles ."),
        ('he said " yes " ( twice ) and left ; ', 'he said "yes" (twice) and left; '),
        ("the boys ' dog", "the boys' dog"),
        ("= = Career = =", "== Career =="),
        ("N is N here , Tom 's", "N is 1 here, Tom's"),
    ],
    "ptb": [
        ("`` Do n't ! '' he said , and it 's -LRB- not -RRB- so .", "\"Don't!\" he said, and it's (not) so."),
        ("a loss of $ 5 on N <unk> shares \n no\n", "a loss of $5 on N <unk> shares\nno\n"),
        ("Which one ? That 'll do , they 've gone .", "Which one? That'll do, they've gone."),
    ],
    "lm1b": [
        (
            'He said : " It is true , " and it \'s at http : / / a / b .',
            'He said: "It is true," and it\'s at http://a/b.',
        ),
        ("5 % of $ 3 ( or less ) !", "5% of $3 (or less)!"),
    ],
}


@pytest.mark.parametrize("name", detokenizers.NAMES)
def test_what_it_undoes(name):
    detokenize = detokenizers.named(name)
    for raw, expected in EXAMPLES[name]:
        assert detokenize(raw) == expected


@pytest.mark.parametrize("name", detokenizers.NAMES)
def test_a_text_as_people_write_stays(name):
    text = "She said \"yes\" (twice), didn't she? It's $5, or 10%; see http://a.b/c.\nNext line.\n"
    assert detokenizers.named(name)(text) == text


def test_another_name():
    with pytest.raises(ValueError, match="detokenize=c4: known: none, wikitext, ptb, lm1b"):
        detokenizers.named("c4")
