"""Chat and embedding models of the reader's own provider, made by LangChain's own initialisers.

What can be known before the first request is checked before it: the name, the package, the variables that hold key,
address and region. Keys come from the environment, never from a cell.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from typing import Any

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel

from carelab.errors import UserError
from carelab.llm.failures import Remote, explain, plain_errors
from carelab.llm.keys import SECRET_VARIABLES, guard_logs

# A notebook's reader waits in front of it. One retry gets over a dropped connection or a short limit; a provider that
# asks for a pause is granted up to two minutes by the clients of OpenAI and Anthropic.
TIMEOUT = 60.0  # seconds for one attempt
RETRIES = 1  # attempts after the first; Ollama's client makes none


@dataclass(frozen=True)
class Provider:
    """How one provider is reached.

    chat, embed: its names in `init_chat_model` and `init_embeddings`; None when it offers no such models. package: what
    pip installs, whose bounds stand in pyproject.toml; module: what that package is imported as. needs: one group of
    environment variables for each thing needed, any one of a group being enough.
    """

    remote: Remote
    chat: str
    embed: str | None
    package: str
    module: str
    example: str
    needs: tuple[tuple[str, ...], ...] = ()


_OPENAI = Provider(
    remote=Remote(
        "OpenAI",
        ("OPENAI_API_KEY",),
        ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
        "check the name after `openai:`",
    ),
    chat="openai",
    embed="openai",
    package="langchain-openai",
    module="langchain_openai",
    example="openai:gpt-5-mini",
    needs=(("OPENAI_API_KEY",),),
)
_AZURE = Provider(
    remote=Remote(
        "Azure OpenAI",
        ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"),
        ("AZURE_OPENAI_ENDPOINT",),
        "write the deployment's name, not the model's, after `azure_openai:`, and check OPENAI_API_VERSION",
    ),
    chat="azure_openai",
    embed="azure_openai",
    package="langchain-openai",
    module="langchain_openai",
    example="azure_openai:<deployment>",
    needs=(
        ("AZURE_OPENAI_ENDPOINT",),
        ("OPENAI_API_VERSION",),
        ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"),
    ),
)
_ANTHROPIC = Provider(
    remote=Remote(
        "Anthropic",
        ("ANTHROPIC_API_KEY",),
        ("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL"),
        "check the name after `anthropic:`",
    ),
    chat="anthropic",
    embed=None,
    package="langchain-anthropic",
    module="langchain_anthropic",
    example="anthropic:claude-haiku-4-5",
    needs=(("ANTHROPIC_API_KEY",),),
)
_BEDROCK = Provider(
    remote=Remote(
        "Bedrock",
        ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"),
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME",),
        "check the name after `bedrock:` and that the region in AWS_REGION offers it",
    ),
    chat="bedrock_converse",
    embed="bedrock",
    package="langchain-aws",
    module="langchain_aws",
    example="bedrock:<model or inference profile>",
)
_OLLAMA = Provider(
    remote=Remote(
        "Ollama",
        ("OLLAMA_API_KEY",),
        ("OLLAMA_HOST",),
        "run `ollama pull` for it where Ollama runs, and check its name",
    ),
    chat="ollama",
    embed="ollama",
    package="langchain-ollama",
    module="langchain_ollama",
    example="ollama:llama3.2",
)

PROVIDERS: Mapping[str, Provider] = {
    "openai": _OPENAI,
    "azure_openai": _AZURE,
    "anthropic": _ANTHROPIC,
    "bedrock": _BEDROCK,
    "bedrock_converse": _BEDROCK,
    "ollama": _OLLAMA,
}

# Options that are a key, and headers that carry one. A function that fetches a token, as Azure's sign-in offers, is none.
_KEY_OPTION = re.compile(r"api_key|ad_token|auth_token|session_token|access_key|password|secret|credentials?$")
_KEY_HEADER = re.compile(r"authorization|api-key|token", re.IGNORECASE)


def _known(kind: str) -> str:
    shown = [f"`{p.example}`" for name, p in PROVIDERS.items() if name != "bedrock_converse" and getattr(p, kind)]
    return ", ".join(shown[:-1]) + f" or {shown[-1]}"


def _split(name: str, kind: str) -> tuple[Provider, str]:
    what = "A chat model" if kind == "chat" else "An embedding model"
    given, colon, model = name.partition(":")
    given, model = given.strip().lower().replace("-", "_"), model.strip()
    provider = PROVIDERS.get(given)
    form = f"is written provider:model, as in {_known('embed' if kind == 'embed' else 'chat')}"
    if not colon or not given or not model:
        raise UserError(f"{what} {form}; `{_safe(name)}` is not of this form.")
    if provider is None:
        raise UserError(f"{what} {form}; the provider `{_safe(given)}` is not one of these.")
    if getattr(provider, kind) is None:
        raise UserError(f"{provider.remote.name} has no embedding models; an embedding model {form}.")
    return provider, model


def _safe(name: str) -> str:
    """A name for a sentence, cut: somebody may have put a key where the name belongs."""
    return name if len(name) <= 30 else f"{name[:8]}…"


def _requirement(package: str) -> str:
    """The package with the bounds that pyproject.toml gives it, which is where the installed metadata come from."""
    try:
        lines = requires("carelab") or []
    except PackageNotFoundError:  # run from the sources, uninstalled
        return package
    for line in lines:
        found = re.match(rf"{re.escape(package)}\s*([<>=!~][^;]*)?(;|$)", line)
        if found:
            return package + (found[1] or "").strip()
    return package


def _check_package(provider: Provider) -> None:
    if find_spec(provider.module) is None:
        raise UserError(
            f"{provider.remote.name} needs a package that is not installed: run `%pip install "
            f'"{_requirement(provider.package)}"` in a cell, and restart the kernel.'
        )


def _set(name: str) -> bool:
    return bool(os.environ.get(name, "").strip())


def _check_settings(provider: Provider, options: Mapping[str, Any]) -> None:
    """Raise UserError when a key, an address or a region is missing, or cannot be one; asks nobody over the network."""
    name = provider.remote.name
    own_sign_in = any(option.endswith("token_provider") for option in options)
    missing = [
        f"({' or '.join(group)})" if len(group) > 1 else group[0]
        for group in provider.needs
        if not any(_set(variable) for variable in group) and not (own_sign_in and group == provider.remote.credentials)
    ]
    if provider is _BEDROCK:
        missing += _missing_for_aws(options)
    if missing:
        listed = ", ".join(missing[:-1]) + (" and " if missing[:-1] else "") + missing[-1]
        raise UserError(
            f"{name} needs {listed} in the environment: set what is missing before you start JupyterLab, never in a cell."
        )
    named = " ".join(provider.remote.credentials)
    for variable in SECRET_VARIABLES:
        if variable in named and re.search(r"[^\x21-\x7e]", os.environ.get(variable, "")):
            raise UserError(
                f"{name} cannot use {variable}: it holds a space, a line break or a letter that no key has."
            )


def _missing_for_aws(options: Mapping[str, Any]) -> list[str]:
    """What AWS's own search finds neither in the environment nor in its files; on an AWS machine it asks for its role."""
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    profile = options.get("credentials_profile_name")
    missing = []
    try:
        session = Session(profile=profile)
        region = options.get("region_name") or os.environ.get("AWS_REGION") or session.get_config_variable("region")
        if not region:
            missing.append("AWS_REGION")
        if not _set("AWS_BEARER_TOKEN_BEDROCK") and session.get_credentials() is None:
            missing.append(
                "(AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)"
            )
    except BotoCoreError:
        raise UserError(
            "Bedrock cannot use the AWS settings of this machine: check AWS_PROFILE and the files in ~/.aws, "
            "or sign in again."
        ) from None
    return missing


def _refuse_keys(options: Mapping[str, Any]) -> None:
    for option, value in options.items():
        inner = value.get("headers", value if "headers" in option else {}) if isinstance(value, Mapping) else {}
        carried = isinstance(inner, Mapping) and any(_KEY_HEADER.search(str(header)) for header in inner)
        if carried or (_KEY_OPTION.search(option) and not callable(value)):
            raise UserError(
                f"`{option}` has no place in a cell, where everybody who gets the notebook can read it: take it out, "
                "set the key in the environment, and have this key replaced."
            )


def _client_options(provider: Provider, model: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options, with time limit and retries where this provider's client looks for them."""
    timeout, retries = options.pop("timeout", TIMEOUT), options.pop("max_retries", RETRIES)
    if provider is _BEDROCK:
        from botocore.config import Config

        limits = Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"total_max_attempts": 1 + int(retries), "mode": "standard"},
        )
        given = options.pop("config", None)
        return {**options, "config": limits.merge(given) if given else limits}
    if provider is _OLLAMA:
        return {**options, "client_kwargs": {"timeout": timeout, **(options.pop("client_kwargs", None) or {})}}
    if provider is _AZURE:
        options.setdefault("azure_deployment", model)
        options.setdefault("base_url", None)  # else OPENAI_API_BASE, meant for OpenAI, would stand against the endpoint
    return {**options, "timeout": timeout, "max_retries": retries}


def _make(make: Callable[[], Any], provider: Provider, model: str) -> Any:
    """What `make` gives, with plain errors; a failure to make it is one sentence as well."""
    failure: UserError | None
    try:
        return plain_errors(make(), provider.remote)
    except ImportError:
        failure = UserError(
            f'{provider.remote.name} needs a package that does not load: run `%pip install --force-reinstall "'
            f'{_requirement(provider.package)}"` in a cell, and restart the kernel.'
        )
    except Exception as error:
        failure = explain(error, provider.remote, f"`{model}`") or UserError(
            f"{provider.remote.name} does not take these settings for `{model}`: check the options in the cell"
            f"{provider.remote.and_address}."
        )
    raise failure


def hosted_chat(
    name: str, *, temperature: float | None = 0.0, max_tokens: int | None = 512, **options: Any
) -> BaseChatModel:
    """A chat model of a provider, by `provider:model`: openai, azure_openai, anthropic, bedrock or ollama.

    temperature, max_tokens (tokens of the answer): None leaves the provider's own default, which some models insist on.
    options go to LangChain's class for this provider; `timeout` (seconds for an attempt, 60) and `max_retries` (1) mean
    the same for each. Raises UserError before any request when the name, the package, a key, an address or a region is
    missing, or when a key stands in the call; later, each failure of the provider is a UserError too.
    """
    from langchain.chat_models import init_chat_model

    provider, model = _split(name, "chat")
    _refuse_keys(options)
    _check_package(provider)
    _check_settings(provider, options)
    guard_logs()
    limit = "num_predict" if provider is _OLLAMA else "max_tokens"
    sampling = {
        key: value for key, value in {"temperature": temperature, limit: max_tokens}.items() if value is not None
    }
    if provider.module == "langchain_openai":
        options.setdefault("stream_usage", True)  # else a stream through another address reports no tokens
    settings = {**sampling, **_client_options(provider, model, options)}
    made: BaseChatModel = _make(
        lambda: init_chat_model(model, model_provider=provider.chat, **settings), provider, model
    )
    return made


def hosted_embeddings(name: str, **options: Any) -> Embeddings:
    """An embedding model of a provider, by `provider:model`: openai, azure_openai, bedrock or ollama.

    Options and errors as for `hosted_chat`. Texts are sent as they are: OpenAI's tokenizer, which LangChain would
    otherwise download to cut long texts, is not used, so a text that is too long is refused.
    """
    from langchain.embeddings import init_embeddings

    provider, model = _split(name, "embed")
    _refuse_keys(options)
    _check_package(provider)
    _check_settings(provider, options)
    guard_logs()
    if provider.module == "langchain_openai":
        options.setdefault("check_embedding_ctx_length", False)
    if provider is _BEDROCK:
        logging.getLogger("langchain_aws.embeddings.bedrock").addFilter(_without_traceback)
    settings = _client_options(provider, model, options)
    made: Embeddings = _make(lambda: init_embeddings(model, provider=str(provider.embed), **settings), provider, model)
    return made


def _without_traceback(record: logging.LogRecord) -> bool:
    """Langchain-aws logs each failure with traceback and the provider's text, and raises it; the sentence is enough."""
    return not (record.exc_info or record.exc_text)
