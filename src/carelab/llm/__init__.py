"""Language and embedding models behind LangChain's interfaces: recorded, local, or the reader's own provider.

What a notebook needs is here by name; the modules behind it are imported when first asked for, as some are heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from carelab.quiet import hush

if TYPE_CHECKING:
    from carelab.llm.chat import chat_model as chat_model
    from carelab.llm.meter import Machine as Machine
    from carelab.llm.meter import Price as Price
    from carelab.llm.meter import metered as metered

_HOME = {
    "Machine": "meter",
    "Price": "meter",
    "chat_model": "chat",
    "metered": "meter",
}

__all__ = ["Machine", "Price", "chat_model", "metered"]

hush()


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
