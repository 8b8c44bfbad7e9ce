"""Running a notebook keeps what is the same on every machine."""

from nbformat.v4 import new_code_cell, new_notebook

from carelab.build.execute import execute

SLIDER = """import ipywidgets as widgets
def draw(calls):
    print("calls:", calls)
draw(15)
widgets.interact(draw, calls=widgets.IntSlider(15, 1, 60));"""


def test_a_widget_leaves_no_output_and_the_rest_of_the_cell_does():
    """Its output is a random name: two builds would differ, and a reader without the kernel would see nothing."""
    made = execute(new_notebook(cells=[new_code_cell(SLIDER)]), "slider")
    assert [output.get("text") for output in made.cells[0].outputs] == ["calls: 15\n"]
    assert "widgets" not in made.metadata
