"""With the network cut, every recorded prompt answers, search works, and nothing tries to get out.

What Python tries is seen by an audit hook; what a compiled library would try fails too, in a network namespace that has no
way out, where the system allows one to be made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from carelab.paths import ROOT

GUARD = """
import sys
tried = []
def guard(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        tried.append((event, str(arguments[1:] or arguments)))
        raise OSError("the network is cut")
sys.addaudithook(guard)
"""

WORK = """
from carelab import llm
from carelab.llm import trial
for model in ("qwen2.5-coder-1.5b", "smollm2-135m"):
    replies = [case.ask(f"recorded:{model}") for case in trial.cases()]
    assert len(replies) == 20 and not any("was recorded" in reply.text for reply in replies)
vectors = llm.embeddings().embed_documents(["a nurse calls", "an invoice"])
assert len(vectors[0]) == 384
index = llm.PassageIndex.build(llm.split_passages(llm.read_documents()))
for mode in ("lexical", "vector", "hybrid"):
    assert len(index.search("oxygen at home", llm.Access("nurse", "2026-06-30"), k=3, mode=mode)) == 3
try:
    llm.chat_model("recorded").invoke("Nobody has recorded this.")
except Exception as error:
    assert "nothing here makes one up" in str(error), error
else:
    raise SystemExit("an unrecorded prompt was answered")
"""

REPORT = "\nprint('tried', tried)\n"


def run(code: str, *prefix: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "CARELAB_LLM": "recorded"}
    command = [*prefix, sys.executable, "-c", GUARD + code + REPORT]
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, cwd=ROOT, timeout=300)


def namespace() -> tuple[str, ...] | None:
    """A command's beginning that runs it without any network interface, or None where the system refuses."""
    command = ("unshare", "--user", "--map-root-user", "--net")
    if not shutil.which("unshare"):
        return None
    works = subprocess.run([*command, "true"], capture_output=True).returncode == 0
    return command if works else None


def test_everything_answers_with_the_network_cut_and_nothing_tries_to_get_out():
    done = run(WORK, *(namespace() or ()))
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().endswith("tried []")


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
        "import urllib.request; urllib.request.urlopen('http://example.org')",
        "import httpx; httpx.get('http://192.0.2.1')",
    ],
)
def test_the_guard_sees_an_attempt(attempt):
    done = run(f"\ntry:\n    {attempt}\nexcept Exception:\n    pass\n")
    assert done.returncode == 0, done.stderr
    assert "socket." in done.stdout


def test_a_provider_is_not_reached_by_mistake():
    """The same guard, and a model that would need the network: one sentence, one attempt seen."""
    code = """
import os
os.environ["OPENAI_API_KEY"] = "sk-none"
from carelab import llm
try:
    llm.chat_model("openai:gpt-none", max_retries=0).invoke("hello")
except Exception as error:
    print(type(error).__name__, error)
"""
    done = run(code)
    assert "UserError" in done.stdout and "socket." in done.stdout, done.stdout + done.stderr
