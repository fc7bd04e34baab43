"""The documentation as a site: `sphinx-build -W --keep-going -n docs build/site`. It needs no network."""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER.parent), str(FOLDER)]

import jaxgpt  # noqa: E402 - the folder above is where it lies

project = "jaxgpt"
author = "the authors of jaxgpt"
release = version = jaxgpt.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "reference"]
html_theme = "furo"
html_title = "jaxgpt"
html_static_path, html_css_files = ["_static"], ["site.css"]
html_show_copyright = False
html_theme_options = {"sidebar_hide_name": False}

# A report of `jaxgpt compare` has its tables two levels below its title.
suppress_warnings = ["myst.header"]

# Pages are also read on a code host: headings have the same anchors there.
myst_heading_anchors = 4

# A word between single backticks is code, in docstrings as in Markdown.
default_role = "code"
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_use_ivar, napoleon_attr_annotations = True, False
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
python_maximum_signature_line_length = 88

# Names of other libraries, and of what is not shown, have no page here.
nitpick_ignore_regex = [("py:.*", ".*")]
