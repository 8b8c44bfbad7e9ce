"""One index, one filter: lexical, vector and hybrid search over the same passages, with access decided inside the query."""

import hashlib
import io
import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_qdrant import QdrantVectorStore, RetrievalMode
from pydantic import ConfigDict
from qdrant_client import QdrantClient, models

from carelab import files
from carelab.errors import UserError
from carelab.llm.access import Access
from carelab.llm.embed import embeddings, identity
from carelab.llm.lexical import Bm25

Mode = Literal["lexical", "vector", "hybrid"]
MODES: dict[str, RetrievalMode] = {
    "lexical": RetrievalMode.SPARSE,
    "vector": RetrievalMode.DENSE,
    "hybrid": RetrievalMode.HYBRID,
}
CANDIDATES = (
    20  # how many are fetched at least: hybrid search fuses two lists, and a reranker needs some to choose from
)
FORMAT = 1
_COLLECTION, _DENSE, _SPARSE = "passages", "dense", "bm25"
_FILES = ("passages.json", "vectors.npy")


class PassageIndex:
    """Passages with their vectors, and one way to search them, which no mode goes round.

    >>> index = llm.PassageIndex.build(llm.split_passages(llm.read_documents()))
    >>> index.search("How long is an approval valid?", llm.Access(role="nurse", as_of="2026-06-30"), k=3)

    The store is Qdrant inside the process: role, day, status and payer are part of each query, those that hybrid search
    fuses as well, so what a reader may not see is not scored, not counted and not cut off afterwards.
    """

    def __init__(self, passages: Sequence[Document], vectors: np.ndarray, model: Embeddings) -> None:
        """From passages and one vector each; `build` and `open` are the usual ways."""
        self.passages = list(passages)
        self.model = model
        self.roles = frozenset(role for passage in passages for role in passage.metadata["roles"])
        self._vectors = vectors
        self._by_id = {str(passage.id): passage for passage in passages}
        self._bm25 = Bm25(passage.page_content for passage in passages)
        client = QdrantClient(":memory:")
        client.create_collection(
            _COLLECTION,
            vectors_config={_DENSE: models.VectorParams(size=vectors.shape[1], distance=models.Distance.COSINE)},
            sparse_vectors_config={_SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
        sparse = self._bm25.embed_documents([passage.page_content for passage in passages])
        client.upsert(
            _COLLECTION,
            [
                models.PointStruct(
                    id=str(uuid.uuid5(uuid.NAMESPACE_URL, str(passage.id))),
                    vector={_DENSE: dense.tolist(), _SPARSE: models.SparseVector(**words.model_dump())},
                    payload={"page_content": passage.page_content, "metadata": passage.metadata},
                )
                for passage, dense, words in zip(passages, vectors, sparse, strict=True)
            ],
        )
        self._client = client

    @classmethod
    def build(
        cls, passages: Sequence[Document], model: Embeddings | None = None, folder: Path | str | None = None
    ) -> "PassageIndex":
        """Index passages, as `split_passages` makes them; keep the index in a folder, where one is given.

        model: `embeddings()` where not given. Raises UserError for passages without an id or a role, or with an id twice.
        """
        model = model or embeddings()
        _check(passages)
        passages = sorted(passages, key=lambda passage: str(passage.id))  # equal scores come in the order of the index
        made = model.embed_documents([passage.page_content for passage in passages])
        index = cls(passages, np.array(made, np.float32), model)
        if folder is not None:
            index.save(folder)
        return index

    def save(self, folder: Path | str) -> None:
        """Write passages and vectors as JSON and NumPy numbers, which hold no code: opening them cannot run any.

        (Qdrant's own local files are pickles, which can; and one process at a time may open them.)
        """
        vectors = io.BytesIO()
        np.save(vectors, self._vectors, allow_pickle=False)
        rows = [{"id": p.id, "text": p.page_content, "metadata": p.metadata} for p in self.passages]
        content = (json.dumps(rows, ensure_ascii=False, indent=1).encode(), vectors.getvalue())
        manifest = {
            "format": FORMAT, "model": identity(self.model), "corpus": corpus_hash(self.passages),
            "sha256": {name: hashlib.sha256(held).hexdigest() for name, held in zip(_FILES, content, strict=True)},
        }  # fmt: skip
        for name, held in zip(_FILES, content, strict=True):
            files.write(Path(folder) / name, held)
        files.write(Path(folder) / "manifest.json", json.dumps(manifest, indent=1))

    @classmethod
    def open(
        cls, folder: Path | str, model: Embeddings | None = None, passages: Sequence[Document] | None = None
    ) -> "PassageIndex":
        """An index that was kept in a folder; any number of processes may open it.

        model: has to be the one it was built with, as vectors of two models cannot be compared. passages: those of
        today's documents, to be told when the index was built from others. Raises UserError when the folder holds no
        index, or a damaged one, or one of another model or other passages.
        """
        model = model or embeddings()
        again = "Build it again with PassageIndex.build."
        try:
            manifest = json.loads((Path(folder) / "manifest.json").read_text(encoding="utf-8"))
            held = [(Path(folder) / name).read_bytes() for name in _FILES]
            known = manifest["format"] == FORMAT and set(manifest["sha256"]) == set(_FILES)
            built_with, corpus = str(manifest["model"]), str(manifest["corpus"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"The folder {folder} holds no index of passages, or a damaged one. {again}") from error
        if not known:
            raise UserError(f"The index in {folder} was written by another version of the course. {again}")
        for name, content in zip(_FILES, held, strict=True):
            if hashlib.sha256(content).hexdigest() != manifest["sha256"][name]:
                raise UserError(f"The index in {folder} is damaged: {name} is not what was written. {again}")
        if built_with != identity(model):
            raise UserError(
                f"The index in {folder} was built with the model {built_with}, not with {identity(model)}. {again}"
            )
        if passages is not None and corpus != corpus_hash(passages):
            raise UserError(f"The index in {folder} was built from other passages than today's. {again}")
        try:
            rows = json.loads(held[0])
            vectors = np.load(io.BytesIO(held[1]), allow_pickle=False)
            found = [Document(row["text"], id=row["id"], metadata=row["metadata"]) for row in rows]
            _check(found)
            return cls(found, vectors, model)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise UserError(f"The index in {folder} is damaged. {again}") from error

    @classmethod
    def open_or_build(
        cls, folder: Path | str, passages: Sequence[Document], model: Embeddings | None = None
    ) -> "PassageIndex":
        """The index of these passages that is kept in a folder; built anew where there is none, or another."""
        model = model or embeddings()
        try:
            return cls.open(folder, model, passages)
        except UserError:
            return cls.build(passages, model, folder)

    def search(
        self, question: str, access: Access, k: int = 5, mode: Mode = "hybrid",
        reranker: BaseDocumentCompressor | None = None,
    ) -> list[Document]:  # fmt: skip
        """The k best passages that access allows, the best first; fewer where it allows fewer.

        mode: `lexical` (BM25), `vector`, or `hybrid`, which fuses the ranks of the two (reciprocal rank fusion). reranker:
        puts the best of it in another order; any LangChain document compressor. Each passage's metadata has its score.
        Raises UserError without access, for a role that no document names, for an empty question.
        """
        found = []
        for document, score in self.search_with_scores(question, access, k, mode, reranker):
            document.metadata["score"] = score
            found.append(document)
        return found

    def search_with_scores(
        self, question: str, access: Access, k: int = 5, mode: Mode = "hybrid",
        reranker: BaseDocumentCompressor | None = None,
    ) -> list[tuple[Document, float]]:  # fmt: skip
        """As `search`, with the scores beside the passages.

        A threshold for refusing can be set on the score of `lexical` (BM25, from 0 up, larger for longer questions) and of
        `vector` (the cosine, -1 to 1): see `evidence`. `hybrid` is made of ranks: its best passage has much the same score
        whether it answers or not, so a threshold on it means little. With a reranker, the score it gives.

        BM25 weighs a word by how many passages have it, those that access hides among them: a score can hint that a rare
        word stands elsewhere, never where or in what words. (Counting only what access allows costs 3 points of MRR.)
        """
        if not isinstance(access, Access):
            raise UserError("A search needs an Access: who asks, and for which day. Without it nothing is shown.")
        if access.role not in self.roles:
            raise UserError(
                f"No document names the role {access.role!r}; the roles are {', '.join(sorted(self.roles))}."
            )
        if mode not in MODES:
            raise UserError(f"There is no search mode {mode!r}; choose {', '.join(MODES)}.")
        if not isinstance(question, str) or not question.strip():
            raise UserError("The question is empty; give it a few words.")
        if not 1 <= k <= len(self.passages):
            raise UserError(f"Ask for 1 to {len(self.passages)} passages, not {k}.")
        found = self._allowed(question, access.filter(), max(k, CANDIDATES), mode)
        if reranker is not None and found:
            found = _reranked(reranker, question, found)
        return found[:k]

    def evidence(self, question: str, access: Access) -> dict[str, float]:
        """The best lexical and the best vector score: what a decision to refuse can rest on; 0 where nothing is found.

        A low score says that what access allows does not speak of the question; a high one does not say that it is
        answered. Choose the threshold on labelled questions (`benchmarks/retrieval.py` does it on one half of the
        course's and measures it on the other).
        """
        modes: tuple[Mode, ...] = ("lexical", "vector")
        return {mode: next((s for _, s in self.search_with_scores(question, access, 1, mode)), 0.0) for mode in modes}

    def retriever(
        self, access: Access, k: int = 5, mode: Mode = "hybrid", reranker: BaseDocumentCompressor | None = None
    ) -> "PassageRetriever":
        """A LangChain retriever for one reader; who that is cannot be changed by whoever calls it."""
        return PassageRetriever(index=self, access=access, k=k, mode=mode, reranker=reranker)

    def store(self, mode: Mode) -> QdrantVectorStore:
        """LangChain's vector store below, which filters nothing by itself: to measure what the filter is for."""
        return QdrantVectorStore(
            self._client, _COLLECTION, embedding=self.model, retrieval_mode=MODES[mode], vector_name=_DENSE,
            sparse_embedding=self._bm25, sparse_vector_name=_SPARSE, validate_embeddings=False,
            validate_collection_config=False,
        )  # fmt: skip

    def _allowed(
        self, question: str, conditions: models.Filter, limit: int, mode: Mode
    ) -> list[tuple[Document, float]]:
        """The one query. Equal scores are put in the order of their ids, so that every machine shows the same."""
        found = self.store(mode).similarity_search_with_score(question, k=limit, filter=conditions)
        rows = [(self._by_id[document.metadata["passage_id"]], float(score)) for document, score in found]
        rows.sort(key=lambda row: (-round(row[1], 6), str(row[0].id)))
        return [(passage.model_copy(deep=True), score) for passage, score in rows]


class PassageRetriever(BaseRetriever):
    """An index as one reader may use it, for LangChain's chains and agents."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    index: PassageIndex
    access: Access
    k: int = 5
    mode: Mode = "hybrid"
    reranker: BaseDocumentCompressor | None = None

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return self.index.search(query, self.access, self.k, self.mode, self.reranker)


def corpus_hash(passages: Sequence[Document]) -> str:
    """The sha256 of passages with their metadata, in any order: another word or another role gives another."""
    rows = sorted(json.dumps([p.id, p.page_content, p.metadata], sort_keys=True, default=str) for p in passages)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _check(passages: Sequence[Document]) -> None:
    """Refuse what could not be filtered or cited."""
    if not passages:
        raise UserError("There is no passage to index; read some documents first.")
    seen: set[str] = set()
    for passage in passages:
        name = passage.metadata.get("passage_id")
        if not name or passage.id != name or name in seen:
            raise UserError(
                f"A passage needs an id of its own, the same in metadata['passage_id']; mend {name or passage.id}."
            )
        roles = passage.metadata.get("roles")
        if not isinstance(roles, list) or not roles or not all(isinstance(role, str) and role for role in roles):
            raise UserError(f"The passage {name} names no roles, so nobody may read it; give its document some.")
        seen.add(name)


def _reranked(
    reranker: BaseDocumentCompressor, question: str, found: list[tuple[Document, float]]
) -> list[tuple[Document, float]]:
    """The candidates in the reranker's order. What it returns names candidates, or is refused: it cannot add a passage."""
    candidates = {str(document.id): document for document, _ in found}
    given = [
        Document(document.page_content, id=document.id, metadata=document.metadata | {"score": score})
        for document, score in found
    ]
    ordered = reranker.compress_documents(given, question)
    rows: dict[str, tuple[Document, float]] = {}
    for rank, document in enumerate(ordered):
        name = str(document.metadata.get("passage_id"))
        if name not in candidates:
            raise UserError(f"The reranker returned {name}, which the search had not found; use another reranker.")
        score: Any = document.metadata.get("relevance_score", -rank)
        rows.setdefault(name, (candidates[name], float(score)))
    return list(rows.values())
