"""Open the course: the learner's own copies of the notebooks, and a JupyterLab that shows them."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path

from carelab.desk import LABEXTENSION
from carelab.errors import UserError
from carelab.quiet import QUIET_ENVIRONMENT, without_grammars

LANDING = "START_HERE.ipynb"
USUAL_PORT = 8888
_TRIES = 50
_INSTRUCTORS = ("formgrader", "assignment_list", "course_list")
SETTINGS = Path(__file__).parent / "lab_settings"


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name != "nt":  # a port that was just released counts as free; on Windows the option means to share
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_port(wanted: int | None) -> int:
    """The port to use. One that was asked for is taken or refused; else the first free one from 8888 on."""
    if wanted is not None:
        if not 1 <= wanted <= 65535:
            raise UserError(f"{wanted} is no port: name a number from 1 to 65535.")
        if not is_free(wanted):
            raise UserError(f"Port {wanted} is in use: name another one, or leave out --port to get a free one.")
        return wanted
    for port in range(USUAL_PORT, USUAL_PORT + _TRIES):
        if is_free(port):
            return port
    raise UserError(f"Ports {USUAL_PORT} to {USUAL_PORT + _TRIES - 1} are all in use: name a free one with --port.")


def server_arguments(workspace: Path, port: int, browser: bool) -> list[str]:
    """Arguments for JupyterLab: the learner's folder, the desk in front, and no call to the outside."""
    arguments = [
        f"--ServerApp.root_dir={workspace.resolve()}",
        "--LabApp.default_url=/lab",
        # The desk: a page that opens by itself and says where the learner stands (carelab/desk).
        "--ServerApp.jpserver_extensions=carelab.desk=True",
        f"--LabApp.extra_labextensions_path={LABEXTENSION}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.log_level=ERROR",  # the address is printed at any level
        "--LabApp.log_level=ERROR",
        # The instructor's pages look for a course to grade, and complain in the terminal when there is none.
        *(f"--ServerApp.jpserver_extensions=nbgrader.server_extensions.{name}=False" for name in _INSTRUCTORS),
        # JupyterLab asks for news, for its newest version and for the list of extensions: none of it is the course.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        f"--LabApp.app_settings_dir={SETTINGS}",
        # Which tabs were open is remembered per workspace folder, apart from the person's other projects.
        f"--LabApp.workspaces_dir={workspace.resolve() / '.carelab' / 'tabs'}",
    ]
    if _has_curve():  # between server and kernels; ipykernel warns in the terminal without it
        arguments.append("--KernelManager.transport_encryption=auto")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")  # a container; JupyterLab otherwise refuses to start
    return arguments


def _has_curve() -> bool:
    import zmq

    return bool(zmq.has("curve"))


def prepare_environment(workspace: Path) -> None:
    """Set what kernels and terminals opened from JupyterLab inherit."""
    os.environ.update(QUIET_ENVIRONMENT)
    os.environ["CARELAB_WORKSPACE"] = str(workspace.resolve())
    # So that `python -m carelab …` in JupyterLab's own terminal means this environment.
    scripts = str(Path(sys.executable).parent)
    if not os.environ.get("PATH", "").startswith(scripts):
        os.environ["PATH"] = scripts + os.pathsep + os.environ.get("PATH", "")


def start(workspace: Path, port: int, browser: bool) -> None:
    """Run JupyterLab until the person stops it."""
    prepare_environment(workspace)
    if browser and not _can_open_browser():
        browser = False
    without_grammars()  # half of the time until the page is there
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(argv=server_arguments(workspace, port, browser))


def _can_open_browser() -> bool:
    """Whether a browser with a window is likely; a text browser would only block the terminal."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or shutil.which("wslview"))
    return True
