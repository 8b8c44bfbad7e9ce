"""The learner's desk: the page that opens by itself in JupyterLab, and the few things it can ask the server for.

`labextension/` is the part in the browser, `server.py` the part in the server; `page.py` makes the page from the learner's progress.
"""

import os
from pathlib import Path
from typing import Any

LABEXTENSION = Path(__file__).parent / "labextension"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """How jupyter_server finds the extension; `carelab lab` switches it on."""
    return [{"module": "carelab.desk"}]


def _load_jupyter_server_extension(app: Any) -> None:
    from carelab.desk.server import load  # jupyter_server's imports: only inside a server
    from carelab.paths import ROOT

    # Read now, not when carelab.paths was imported: `carelab lab` says which folder it is only after that.
    load(app.web_app, Path(os.environ.get("CARELAB_WORKSPACE") or ROOT / "my_course"))
