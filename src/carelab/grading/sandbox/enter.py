"""Runs inside the outer sandbox: becomes a program, after giving everything up. Used for Jupyter kernels."""

import os
import shutil
import sys
from pathlib import Path

from carelab.grading.sandbox import confine
from carelab.grading.sandbox.limits import Limits

FILES = "/student/files"  # what the assignment brings, read-only


def main(limits: Limits, program: list[str]) -> None:
    """Copy the assignment's files into the work folder, hand the writable places over, and become `program`."""
    shutil.copytree(FILES, confine.WORK, dirs_exist_ok=True)
    user = confine.spare_id()
    for place in confine.WRITABLE:
        os.chown(place, user, user)
    for place in (confine.HOME, confine.WORK):
        os.chown(place, user, user)
        for folder, folders, files in os.walk(place):
            for name in [*folders, *files]:
                os.chown(Path(folder, name), user, user)
    confine.only_keep(())
    confine.drop_everything(limits)
    os.execv(program[0], program)


if __name__ == "__main__":
    main(Limits.load(sys.argv[1]), sys.argv[2:])
