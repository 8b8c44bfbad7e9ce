"""`lab`: what JupyterLab is started with, and a busy port is a sentence."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from carelab import lab
from carelab.cli import main
from carelab.errors import UserError


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_port_in_use_is_a_sentence_and_exit_code_2(
    busy_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lab", "--no-browser", "--port", str(busy_port), "--workspace", str(tmp_path / "mine")])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error == f"carelab: Port {busy_port} is in use: name another one, or leave out --port to get a free one.\n"
    assert not (tmp_path / "mine").exists(), "nothing was touched"


def test_without_a_wish_the_next_free_port_is_taken(busy_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "USUAL_PORT", busy_port)
    assert lab.choose_port(None) > busy_port
    monkeypatch.setattr(lab, "is_free", lambda _: False)
    with pytest.raises(UserError, match="all in use"):
        lab.choose_port(None)


@pytest.mark.parametrize("port", [0, -1, 70000])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(UserError, match="is no port"):
        lab.choose_port(port)


def test_the_server_opens_the_learners_folder_and_the_desk(tmp_path: Path) -> None:
    arguments = lab.server_arguments(tmp_path, 9999, browser=False)
    assert f"--ServerApp.root_dir={tmp_path}" in arguments
    assert "--LabApp.default_url=/lab" in arguments, "where the desk opens by itself"
    assert "--ServerApp.jpserver_extensions=carelab.desk=True" in arguments
    assert "--ServerApp.ip=127.0.0.1" in arguments, "nobody else on the network reaches it"
    assert not any("token" in argument or "password" in argument for argument in arguments)
