"""Clean resources of the sample's feed, and corrupted copies of them in random order with untouched ones between."""

from pathlib import Path

import numpy as np
import orjson
import pandas as pd

from carelab.fhir.read import Resource, read_ndjson
from carelab.synth.config import World
from carelab.synth.faults.corruptions import CORRUPTIONS, CREATININE, NOBODY, Pool
from carelab.synth.streams import stream

NONE = "none"  # what the truth calls an untouched resource
README = f"""# Faults

A test for a checker of FHIR R4.

- `clean.ndjson`: resources of the feed in `../fhir/`, as they are there.
- `corrupted.ndjson`: copies of them under new ids (`<id>-f<number>`), in random order. In most of them one thing is
  wrong; some are untouched.

Protocol: read `../fhir/` and `corrupted.ndjson` together as one feed, so that references, double ids and birth dates can
be looked up, and say for each line of `corrupted.ndjson` whether something is wrong, and what. The copies have new ids,
so a double id is a fault, as is a reference to somebody who is nowhere (such as {NOBODY}). A checker is graded by
detection (each kind of fault) and by false alarms (untouched lines it complains about, and lines of `clean.ndjson`).

Ten kinds concern the shape, which a schema can check: {{shape}}.
Thirteen concern the meaning: {{meaning}}.

The answers are in `../truth/faults.parquet`: line (from 1), resource_type, id, source_id, corruption (`{NONE}` for an
untouched line), element.
"""


def derive(folder: Path, world: World) -> None:
    """Write `faults/` and `truth/faults.parquet` from the sample's feed."""
    clean = choose(folder / "fhir", world)
    lines, truth = plant(clean, folder / "fhir", world)
    target = folder / "faults"
    target.mkdir()
    for name, resources in (("clean", clean), ("corrupted", lines)):
        with (target / f"{name}.ndjson").open("wb") as file:
            file.writelines(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE) for resource in resources)
    names = list(CORRUPTIONS)
    text = README.format(shape=", ".join(f"`{n}`" for n in names[:10]), meaning=", ".join(f"`{n}`" for n in names[10:]))
    (target / "README.md").write_bytes(text.encode())
    truth.to_parquet(folder / "truth" / "faults.parquet", index=False, compression="zstd")


def choose(feed: Path, world: World) -> list[Resource]:
    """About 200 resources of the types in world.toml, each once, in the order of type and id.

    Half of the observations are creatinine, where a wrong unit shows.
    """
    chosen = []
    for kind, share in world.faults.clean.items():
        path = feed / f"{kind}.ndjson"
        if not path.is_file():
            continue
        rng = stream(world.seed, f"faults/choice/{kind}")
        found = list(read_ndjson(path))
        lots = rng.random(len(found))
        if kind == "Observation":
            codes = [r.get("code", {}).get("coding", [{}])[0].get("code") for r in found]
            lots = lots - np.array([code == CREATININE for code in codes]) * (np.arange(len(found)) % 2 == 0)
        keep = np.sort(np.argsort(lots, kind="stable")[: int(share)])
        chosen += [found[i] for i in keep]
    return chosen


def plant(clean: list[Resource], feed: Path, world: World) -> tuple[list[Resource], pd.DataFrame]:
    """Corrupted and untouched copies in random order, and the truth, one row a line.

    Each corruption gets the same number of copies, from resources it applies to, in turn.
    """
    rates = world.faults
    births = {f"Patient/{r['id']}": r["birthDate"] for r in read_ndjson(feed / "Patient.ndjson") if "birthDate" in r}
    used = {r["id"] for r in clean}
    kinds = dict.fromkeys(r["resourceType"] for r in clean)
    ids = {kind: [r["id"] for r in read_ndjson(feed / f"{kind}.ndjson") if r["id"] not in used] for kind in kinds}
    copies: list[tuple[Resource, str, str, str | None]] = []
    for name, corrupt in CORRUPTIONS.items():
        rng = stream(world.seed, f"faults/{name}")
        pool = Pool(rng, births, ids)
        todo = rates.copies
        # Several rounds, for a corruption that few resources can have.
        for i in np.concatenate([rng.permutation(len(clean)) for _ in range(4)]):
            copy = orjson.loads(orjson.dumps(clean[i]))
            if todo and (element := corrupt(copy, pool)):
                copies.append((copy, clean[i]["id"], name, element))
                todo -= 1
    rng = stream(world.seed, "faults/untouched")
    for i in rng.permutation(len(clean))[: rates.untouched]:
        copies.append((orjson.loads(orjson.dumps(clean[i])), clean[i]["id"], NONE, None))
    order = stream(world.seed, "faults/order").permutation(len(copies))
    lines, rows = [], []
    for line, i in enumerate(order, start=1):
        copy, source, name, element = copies[i]
        if copy["id"] == source:
            copy["id"] = f"{source}-f{line:04d}"
        lines.append(copy)
        rows.append((line, copy["resourceType"], copy["id"], source, name, element))
    truth = pd.DataFrame(rows, columns=["line", "resource_type", "id", "source_id", "corruption", "element"])
    return lines, truth.astype({"line": "int32"})
