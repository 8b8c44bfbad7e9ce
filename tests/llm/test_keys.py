"""A key goes to its provider and nowhere else: a planted one is looked for wherever text can be left."""

import json
import logging
import os
import subprocess
import traceback
from pathlib import Path
from typing import Any

import nbformat
import pytest
from langchain_core.load import dumpd
from nbclient import NotebookClient

from carelab import llm
from carelab.errors import UserError
from carelab.llm.keys import SECRET_VARIABLES, find_keys, guard_logs, redact
from carelab.paths import ROOT

CHAT = ["openai", "azure_openai", "anthropic", "bedrock", "ollama"]
EMBEDDINGS = ["openai", "azure_openai", "bedrock", "ollama"]
MODES = ["401", "429", "500", "page", "shape"]

SETUP = """
import json, logging, os, sys, traceback, urllib.request
logging.basicConfig(level=logging.DEBUG, handlers=[logging.FileHandler("debug.log"), logging.StreamHandler(sys.stderr)])
from langchain_core.load import dumpd
from carelab import llm
from carelab.llm.providers import hosted_chat, hosted_embeddings

def behave(mode):
    urllib.request.urlopen(urllib.request.Request(os.environ["OLLAMA_HOST"] + "/" + mode, method="PUT"))

patience = {"max_retries": 0}
meter = llm.metered()
usage = meter.__enter__()
"""
SHOW = """
print(repr(model), model)
print(dumpd(model))
try:
    print(model.model_dump_json())
except Exception as error:
    print(error)
"""
CAUGHT = f"""
for mode in {MODES}:
    behave(mode)
    try:
        model.invoke("Hello") if hasattr(model, "invoke") else model.embed_documents(["Hello"])
    except Exception as error:
        logging.exception("It failed.")
        print(repr(error), error, error.__context__, error.__cause__, vars(error))
        traceback.print_exc()
behave("401")
"""
END = """
meter.__exit__(None, None, None)
usage.calls.to_csv("calls.csv")
display(usage.calls, usage.totals)
"""
CHATS = {
    "openai": "openai:gpt-test",
    "azure_openai": "azure_openai:our-deployment",
    "anthropic": "anthropic:claude-test",
    "bedrock": "bedrock:anthropic.claude-3-test-v1:0",
    "ollama": "ollama:llama-test",
}
EMBEDS = {
    "openai": "openai:embed-test",
    "azure_openai": "azure_openai:our-embedding",
    "bedrock": "bedrock:amazon.titan-embed-text-v2:0",
    "ollama": "ollama:embed-test",
}


def cells() -> list[str]:
    """A notebook that does what a reader might, with failures in each form that a traceback can take."""
    sources = [SETUP]
    for provider in CHAT:
        sources += [f'behave("answer")\nmodel = hosted_chat("{CHATS[provider]}", **patience)\nmodel.invoke("Hello")']
        sources += [SHOW, CAUGHT, 'model.invoke("Hello")']
    for provider in EMBEDDINGS:
        sources += [f'behave("answer")\nmodel = hosted_embeddings("{EMBEDS[provider]}", **patience)']
        sources += ['model.embed_query("Hello")', SHOW, CAUGHT, 'model.embed_query("Hello")']
    # Tracebacks that show the variables of every frame.
    sources += ['%xmode Verbose\nmodel = hosted_chat("openai:gpt-test", **patience)', 'list(model.stream("Hello"))']
    sources += [
        'await model.ainvoke("Hello")',
        'behave("slow")',
        'hosted_chat("openai:gpt-test", timeout=0.05, max_retries=0).invoke("Hello")',
    ]
    sources += ['hosted_chat("openai:gpt-test", api_key="sk-planted-in-a-cell")', END]
    return sources


def run(sources: list[str], folder: Path) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip()) for source in sources])
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True, resources=resources).execute()
    nbformat.write(notebook, folder / "notebook.ipynb")
    return notebook


def holding(key: str, folder: Path) -> list[str]:
    """The files of a folder that hold the key."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path.name for path in files if key.encode() in path.read_bytes()]


def test_a_planted_key_is_nowhere_after_a_notebook(
    stub: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))  # its history is a file as well
    notebook = run(cells(), tmp_path)
    raised = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if output["output_type"] == "error"
    ]
    assert {output["ename"] for output in raised} == {"UserError"}
    assert len(raised) == len(CHAT) + len(EMBEDDINGS) + 4
    assert stub.requests  # it did reach the stub
    assert any(stub.planted in request.credential for request in stub.requests)
    log = (tmp_path / "debug.log").read_text(encoding="utf-8")
    assert "<key>" in log  # some client did log it
    assert holding(stub.planted, tmp_path) == []
    assert "PROVIDER-TEXT" not in str(raised)
    captured = capfd.readouterr()
    assert stub.planted not in captured.out + captured.err


def test_the_search_finds_a_key_that_a_notebook_does_show(stub: Any, tmp_path: Path) -> None:
    run(
        ['import os\nprint(os.environ["OPENAI_API_KEY"])\nopen("left.txt", "w").write(os.environ["OPENAI_API_KEY"])'],
        tmp_path,
    )
    assert sorted(holding(stub.planted, tmp_path)) == ["left.txt", "notebook.ipynb"]


@pytest.mark.parametrize("provider", CHAT)
def test_a_model_and_its_failure_do_not_show_the_key(stub: Any, provider: str) -> None:
    model = stub.chat(provider)
    with llm.metered() as usage:
        model.invoke("Hello")
        stub.mode = "401"
        with pytest.raises(UserError) as caught:
            model.invoke("Hello")
    shown = [repr(model), str(model), json.dumps(dumpd(model)), str(dict(model))]
    shown += [usage.calls.to_csv(), repr(usage), repr(caught.value), "".join(traceback.format_exception(caught.value))]
    assert [text for text in shown if stub.planted in text] == []


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a handler of the root logger would write, with logging at its most talkative."""
    before = logging.getLogRecordFactory()
    written: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler = Keep(level=logging.DEBUG)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.setLevel(level)
    root.removeHandler(handler)
    logging.setLogRecordFactory(before)


@pytest.mark.parametrize("guarded", [True, False])
def test_logs_of_the_clients_are_cleaned(stub: Any, records: list[str], guarded: bool) -> None:
    for provider in CHAT:
        model = stub.chat(provider, fresh=True)
        if not guarded:
            logging.setLogRecordFactory(logging.LogRecord)
        stub.mode = "401"
        with pytest.raises(UserError):
            model.invoke("Hello")
        stub.mode = "answer"
    assert len(records) > 50
    showing = [text for text in records if stub.planted in text]
    assert bool(showing) is not guarded  # without the guard, at least one client shows it


def test_a_bearer_token_for_bedrock_is_cleaned_from_logs(
    stub: Any, records: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "bedrock-api-key-planted-0123456789"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", token)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", stub.address.replace("http:", "https:"))
    with pytest.raises(UserError) as caught:  # the stub speaks no TLS; the request is written and logged before that
        stub.chat("bedrock").invoke("Hello")
    assert token not in str(caught.value)
    assert any("<key>" in text for text in records)
    assert [text for text in records if token in text] == []


def test_each_key_variable_is_cleaned_in_each_form(records: list[str], bare_environment: Any) -> None:
    guard_logs()
    guard_logs()
    log = logging.getLogger("somebody.elses")
    for name in SECRET_VARIABLES:
        secret = f"value-of-{name}-0123456789"
        bare_environment.setenv(name, secret)
        log.debug(f"as text {secret}")
        log.debug("as argument %s and %r", secret, secret.encode())
        log.debug("by name %(key)s", {"key": secret})
        try:
            raise RuntimeError(secret)
        except RuntimeError:
            log.exception("as traceback")
        assert len(records) == 4
        assert all("<key>" in text for text in records)
        assert not [text for text in records if secret in text]
        assert redact(f"a {secret} b") == "a <key> b"
        records.clear()


def test_other_records_stay_what_they_are(records: list[str], bare_environment: Any) -> None:
    guard_logs()
    bare_environment.setenv("OPENAI_API_KEY", "x")  # what a server without keys is given
    logging.getLogger("any").debug("text with %s in it", "an x")
    try:
        raise RuntimeError("x")
    except RuntimeError:
        logging.getLogger("any").exception("with a traceback")
    assert records[0] == "text with an x in it"
    assert "RuntimeError: x" in records[1]


# Put together here, so that this file holds none.
LOOK_LIKE_KEYS = [
    "sk" + "-proj-" + "a1B2c3D4" * 6,
    "sk" + "-ant-api03-" + "a1B2c3D4" * 6,
    "AK" + "IA" + "Q3EGTRNVX7KLMZ2P",
    "AB" + "SK" + "QmVkcm9ja0FQSUtleS" * 5,
    "a1B2" * 13 + "JQQ" + "J99" + "b3C4" * 6 + "d5",
    "lsv2" + "_pt_" + "0f" * 16 + "_0123456789",
    "gh" + "p_" + "a1B2c3D4e" * 4,
    "AI" + "za" + "a1B2c3D" * 5,
    "-----BEGIN RSA PRIVATE" + " KEY-----",
    'api_key="' + "0f1e2d3c" * 4 + '"',
    '\\"AZURE_OPENAI_API_KEY\\": \\"' + "0f1e2d3c" * 4 + '\\"',
    "Authorization: 'Bearer " + "0f1e2d3c" * 4 + "'",
]
NO_KEYS = [
    "risk-adjusted-mortality-2026-by-hospital-and-ward",
    "task-0123456789abcdef0123456789abcdef",
    "sha256: " + "0f1e2d3c" * 8,
    "api_key: the value of OPENAI_API_KEY",
    'os.environ["OPENAI_API_KEY"]',
    'api_key = os.environ.get("OPENAI_API_KEY")',
    "sk-planted-" + "0f1e2d3c" * 4,
]


@pytest.mark.parametrize("text", LOOK_LIKE_KEYS)
def test_what_looks_like_a_key_is_found_and_not_repeated(text: str) -> None:
    found = find_keys(f"before {text} after")
    assert len(found) == 1
    assert len(found[0]) <= 9


@pytest.mark.parametrize("text", NO_KEYS)
def test_what_is_no_key_is_left_alone(text: str) -> None:
    assert find_keys(f"before {text} after") == []


def committed() -> list[Path]:
    if not (ROOT / ".git").exists():  # an unpacked archive
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / os.fsdecode(name) for name in listed.split(b"\0") if name]


def test_no_committed_file_holds_a_key() -> None:
    files = [path for path in committed() if path.is_file()]
    assert len(files) > 100
    assert {"course", "data", "solutions", "src", "tests", "weeks_01-12"} <= {
        path.relative_to(ROOT).parts[0] for path in files
    }
    found = {str(path.relative_to(ROOT)): find_keys(path.read_text(encoding="latin-1")) for path in files}
    assert {name: keys for name, keys in found.items() if keys} == {}
