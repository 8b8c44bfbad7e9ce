"""Language and embedding models behind LangChain's interfaces: recorded, local, or the reader's own provider.

What a notebook needs is here by name; the modules behind it are imported when first asked for, as some are heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from carelab.quiet import hush

if TYPE_CHECKING:
    from carelab.llm.chat import chat_model as chat_model

_HOME = {
    "chat_model": "chat",
}

__all__ = ["chat_model"]

hush()


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
