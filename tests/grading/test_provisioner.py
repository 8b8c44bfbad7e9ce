"""An ordinary kernel in the sandbox: honest notebooks run as ever, hostile ones reach nothing."""

import os
import tempfile
from importlib.metadata import EntryPoint
from pathlib import Path

import nbformat
import pytest
from jupyter_client.provisioning import KernelProvisionerFactory
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from carelab.errors import UserError
from carelab.grading.rebuild import answers, read_notebook
from carelab.grading.run import run_checks
from carelab.grading.sandbox import available, isolation, provisioner
from carelab.paths import RELEASE, ROOT, SOLUTIONS

WEEK = "week_01_ml_fundamentals"


@pytest.fixture
def sandboxed(monkeypatch):
    """Every kernel started from here on is in the sandbox, as with the installed entry point."""
    point = EntryPoint(
        provisioner.NAME, "carelab.grading.sandbox.provisioner:SandboxProvisioner", KernelProvisionerFactory.GROUP_NAME
    )
    factory = KernelProvisionerFactory.instance()
    monkeypatch.setitem(factory.provisioners, provisioner.NAME, point)
    monkeypatch.setattr(factory, "default_provisioner_name", provisioner.NAME)


@pytest.fixture
def isolated(sandboxed):
    if reason := available():
        pytest.skip(f"no isolation on this machine: {reason}")


def run(*cells: str, folder: Path, **options) -> list[str]:
    """What each cell printed, or the name of its error."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(
        notebook, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(folder)}}, **options
    ).execute()
    return ["".join(o.get("text", "") + o.get("ename", "") for o in cell.outputs).strip() for cell in notebook.cells]


def test_the_reference_solutions_of_a_week_earn_full_marks_in_it(isolated):
    solved = read_notebook(SOLUTIONS / WEEK / "exercises.ipynb")
    stubs = answers(read_notebook(RELEASE / WEEK / "exercises.ipynb"))
    results = run_checks(solved, answers(solved), stubs)
    assert results and {result.status for result in results} == {"passed"}
    untouched = read_notebook(RELEASE / WEEK / "exercises.ipynb")
    assert {result.status for result in run_checks(untouched, answers(untouched), stubs)} == {"not attempted"}


def test_a_notebook_reaches_its_own_files_and_nothing_else(isolated, tmp_path):
    (tmp_path / "extra.csv").write_text("a,b")
    (tmp_path / "other.ipynb").write_text("{}")
    (tmp_path / "link").symlink_to("/etc/hostname")
    secret = next(SOLUTIONS.rglob("*.ipynb"))
    found = run(
        "import os; print(sorted(os.listdir()))",
        "print(open('extra.csv').read())",
        f"open({str(secret)!r})",
        "import socket; socket.create_connection(('127.0.0.1', 22), 2)",
        "open('/proc/sys/kernel/core_pattern', 'w')",
        f"print(os.listdir({str(ROOT)!r}))",
        "print([n for n in os.listdir('/proc') if n.isdigit() and 'bwrap' not in open(f'/proc/{n}/cmdline').read()"
        " and int(n) != os.getpid()])",
        "import ctypes; print(ctypes.CDLL(None).unshare(0x10000000), os.getuid())",
        "open('left', 'w').write('x'); print(os.path.exists('left'))",
        folder=tmp_path,
    )
    assert found[0] == "['extra.csv']" and found[1] == "a,b"
    assert found[2] == "FileNotFoundError"
    assert found[3] == "ConnectionRefusedError" or found[3] == "OSError"
    assert found[4] in ("OSError", "PermissionError")
    assert "solutions" not in found[5] and "course" not in found[5]
    assert found[6] == "[]"
    assert found[7] == f"-1 {1000}"
    assert found[8] == "True" and not (tmp_path / "left").exists()


def test_without_it_the_same_notebook_reads_the_solutions(tmp_path):
    secret = next(SOLUTIONS.rglob("*.ipynb"))
    assert run(f"print(len(open({str(secret)!r}).read()) > 0)", folder=tmp_path) == ["True"]


def test_a_kernel_manager_alone_puts_its_kernels_in_it(tmp_path):
    """As nbgrader's configuration names it; other kernels of the same process stay outside."""
    if reason := available():
        pytest.skip(f"no isolation on this machine: {reason}")
    where = f"import os; print(os.path.exists({str(SOLUTIONS)!r}))"
    manager = "carelab.grading.sandbox.provisioner.SandboxManager"
    assert run(where, folder=tmp_path, kernel_manager_class=manager) == ["False"]
    assert run(where, folder=tmp_path) == ["True"]


def test_an_endless_cell_is_interrupted_and_the_kernel_lives(isolated, tmp_path):
    found = run("while True: pass", "print('after')", folder=tmp_path, timeout=3, interrupt_on_timeout=True)
    assert found == ["KeyboardInterrupt", "after"]
    with pytest.raises(CellTimeoutError):
        run("while True: pass", folder=tmp_path, timeout=3)


def test_a_kernel_that_ends_leaves_nothing(isolated, tmp_path, monkeypatch):
    made = []
    real = tempfile.mkdtemp
    monkeypatch.setattr(tempfile, "mkdtemp", lambda *args, **kwargs: made.append(real(*args, **kwargs)) or made[-1])
    with pytest.raises(DeadKernelError):
        run("import os; os._exit(1)", folder=tmp_path)
    run("import subprocess; subprocess.Popen(['sleep', '4711'], start_new_session=True)", folder=tmp_path)
    left = [name for name in os.listdir("/proc") if name.isdigit() and b"sleep\x004711" in _command(name)]
    assert left == []
    assert sum("clab-" in folder for folder in made) >= 2
    assert not [folder for folder in made if "clab-" in folder and Path(folder).exists()]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_files_stored_among_the_sockets_end_the_kernel(isolated, tmp_path):
    fill = (
        "import glob, time\n"
        "folder = glob.glob('/tmp/clab-*')[0]\n"
        "open(folder + '/big', 'wb').write(bytes(1000000))\n"
        "time.sleep(60); print('still here')"
    )
    with pytest.raises(DeadKernelError):
        run(fill, folder=tmp_path, timeout=30)


def test_a_link_among_the_sockets_ends_the_kernel(isolated, tmp_path):
    """A service of the machine could be behind it, to which we would connect."""
    link = "import glob, os, time\nos.symlink('/run/x.sock', glob.glob('/tmp/clab-*')[0] + '/k-9')\ntime.sleep(60)"
    with pytest.raises(DeadKernelError):
        run(link, folder=tmp_path, timeout=30)


def test_a_flood_of_output_is_an_error_and_costs_no_memory(tmp_path):
    if reason := available():
        pytest.skip(f"no isolation on this machine: {reason}")
    cells = ("for _ in range(60): print('x' * 1_000_000)", "pass", "print('later')")
    flooded = run(*cells, folder=tmp_path, kernel_manager_class="carelab.grading.sandbox.provisioner.SandboxManager")
    assert flooded[0].endswith("TooMuchOutput") and 0 < len(flooded[0]) < 25_000_000
    assert flooded[1:] == ["", "TooMuchOutput"]
    assert len(run(*cells, folder=tmp_path)[0]) > 50_000_000  # the control: an ordinary kernel may


def test_without_isolation_it_refuses_unless_told_otherwise(sandboxed, monkeypatch, tmp_path):
    monkeypatch.setattr(isolation, "available", lambda: "Install bubblewrap.")
    monkeypatch.delenv(provisioner.UNSAFE, raising=False)
    with pytest.raises(UserError, match="Install bubblewrap"):
        run("print(1)", folder=tmp_path)
    monkeypatch.setenv(provisioner.UNSAFE, "1")
    with pytest.warns(UserWarning, match="without isolation"):
        assert run("print(1)", folder=tmp_path) == ["1"]


def test_files_of_an_assignment_have_a_limit(monkeypatch, tmp_path):
    source, target = tmp_path / "from", tmp_path / "to"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "data.csv").write_text("12345")
    (source / "work.ipynb").write_text("x" * 100)
    provisioner.copy_files(source, target)
    assert [path.name for path in target.rglob("*") if path.is_file()] == ["data.csv"]
    monkeypatch.setattr(provisioner, "FILES_LIMIT", 4)
    with pytest.raises(UserError, match="beside its notebooks"):
        provisioner.copy_files(source, target)
