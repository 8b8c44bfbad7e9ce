"""Sandbox an ordinary Jupyter kernel: for plain `nbgrader autograde`, `nbgrader validate` and `pytest --nbval`.

nbgrader is told `c.Execute.kernel_manager_class = "carelab.grading.sandbox.provisioner.SandboxManager"`, which holds in the
formgrader too and leaves the kernels of JupyterLab itself alone. Everything else that starts kernels takes the name NAME from
the variable JUPYTER_DEFAULT_PROVISIONER_NAME. It keeps a notebook from reaching the machine, the
network, other submissions and the gradebook; it does not keep an answer from tampering with the checks in the same
kernel. For that, grade with `python -m carelab grade`, where checks run elsewhere.
"""

import asyncio
import contextlib
import os
import shutil
import stat
import sys
import tempfile
import threading
import time
import warnings
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Type

from carelab.errors import UserError
from carelab.grading.sandbox import isolation, watch
from carelab.grading.sandbox.enter import FILES
from carelab.grading.sandbox.limits import MIB, Limits

NAME = "carelab-sandbox"
UNSAFE = "CARELAB_UNSAFE"
# An address space is larger than the memory used: pandas, scikit-learn and pyarrow alone map 1.7 GB.
KERNEL_LIMITS = Limits(memory=4096 * MIB, processes=128, open_files=512)
FILES_LIMIT = 100 * MIB  # of an assignment's own files
_CHANNELS_LIMIT = 64 * 1024  # bytes in the folder of the sockets, which hold none
_CHANNELS_MOST = 32  # entries in it
OUTPUT_LIMIT = 20 * MIB  # of all that one kernel's cells put out: whoever runs the notebook keeps it in memory
_MESSAGE_LIMIT = 256 * MIB  # a larger message is lost, and the connection made anew
_WAITING = 8  # messages taken in before they are read; the others wait in the kernel, whose memory is limited
_WATCH_SECONDS = 0.2


class SandboxProvisioner(LocalProvisioner):
    """LocalProvisioner whose kernel lives in the sandbox and is reached by Unix sockets in a private folder."""

    contained: isolation.Contained | None = None
    channels: Path | None = None
    files: Path | None = None
    plain = False

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose sockets instead of ports. Raises UserError where isolation is missing and nobody has waived it."""
        if reason := isolation.available():
            if os.environ.get(UNSAFE) != "1":
                raise UserError(reason)
            warnings.warn("The kernel runs without isolation: it can read and change whatever you can.", stacklevel=2)
            self.plain = True
            found: dict[str, Any] = await super().pre_launch(**kwargs)
            return found
        manager: Any = self.parent
        if self.channels is None:
            # Not below TMPDIR: the path of a Unix socket has at most 107 bytes.
            self.channels = Path(tempfile.mkdtemp(prefix="clab-", dir="/tmp"))
            manager.transport, manager.cache_ports = "ipc", False
            manager.ip = str(self.channels / "k")
            manager.connection_file = str(self.channels / "kernel.json")
        # A signal would reach bubblewrap, not the kernel.
        self.kernel_spec.interrupt_mode = "message"
        found = await super().pre_launch(**kwargs)
        if os.geteuid() == 0:  # the kernel is nobody then, and reads its connection file and makes its sockets
            for path in (self.channels, *self.channels.iterdir()):
                os.chown(path, isolation.NOBODY, isolation.NOBODY)
        return found

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel in the sandbox, with a copy of the assignment's files as its work folder."""
        if self.plain:
            return await super().launch_kernel(cmd, **kwargs)
        assert self.channels is not None
        self._forget_files()
        self.files = Path(tempfile.mkdtemp(prefix="clab-files-"))
        self.files.chmod(0o755)
        if cwd := kwargs.get("cwd"):
            copy_files(Path(cwd), self.files)
        program = [sys.executable, *cmd[1:]] if Path(cmd[0]).name.startswith("python") else list(cmd)
        self.contained = isolation.start(
            [sys.executable, "-m", "carelab.grading.sandbox.enter", KERNEL_LIMITS.dump(), *program],
            KERNEL_LIMITS,
            extra_environment={"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
            extra_binds=[
                ("--bind", str(self.channels), str(self.channels)),
                ("--ro-bind", str(self.files), FILES),
            ],
        )
        self.process, self.pid, self.cwd = self.contained.process, self.contained.process.pid, cwd
        threading.Thread(target=self._watch, args=(self.contained, self.channels), daemon=True).start()
        return self.connection_info

    @staticmethod
    def _watch(contained: isolation.Contained, channels: Path) -> None:
        """End a kernel whose processes together use too much, or that stores files among its sockets."""
        pid = contained.process.pid
        while contained.process.returncode is None and Path(f"/proc/{pid}").exists():
            members = watch.families({pid})[pid]
            stored = _sizes(channels)
            if (
                sum(map(watch.private, members)) > KERNEL_LIMITS.memory
                or len(members) > KERNEL_LIMITS.processes
                or sum(stored) > _CHANNELS_LIMIT
                or len(stored) > _CHANNELS_MOST
            ):
                contained.end()
                return
            time.sleep(_WATCH_SECONDS)

    async def send_signal(self, signum: int) -> None:
        """Signals that end end everything in the sandbox; there is nobody inside for the others."""
        if self.plain:
            await super().send_signal(signum)
        elif signum in (9, 15) and self.contained:
            self.contained.end()
        elif signum == 0 and self.contained:
            self.contained.process.send_signal(0)

    async def kill(self, restart: bool = False) -> None:
        """End the kernel and everything it started."""
        await (super().kill(restart) if self.plain else self.send_signal(9))

    async def terminate(self, restart: bool = False) -> None:
        """As `kill`: there is nothing to save."""
        await (super().terminate(restart) if self.plain else self.send_signal(9))

    async def cleanup(self, restart: bool = False) -> None:
        """Remove what was made for this kernel."""
        await super().cleanup(restart)
        if self.contained:
            await asyncio.to_thread(self.contained.kill)
            self.contained = None
        self._forget_files()
        if self.channels and not restart:
            shutil.rmtree(self.channels, ignore_errors=True)
            self.channels = None

    def _forget_files(self) -> None:
        if self.files:
            shutil.rmtree(self.files, ignore_errors=True)
            self.files = None


class _Outputs(AsyncZMQSocketChannel):
    """The channel of outputs: after OUTPUT_LIMIT bytes a cell that puts out more gets an error, once, in its place."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._received = 0
        self._told: set[object] = set()

    async def _recv(self, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]  # as in its own base
        parts = await self.socket.recv_multipart(**kwargs)
        message: dict[str, Any] = self.session.deserialize(self.session.feed_identities(parts)[1])
        self._received += sum(map(len, parts))
        if self._received > OUTPUT_LIMIT and message["msg_type"] not in ("status", "execute_input"):
            cell = message["parent_header"].get("msg_id")
            words = f"The notebook put out more than {OUTPUT_LIMIT // MIB} MB."
            message["content"] = {"ename": "TooMuchOutput", "evalue": words, "traceback": [words]}
            message["msg_type"] = "execute_input" if cell in self._told else "error"  # nobody looks at the former
            message["header"]["msg_type"] = message["msg_type"]
            self._told.add(cell)
        return message


class SandboxClient(AsyncKernelClient):
    """A client that a kernel cannot drown in what it sends."""

    iopub_channel_class = Type(_Outputs)  # type: ignore[assignment]

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        self.context.setsockopt(zmq.MAXMSGSIZE, _MESSAGE_LIMIT)  # of each socket that is made from now on
        self.context.setsockopt(zmq.RCVHWM, _WAITING)
        return super()._create_connected_socket(channel, identity)


class SandboxManager(AsyncKernelManager):
    """A kernel manager whose kernels are in the sandbox, whatever the kernel's specification says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client_factory = SandboxClient
        factory = KernelProvisionerFactory.instance(parent=self.parent)
        factory.provisioners.setdefault(
            NAME, EntryPoint(NAME, f"{__name__}:{SandboxProvisioner.__name__}", factory.GROUP_NAME)
        )

    @property
    def kernel_spec(self) -> Any:
        """The specification, with the sandbox in it."""
        spec = super().kernel_spec
        if spec is not None:
            spec.metadata = {**spec.metadata, "kernel_provisioner": {"provisioner_name": NAME}}
        return spec


def _sizes(folder: Path) -> list[int]:
    """Size of each entry of a folder that a kernel may be changing, sub-folders included; a link is too large."""
    found = []
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            with contextlib.suppress(OSError):
                entry = os.lstat(os.path.join(place, name))
                # A link in the place of a socket would have us talk to another service of the machine.
                found.append(_CHANNELS_LIMIT + 1 if stat.S_ISLNK(entry.st_mode) else entry.st_size)
    return found


def copy_files(source: Path, target: Path) -> None:
    """Copy an assignment's files, without notebooks and without links, up to FILES_LIMIT bytes.

    Raises UserError when there is more.
    """
    total = 0
    for folder, _, files in os.walk(source):
        for name in files:
            path = Path(folder, name)
            if path.suffix == ".ipynb" or path.is_symlink() or not path.is_file():
                continue
            total += path.stat().st_size
            if total > FILES_LIMIT:
                raise UserError(
                    f"{source} holds more than {FILES_LIMIT // MIB} MB beside its notebooks; take out what was not handed out."
                )
            there = target / path.relative_to(source)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, there)
            there.chmod(0o644)
