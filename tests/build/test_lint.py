"""House rules: each has a notebook that must fail it."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from carelab.build.lint import lint

TITLE = new_markdown_cell("# Title")
PICTURE = new_output("display_data", {"image/png": "aGk=", "text/plain": "<Figure>"})


def fatal(*cells) -> str:
    return " ".join(finding.sentence for finding in lint(new_notebook(cells=list(cells))) if finding.fatal)


def test_a_plain_notebook_passes():
    assert fatal(TITLE, new_markdown_cell("## Part\n\n```\n# no heading\n```"), new_code_cell("x = 1 / 2")) == ""


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        (new_markdown_cell("# Second title"), "2 headings of level 1"),
        (new_markdown_cell("### Too deep"), "level 3 right after level 1"),
        (new_markdown_cell("![](picture.png)"), "alternative text"),
        (new_markdown_cell('<img src="a.png">'), "alternative text"),
        (new_markdown_cell("Read on [here](lesson.ipynb)."), "do not say where"),
        (new_markdown_cell("[](lesson.ipynb)"), "do not say where"),
        (new_code_cell('open("/home/me/x.csv")'), "absolute path"),
        (new_code_cell('open("C:\\\\data\\\\x.csv")'), "absolute path"),
        (new_code_cell("import requests"), "network call"),
        (new_code_cell('pd.read_csv("https://example.org/x.csv")'), "network call"),
        (new_code_cell("get(url, verify=False)"), "switched-off check"),
        (new_code_cell('api_key = "abc"'), "key in a cell"),
        (new_code_cell("widgets.interact(draw, calls=(5, 60))"), "shows a widget"),
        (new_code_cell("slider = widgets.IntSlider(15, 1, 60)"), "shows a widget"),
        (new_code_cell("x", outputs=[new_output("stream", name="stderr", text="warn")]), "stderr"),
        (
            new_code_cell("x", outputs=[new_output("stream", name="stdout", text="<obj at 0x7f12ab34>")]),
            "memory address",
        ),
        (new_code_cell("plot()", outputs=[PICTURE]), "a figure whose next cell"),
        (new_markdown_cell("The score is **0.94**."), "0.94 stands in no code or output"),
    ],
)
def test_each_rule_fails_its_fixture(cell, sentence):
    assert sentence in fatal(TITLE, cell)


def test_a_widget_whose_output_is_not_compared_passes():
    cell = new_code_cell("widgets.interact(draw, calls=(5, 60))", metadata={"tags": ["nbval-ignore-output"]})
    assert fatal(TITLE, cell) == ""


def test_links_and_images_with_words_pass():
    assert fatal(TITLE, new_markdown_cell("![risk by age](a.png), as [the lesson](lesson.ipynb) says.")) == ""


def test_a_figure_followed_by_its_words_passes():
    assert fatal(TITLE, new_code_cell("plot()", outputs=[PICTURE]), new_markdown_cell("*In words:* it rises.")) == ""


def test_a_bold_figure_that_was_computed_passes():
    printed = new_code_cell("x", outputs=[new_output("stream", name="stdout", text="AUC 0.94\n")])
    assert (
        fatal(TITLE, printed, new_markdown_cell("**0.94**, and **2,310 patients**, in **Week 1**.")).count("in bold")
        == 1
    )
    assert fatal(TITLE, printed, new_markdown_cell("**0.94** in **Week 1**.")) == ""


def test_length_is_a_warning_only():
    long = new_code_cell("\n".join(f"x{i} = {i}" for i in range(20)))
    findings = lint(new_notebook(cells=[TITLE, long, new_markdown_cell("word " * 130)]))
    assert {f.fatal for f in findings} == {False}
    assert len(findings) == 3
