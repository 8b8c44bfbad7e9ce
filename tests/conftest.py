"""Which tests run in one worker: those of a file, because they share what was made for them."""

import pytest

# In these files the tests of one notebook or week share, and each notebook is minutes of work: so they may part.
APART = ("test_catalogue.py", "test_mutants.py")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        group = item.nodeid.split("::")[0]
        if item.path.name in APART and hasattr(item, "callspec"):
            group += f" {item.callspec.id}"
        item.add_marker(pytest.mark.xdist_group(group))
