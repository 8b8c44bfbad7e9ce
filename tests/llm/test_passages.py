"""Policies to passages: what stands in them, what they are called, and which documents are refused."""

import json

import pandas as pd
import pytest

from carelab import paths
from carelab.errors import UserError
from carelab.llm.passages import NO_END, quoted, read_documents, split_passages

FRONT = "id: a-1\nstatus: approved\neffective_from: 2025-01-31\nroles: [nurse]\n"
BODY = "\n# A title\n\n## 1 First\n\nSome words.\n"


def write(folder, front=FRONT, body=BODY, name="a.md"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"---\n{front}---\n{body}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def documents():
    return read_documents()


@pytest.fixture(scope="module")
def passages(documents):
    return split_passages(documents)


def test_every_document_of_the_table_is_read(documents):
    table = pd.read_csv(paths.data("documents/index.csv"), dtype=str, keep_default_na=False).set_index("document_id")
    assert [d.id for d in documents] == sorted(table.index)
    for document in documents:
        row, held = table.loc[document.id], document.metadata
        for key in ("kind", "title", "payer", "service", "version", "effective_from", "effective_to", "status", "file"):
            assert held[key] == row[key]
        assert held["roles"] == row["roles"].split()
        assert str(held["from_day"]) == row["effective_from"].replace("-", "")
        assert held["to_day"] == int(row["effective_to"].replace("-", "") or NO_END)


def test_every_source_of_the_questions_is_a_passage(passages):
    asked = pd.read_parquet(paths.data("truth/policy_questions.parquet"))
    wanted = {source for listed in asked["sources"] for source in listed.split()}
    assert wanted
    assert wanted <= {passage.metadata["source"] for passage in passages}


def test_nothing_of_a_document_is_lost_or_made_up(documents, passages):
    for document in documents:
        parts = [p for p in passages if p.metadata["document_id"] == document.id]
        text = " ".join(part.page_content.split("\n\n", 1)[1] for part in parts).split()
        body = [line for line in document.page_content.splitlines() if not line.startswith("#")]
        assert text == " ".join(body).split()


def test_a_passage_begins_with_payer_title_and_heading(documents, passages):
    passage = next(p for p in passages if p.id == "lhp-cpap-v2#3.1")
    assert passage.page_content.startswith(f"Lakeshore Health Plan\n{passage.metadata['title']}\n3.1 ")
    assert passage.metadata | {"section": "3.1", "source": passage.id, "passage_id": passage.id} == passage.metadata
    bare = next(p for p in split_passages(documents, head=False) if p.id == passage.id)
    assert passage.page_content.endswith("\n\n" + bare.page_content)


def test_ids_are_unique_and_stay(documents, passages):
    ids = [p.id for p in passages]
    assert len(set(ids)) == len(ids)
    assert [p.id for p in split_passages(reversed(documents))] != ids
    assert {p.id for p in split_passages(documents[5:9])} <= set(ids)
    assert [(p.id, p.page_content) for p in split_passages(read_documents())] == [
        (p.id, p.page_content) for p in passages
    ]
    json.dumps([p.metadata for p in passages])


def test_a_long_section_is_cut_into_parts_that_overlap(tmp_path):
    sentences = " ".join(f"Sentence number {n} of a long section." for n in range(60))
    found = split_passages(read_documents(write(tmp_path, body=f"# T\n\n## 1 Long\n\n{sentences}\n")))
    assert [p.id for p in found[:3]] == ["a-1#1", "a-1#1/2", "a-1#1/3"]
    assert {p.metadata["source"] for p in found} == {"a-1#1"}
    texts = [p.page_content.split("\n\n", 1)[1] for p in found]
    assert all(len(text) <= 1000 for text in texts)
    for n in range(60):
        assert any(f"number {n} of" in text for text in texts)
    assert texts[0].split()[-1] in texts[1][:120]


def test_sections_by_number_by_words_and_twice(tmp_path):
    body = "Before.\n\n# T\n\nTop.\n\n## B.2 With\n\nx\n\n## How to appeal?\n\ny\n\n## How to appeal!\n\nz\n\n### Deep\n\nw\n"
    found = split_passages(read_documents(write(tmp_path, body=body)))
    assert [p.metadata["section"] for p in found] == ["0", "0-2", "B.2", "how-to-appeal", "how-to-appeal-2", "deep"]


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("id: a-1\nstatus: approved\neffective_from: 2025-01-31\n", "names no roles"),
        (FRONT.replace("[nurse]", "[]"), "names no roles"),
        (FRONT.replace("[nurse]", ""), "names no roles"),
        (FRONT.replace("[nurse]", "nurse"), "names no roles"),
        (FRONT.replace("[nurse]", "['']"), "names no roles"),
        (FRONT.replace("[nurse]", "[1]"), "names no roles"),
        (FRONT.replace("id: a-1\n", ""), "has no id"),
        (FRONT.replace("status: approved\n", ""), "has no status"),
        (FRONT.replace("effective_from: 2025-01-31\n", ""), "has no effective_from"),
        (FRONT.replace("2025-01-31", "31.01.2025"), "write it as 2025"),
        (FRONT.replace("2025-01-31", "2025-02-31"), "not YAML|write it as"),
        (FRONT + "effective_to: 2024-01-01\n", "before it starts"),
        (FRONT + "title: [\n", "not YAML"),
        ("- a\n- b\n", "key: value"),
    ],
)
def test_a_document_that_is_not_fit_is_refused_in_a_sentence(tmp_path, front, message):
    with pytest.raises(UserError, match=message):
        read_documents(write(tmp_path, front))


def test_folders_and_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="no Markdown file"):
        read_documents(tmp_path / "nowhere")
    (tmp_path / "b.md").write_text("# No front matter\n", encoding="utf-8")
    with pytest.raises(UserError, match="no front matter"):
        read_documents(tmp_path)
    (tmp_path / "b.md").write_bytes(b"---\n\xff\xfe\n---\n")
    with pytest.raises(UserError, match="UTF-8"):
        read_documents(tmp_path)
    (tmp_path / "b.md").unlink()
    write(tmp_path), write(tmp_path, name="b.md")
    with pytest.raises(UserError, match="Two documents are called a-1"):
        read_documents(tmp_path)


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path):
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbf" + f"---\n{FRONT}---\n{BODY}".replace("\n", "\r\n").encode())
    (found,) = split_passages(read_documents(tmp_path))
    assert found.page_content == "a-1\n1 First\n\nSome words."


HEAD = "document_id,status,effective_from,roles,service\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a-1,approved,2025-01-31,nurse compliance,x\n", "Make them agree"),
        ("a-1,approved,2024-01-31,nurse,x\n", "Make them agree"),
        ("a-1,draft,2025-01-31,nurse,x\n", "Make them agree"),
        ("a-2,approved,2025-01-31,nurse,x\n", "no file"),
        ("", "not in index.csv"),
    ],
)
def test_a_table_that_says_otherwise_is_refused(tmp_path, rows, message):
    (write(tmp_path) / "index.csv").write_text(HEAD + rows, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        read_documents(tmp_path)


def test_a_table_that_agrees_gives_the_short_names(tmp_path):
    (write(tmp_path) / "index.csv").write_text(HEAD + "a-1,approved,2025-01-31,nurse,cpap\n", encoding="utf-8")
    assert read_documents(tmp_path)[0].metadata["service"] == "cpap"


PASSAGE = (
    "The BMI is 40 or more, or it is 35 or more\nand the member has “type 2” diabetes – and doesn’t smoke. Pay $1,500."
)


@pytest.mark.parametrize(
    "text",
    [
        "The BMI is 40 or more", "the bmi IS 40   or more,", "35 or more and the member", '"type 2" diabetes', "“40 or more”",
        "type 2 diabetes - and doesn't smoke.", "Pay $1,500", "…and the member has", PASSAGE,
    ],
)  # fmt: skip
def test_words_that_stand_in_the_passage(text):
    assert quoted(PASSAGE, text)


@pytest.mark.parametrize(
    "text",
    ["", "  ", '""', "...", "BMI is 4", "The BMI is 45 or more", "0 or more", "35 or more or it", "member had", "$500"],
)
def test_words_that_do_not(text):
    assert not quoted(PASSAGE, text)
