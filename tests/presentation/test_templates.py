"""How texts are filled in, whichever template they come from."""

import jinja2
import pytest

from dynparam.presentation.templates import template

BLOCKS = "{% if named %}\n  {{ name }}\n  {% endif %}\nlast\n"


def filled(text, *, html=False, **values):
    """A text filled in as the findings are, or as the report is."""
    environment = template("dynparam.report", "sentences.md.j2", html=html).environment
    return environment.from_string(text).render(values)


@pytest.mark.parametrize(
    ("html", "text"),
    [(False, "  a < b & c\nlast\n"), (True, "  a &lt; b &amp; c\nlast")],
)
def test_blocks_leave_no_line_and_only_html_is_escaped(html, text):
    """And a file of text ends with a whole line."""
    assert filled(BLOCKS, html=html, named=True, name="a < b & c") == text


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("text", ["{{ name }}", "{% if name %}{% endif %}", "{{ known.name }}"])
def test_an_unknown_name_is_an_error(html, text):
    with pytest.raises(jinja2.UndefinedError, match="name"):
        filled(text, html=html, known={})


def test_a_template_that_is_not_there_is_an_error():
    with pytest.raises(jinja2.TemplateNotFound, match="absent"):
        template("dynparam.report", "absent.j2")


def test_filters_are_those_given_and_jinjas_own():
    environment = template("dynparam.report", "sentences.md.j2", filters={"twice": lambda n: 2 * n})
    shown = environment.environment.from_string("{{ 3|twice }} {{ [1, 2]|max }}").render()
    assert shown == "6 2"
    assert "twice" not in template("dynparam.report", "sentences.md.j2").environment.filters
