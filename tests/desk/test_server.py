"""The desk's addresses, asked as a browser asks them: a real Jupyter server, with a learner made by hand behind it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from carelab import curriculum, lab, paths
from desk import samples

TOKEN = "a-token-of-the-test"
FOLDER = samples.FOLDER
LESSON = f"{FOLDER}/lesson.ipynb"

# Stands for `carelab check` and `carelab portfolio`: takes a while, leaves a mark, and fails for a workspace that says so.
COMMAND = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[sys.argv.index("--workspace") + 1])
if (folder / "fail").exists():
    print("a traceback", file=sys.stderr)
    sys.exit("carelab: your exercises notebook cannot be read: open it and save it again.")
(folder / "started").write_text(" ".join(sys.argv[1:]))
time.sleep(float((folder / "slow").read_text()) if (folder / "slow").exists() else 0)
(folder / "finished").write_text("")
"""
SERVER = """
import pathlib, sys
from desk import samples
from carelab.desk import jobs
workspace = pathlib.Path(sys.argv[1])
samples.install(workspace)
jobs.COMMAND = (sys.executable, sys.argv[2])
from jupyter_server.serverapp import ServerApp
ServerApp.launch_instance(argv=sys.argv[3:])
"""


class Client:
    """Asks a running server, with its token."""

    def __init__(self, base: str, workspace: Path) -> None:
        self.base, self.workspace = base, workspace
        self.headers = {"Authorization": f"token {TOKEN}"}

    def get(self, name: str = "desk", **more: object) -> requests.Response:
        return requests.get(f"{self.base}/carelab/{name}", headers=self.headers, timeout=30, **more)  # type: ignore[arg-type]

    def post(self, name: str, body: object, timeout: float = 30) -> requests.Response:
        data = body if isinstance(body, bytes) else json.dumps(body)
        return requests.post(f"{self.base}/carelab/{name}", data=data, headers=self.headers, timeout=timeout)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    top = tmp_path_factory.mktemp("desk")
    workspace = top / "learner"
    (workspace / FOLDER).mkdir(parents=True)
    for name in ("lesson", "exercises", "project", "broken"):
        (workspace / FOLDER / f"{name}.ipynb").write_text("{}")
    (top / "secret.ipynb").write_text("{}")
    (workspace / "link.ipynb").symlink_to(top / "secret.ipynb")
    (top / "command.py").write_text(COMMAND)
    port = next(port for port in range(18800, 18890) if lab.is_free(port))
    arguments = [
        f"--ServerApp.root_dir={workspace}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--allow-root",
        "--ServerApp.open_browser=False", f"--IdentityProvider.token={TOKEN}", "--ServerApp.log_level=CRITICAL",
        "--ServerApp.jpserver_extensions=carelab.desk=True", "--ServerApp.jpserver_extensions=jupyterlab=False",
        "--ServerApp.jpserver_extensions=notebook=False", "--ServerApp.base_url=/some/base/",
    ]  # fmt: skip
    environment = {
        **os.environ, "CARELAB_WORKSPACE": str(workspace), "PYTHONPATH": f"{paths.ROOT / 'src'}{os.pathsep}{paths.ROOT / 'tests'}",
        "HOME": str(top), "JUPYTER_CONFIG_DIR": str(top / "config"), "CARELAB_NO_VENV": "1",
    }  # fmt: skip
    log = top / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(workspace), str(top / "command.py"), *arguments],
            env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    client = Client(f"http://127.0.0.1:{port}/some/base", workspace)
    try:
        wait_until(lambda: answers(client) or process.poll() is not None, 60)
        assert process.poll() is None, log.read_text()
        yield client
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(autouse=True)
def tidy(server: Client) -> None:
    for name in ("fail", "slow", "started", "finished"):
        (server.workspace / name).unlink(missing_ok=True)


def answers(client: Client) -> bool:
    try:
        return client.get().status_code == 200
    except requests.ConnectionError:
        return False


def wait_until(true: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def sentence(response: requests.Response, status: int) -> str:
    assert response.status_code == status, response.text
    text = response.json()["message"]
    assert re.fullmatch(r"[\"\w].*\.", text) and "Traceback" not in text
    return str(text)


def test_the_page_comes_as_html_that_a_browser_alone_would_not_run(server: Client) -> None:
    page = server.get()
    assert page.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "Continue: 2. A column from the future" in page.text
    assert f'href="/some/base/lab/tree/{FOLDER}/exercises.ipynb#' in page.text


@pytest.mark.parametrize("name", ["desk", "track", "check", "time", "portfolio", "take", "reset"])
def test_nobody_without_the_token(server: Client, name: str) -> None:
    method = requests.get if name == "desk" else requests.post
    for headers in ({}, {"Authorization": "token wrong"}):
        assert method(f"{server.base}/carelab/{name}", headers=headers, timeout=10).status_code == 403


def test_another_sites_page_cannot_press_the_buttons(server: Client) -> None:
    """With the browser's cookie alone, and without the header that only our own page can set, nothing happens."""
    browser = requests.Session()
    browser.get(f"{server.base}/api/contents?token={TOKEN}", timeout=10)
    browser.get(f"{server.base}/login", timeout=10)  # sets the _xsrf cookie
    ask = {"url": f"{server.base}/carelab/track", "data": '{"track": "pm"}', "timeout": 10}
    assert browser.get(f"{server.base}/carelab/desk", timeout=10).status_code in (200, 403)
    refused = browser.post(**ask)  # type: ignore[arg-type]
    assert refused.status_code == 403 and "_xsrf" in refused.text
    token = next(cookie.value for cookie in browser.cookies if cookie.name == "_xsrf")
    assert browser.post(**ask, headers={"X-XSRFToken": token or ""}).status_code == 200  # type: ignore[arg-type]


def test_a_track_is_chosen_and_shown(server: Client) -> None:
    assert sentence(server.post("track", {"track": "pm"}), 200) == "Your track: Product manager."
    assert 'value="pm" checked' in server.get().text
    assert "no track" in sentence(server.post("track", {"track": "boss"}), 400)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", {"track": 3}, {"track": ""}, {"track": "x" * 600}]
)
def test_what_is_no_request_is_refused_with_a_sentence(server: Client, body: object) -> None:
    sentence(server.post("track", body), 400)


def test_time_is_noted_for_a_notebook(server: Client) -> None:
    notes = server.workspace / ".carelab" / "fake-time"
    assert server.post("time", {"path": LESSON, "seconds": 30}).status_code == 200
    assert notes.read_text().splitlines()[-1] == f"{LESSON} 30"


@pytest.mark.parametrize("seconds", [-1, 121, 1e9, "30", True, None, 1.5])
def test_impossible_times_are_refused(server: Client, seconds: object) -> None:
    assert "seconds" in sentence(server.post("time", {"path": LESSON, "seconds": seconds}), 400)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.ipynb", f"{FOLDER}/../../secret.ipynb", "/etc/passwd", "/etc/x.ipynb", "link.ipynb", ".carelab/desk.json",
        ".carelab/x.ipynb", f"{FOLDER}", "nowhere.ipynb", "..\\secret.ipynb", "a\0.ipynb", "", ".", "C:/x.ipynb", "<b>.ipynb",
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", ["take", "reset", "time"])
def test_only_the_learners_own_notebooks(server: Client, action: str, name: str) -> None:
    key = "path" if action == "time" else "name"
    sentence(server.post(action, {key: name, "seconds": 30}), 400)


def test_a_new_version_is_taken_and_a_notebook_started_over(server: Client) -> None:
    assert f"backups/{LESSON}" in sentence(server.post("take", {"name": LESSON}), 200)
    assert f"backups/{LESSON}" in sentence(server.post("reset", {"name": LESSON}), 200)


def test_a_defect_is_a_sentence_without_its_inside(server: Client) -> None:
    text = sentence(server.post("take", {"name": f"{FOLDER}/broken.ipynb"}), 500)
    assert "RuntimeError" in text and "secret" not in text


def test_addresses_that_are_not_there(server: Client) -> None:
    assert server.post("delete", {}).status_code == 404
    assert server.get("../api/nothing").status_code == 404
    assert server.post("desk", {}).status_code == 405


def test_a_check_runs_the_command_and_says_how_it_went(server: Client) -> None:
    assert sentence(server.post("check", {"week": 1}), 200) == "Week 1 is checked: 1 of 5 checks passed."
    assert (server.workspace / "started").read_text() == f"check 1 --workspace {server.workspace}"


PLANNED = [week.number for week in curriculum.load().weeks if not week.ready]


@pytest.mark.parametrize("week", [0, 13, -1, "1", None, True, *PLANNED])
def test_a_week_that_cannot_be_checked_is_refused(server: Client, week: object) -> None:
    sentence(server.post("check", {"week": week}), 400)
    assert not (server.workspace / "started").exists()


def test_a_command_that_fails_gives_its_own_sentence(server: Client) -> None:
    (server.workspace / "fail").write_text("")
    text = sentence(server.post("check", {"week": 1}), 400)
    assert text == "Your exercises notebook cannot be read: open it and save it again."
    assert sentence(server.post("portfolio", {}), 400) == text, "and nothing is left running"


def test_one_at_a_time_and_it_finishes_when_the_browser_goes_away(server: Client) -> None:
    (server.workspace / "slow").write_text("2")
    with pytest.raises(requests.Timeout):  # the browser leaves
        server.post("check", {"week": 1}, timeout=0.5)
    wait_until((server.workspace / "started").exists)
    began = time.monotonic()
    assert "Week 1 is being checked. Wait" in sentence(server.post("portfolio", {}), 409)
    assert 'data-busy="Week 1 is being checked."' in server.get().text
    assert time.monotonic() - began < 1.5, "the server answers meanwhile"
    wait_until((server.workspace / "finished").exists)
    wait_until(lambda: "data-busy" not in server.get().text)
