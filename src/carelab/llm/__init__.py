"""Language and embedding models behind LangChain's interfaces: recorded, local, or the reader's own provider.

What a notebook needs is here by name; the modules behind it are imported when first asked for, as some are heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from carelab.quiet import hush

if TYPE_CHECKING:
    from carelab.llm.access import Access as Access
    from carelab.llm.chat import chat_model as chat_model
    from carelab.llm.embed import embeddings as embeddings
    from carelab.llm.meter import Machine as Machine
    from carelab.llm.meter import Price as Price
    from carelab.llm.meter import metered as metered
    from carelab.llm.passages import quoted as quoted
    from carelab.llm.passages import read_documents as read_documents
    from carelab.llm.passages import split_passages as split_passages
    from carelab.llm.rerank import SentenceReranker as SentenceReranker
    from carelab.llm.retrieval import PassageIndex as PassageIndex

_HOME = {
    "Access": "access",
    "Machine": "meter",
    "PassageIndex": "retrieval",
    "Price": "meter",
    "SentenceReranker": "rerank",
    "chat_model": "chat",
    "embeddings": "embed",
    "metered": "meter",
    "quoted": "passages",
    "read_documents": "passages",
    "split_passages": "passages",
}

hush()


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
