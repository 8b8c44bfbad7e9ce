"""The planted faults: one change a line, unguessable by position, and graded fairly."""

import orjson
import pandas as pd
import pytest

from carelab.fhir import read_ndjson, validate
from carelab.fhir.meaning import check, gather
from carelab.fhir.read import Resource
from carelab.paths import DATA
from carelab.synth.config import World
from carelab.synth.faults.corruptions import CORRUPTIONS, MEANING, SHAPE, Pool
from carelab.synth.faults.planting import NONE
from carelab.synth.faults.scoring import score
from carelab.synth.faults.traps import TRAPS, Data, load
from carelab.synth.streams import stream

SCHEMA = TRAPS[0]


@pytest.fixture(scope="session")
def faults(world: World) -> Data:
    return load(DATA, world)


@pytest.fixture(scope="session")
def clean() -> list[Resource]:
    return list(read_ndjson(DATA / "faults" / "clean.ndjson"))


def harm(figures: dict[str, float]) -> bool:
    return (
        figures["kinds_found_by_schema"] <= 10
        and figures["kinds_planted"] == 23
        and figures["false_alarms_of_schema"] == 0
    )


def test_a_schema_finds_less_than_half(faults: Data) -> None:
    figures = SCHEMA.measure(faults)
    assert harm(figures), figures
    assert figures["kinds_found_by_schema"] >= 9


def test_of_shapes_alone_a_schema_misses_little(faults: Data) -> None:
    kept = faults.truth["corruption"].isin([*SHAPE, NONE])
    lines = [line for line, keep in zip(faults.lines, kept, strict=True) if keep]
    truth = faults.truth[kept].assign(line=range(1, len(lines) + 1))
    figures = SCHEMA.measure(Data(lines, truth))
    assert not harm(figures), figures
    assert figures["faults_found_by_schema"] >= 0.9


def test_all_23_kinds_are_there(faults: Data, world: World) -> None:
    counts = faults.truth["corruption"].value_counts()
    assert len(SHAPE) == 10
    assert len(MEANING) == 13
    assert set(counts.index) == {*CORRUPTIONS, NONE}
    assert set(counts.drop(NONE)) == {world.faults.copies}
    assert counts[NONE] == world.faults.untouched


def test_the_truth_names_the_lines(faults: Data) -> None:
    assert faults.truth["line"].tolist() == list(range(1, len(faults.lines) + 1))
    assert faults.truth["id"].tolist() == [line["id"] for line in faults.lines]


def test_each_clean_resource_is_there_once_and_valid(clean: list[Resource]) -> None:
    names = [(r["resourceType"], r["id"]) for r in clean]
    assert len(set(names)) == len(names)
    assert 190 <= len(names) <= 210
    assert [r["id"] for r in clean if validate(r)] == []
    feed = {
        (r["resourceType"], r["id"]): r
        for kind in {k for k, _ in names}
        for r in read_ndjson(DATA / "fhir" / f"{kind}.ndjson")
    }
    assert all(feed[name] == r for name, r in zip(names, clean, strict=True))


def test_a_copy_differs_in_its_fault_only(faults: Data, clean: list[Resource]) -> None:
    sources = {r["id"]: r for r in clean}
    for line, row in zip(faults.lines, faults.truth.itertuples(), strict=True):
        source = sources[str(row.source_id)]
        differing = {key for key in line.keys() | source.keys() if line.get(key) != source.get(key)} - {"id"}
        if row.corruption in (NONE, "duplicate-id"):
            assert differing == set(), row
        else:
            assert 1 <= len(differing) <= (3 if row.corruption == "r5-shape" else 2), row


def test_position_tells_nothing(faults: Data) -> None:
    rank = faults.truth.groupby("corruption")["line"].mean() / len(faults.truth)
    assert rank.between(0.25, 0.75).all(), rank
    assert not any("fault" in line["id"] for line in faults.lines)


def test_only_duplicate_ids_are_double(faults: Data) -> None:
    ids = [(line["resourceType"], line["id"]) for line in faults.lines]
    feed = {(kind, r["id"]) for kind in {k for k, _ in ids} for r in read_ndjson(DATA / "fhir" / f"{kind}.ndjson")}
    double = {row.line for row, name in zip(faults.truth.itertuples(), ids, strict=True) if name in feed}
    assert double == set(faults.truth.loc[faults.truth["corruption"].eq("duplicate-id"), "line"])


def test_our_checker_finds_every_fault_and_accuses_nobody(faults: Data, clean: list[Resource]) -> None:
    index = gather(DATA / "fhir", DATA / "faults" / "corrupted.ndjson")

    def found(resource: Resource) -> list[str]:
        names = [problem.rule for problem in check(resource, index) if problem.severity == "error"]
        return names + ["schema"] * bool(validate(resource))

    graded = score({i: found(line) for i, line in enumerate(faults.lines, start=1)}, faults.truth)
    assert graded.kinds_found == 23, {kind: share for kind, share in graded.detection.items() if share < 1}
    assert graded.false_alarms == []
    assert {kind: graded.named[kind] for kind in MEANING} == dict.fromkeys(MEANING, 1.0)
    alone = gather(DATA / "fhir")
    errors = [str(p) for r in clean for p in check(r, alone) if p.severity == "error"]
    assert errors == []


def test_scoring_counts_what_was_found_and_what_was_not() -> None:
    truth = pd.DataFrame({"line": [1, 2, 3, 4], "corruption": ["us-date", "us-date", "r5-shape", NONE]})
    nothing = score({}, truth)
    assert nothing.kinds_found == 0
    assert nothing.false_alarms == []
    some = score({1: ["us-date"], 2: [], 3: ["something"], 4: ["us-date"]}, truth)
    assert some.detection == {"us-date": 0.5, "r5-shape": 1.0}
    assert some.named == {"us-date": 0.5, "r5-shape": 0.0}
    assert some.false_alarms == [4]
    assert (some.kinds_found, some.untouched) == (1, 1)
    with pytest.raises(ValueError, match="no line 9"):
        score({9: ["us-date"]}, truth)


def test_a_corruption_leaves_alone_what_it_does_not_apply_to(clean: list[Resource]) -> None:
    pool = Pool(stream(1, "test"), {}, {})
    slot = {"resourceType": "Basic", "id": "x", "code": {"text": "nothing to spoil"}}
    for name, corrupt in CORRUPTIONS.items():
        if name in ("unknown-element", "active-narrative", "duplicate-id"):
            continue
        copy = orjson.loads(orjson.dumps(slot))
        assert corrupt(copy, pool) is None, name
        assert copy == slot, name
