"""Chat templates: kept as text by reading and writing, and never run."""

import json

import pytest
from exported import built, model_for

from jaxgpt.huggingface.load import load_hf
from jaxgpt.huggingface.save import save_hf
from jaxgpt.huggingface.tokenizer_files import chat_template

#: One that would fail if anything ran it.
TEXT = (
    "{{ raise_exception('run') }}{% for message in messages %}\n<|im_start|>é{{ message.role }}{% endfor %}"
)
NAMED = {"default": TEXT, "tool_use": "{{ tools }}"}
LISTED = [{"name": name, "template": text} for name, text in NAMED.items()]


def write(path, template="", templates=(), field=None):
    """A directory's files with templates."""
    if template:
        (path / "chat_template.jinja").write_text(template, encoding="utf-8")
    for name, text in dict(templates).items():
        (path / "additional_chat_templates").mkdir(exist_ok=True)
        (path / "additional_chat_templates" / f"{name}.jinja").write_text(text, encoding="utf-8")
    if field is not None:
        file = path / "tokenizer_config.json"
        given = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(given | {"chat_template": field}))


#: By name: what lies in a directory, and what is read.
CASES = {
    "none": ({}, None),
    "a field": ({"field": TEXT}, TEXT),
    "a list": ({"field": LISTED}, NAMED),
    "a file": ({"template": TEXT}, TEXT),
    "files": ({"template": TEXT, "templates": {"tool_use": "{{ tools }}"}}, NAMED),
    "a file before a field": ({"template": TEXT, "field": "other"}, TEXT),
}


@pytest.mark.thorough
@pytest.mark.parametrize(("files", "expected"), CASES.values(), ids=CASES)
def test_a_template_survives_reading_and_writing(files, expected, tmp_path):
    own = built("bpe:300")
    save_hf(model_for(own, "gpt2"), tmp_path / "a", family="gpt2", tokenizer=own)
    write(tmp_path / "a", **files)
    loaded = load_hf(tmp_path / "a")
    assert loaded.chat_template == expected
    save_hf(loaded, tmp_path / "b")
    kept = json.loads((tmp_path / "b" / "tokenizer_config.json").read_text()).get("chat_template")
    assert kept == (LISTED if expected == NAMED else expected)
    assert load_hf(tmp_path / "b").chat_template == expected
    # With another tokenizer its tokens are not there.
    save_hf(loaded, tmp_path / "c", tokenizer=built("bpe:300").used_with(begin_ids=[]))
    assert load_hf(tmp_path / "c").chat_template is None


@pytest.mark.parametrize("field", [5, [TEXT], [{"name": "x"}], {"default": 5}])
def test_what_is_no_template_is_refused_in_one_line(field, tmp_path):
    write(tmp_path, field=field)
    with pytest.raises(
        ValueError, match=r"tokenizer_config.json: chat_template is neither a text nor a list"
    ):
        chat_template(tmp_path)


def test_a_link_out_of_the_directory_is_not_followed(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.jinja").write_text("secret")
    (inner / "chat_template.jinja").symlink_to(tmp_path / "secret.jinja")
    with pytest.raises(ValueError, match=r"chat_template.jinja is a link that leads elsewhere"):
        chat_template(inner)
    (inner / "chat_template.jinja").unlink()
    (inner / "additional_chat_templates").symlink_to(tmp_path)
    with pytest.raises(ValueError, match=r"additional_chat_templates is a link that leads elsewhere"):
        chat_template(inner)
