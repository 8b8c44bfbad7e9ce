"""croissant.json: the data set described to programs, as JSON-LD of MLCommons Croissant 1.0.

Written by hand, so that building the data needs no further package. The truth is left out: what loads the data by this
description must not meet the answers.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from carelab.errors import UserError
from carelab.synth.documents import descriptions

FILE = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
# As the specification prints it; programs compare it word by word.
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
ENCODINGS = {
    ".parquet": "application/x-parquet", ".ndjson": "application/fhir+ndjson", ".csv": "text/csv",
    ".md": "text/markdown", ".json": "application/json", ".yaml": "application/yaml", ".hl7": "x-application/hl7-v2+er7",
    ".edi": "application/EDI-X12", ".txt": "text/plain", ".gz": "application/gzip",
}  # fmt: skip


def metadata(folder: Path, entries: Mapping[str, Mapping[str, Any]], version: str) -> dict[str, Any]:
    """The description of a built world.

    entries: sha256 and bytes of its files, by path. A feed in folders of its own becomes one FileSet a resource type;
    every other file outside the truth is a FileObject with its hash. Raises UserError for a column of a type that
    Croissant has no word for.
    """
    told = descriptions()
    shown = sorted(name for name in entries if not name.startswith("truth/") and name != FILE)
    pieces = [name for name in shown if name.startswith("fhir/") and name.count("/") == 2]
    tables = [name for name in shown if name.startswith("tables/")]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": "Lakeshore-Health",
        "description": "A synthetic health system for teaching decisions about machine learning: tables, and FHIR R4"
        " resources, of patients who never lived. What is planted in it, and the truth behind it, is not described here.",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "url": "https://example.org/lakeshore-health",
        "version": f"{version}.0",
        "isLiveDataset": False,
        "citeAs": f"Lakeshore Health, a synthetic health system, version {version}.",
        "creator": {"@type": "Organization", "name": "The authors of the course"},
        "keywords": ["synthetic data", "electronic health records", "FHIR", "education"],
        "personalSensitiveInformation": "None: nobody in it exists.",
        "dataBiases": "Shares and effects are design choices listed in CALIBRATION.md; race has no effect of its own.",
        "distribution": [
            *(_file_object(name, entries[name]) for name in shown if name not in set(pieces)),
            *_file_sets(pieces),
        ],
        "recordSet": [_record_set(folder, name, told["tables"]) for name in tables],
    }


def _file_object(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{entry['bytes']} B",
        "encodingFormat": ENCODINGS.get(Path(name).suffix, "application/octet-stream"),
        "sha256": entry["sha256"],
    }


def _file_sets(pieces: list[str]) -> list[dict[str, Any]]:
    """One set for each name that occurs in the folders of a feed; hashes of its files are in MANIFEST.json."""
    return [
        {
            "@type": "cr:FileSet",
            "@id": f"fhir/*/{name}",
            "name": f"fhir/*/{name}",
            "encodingFormat": ENCODINGS.get(Path(name).suffix, "application/octet-stream"),
            "includes": f"fhir/*/{name}",
        }
        for name in sorted({Path(piece).name for piece in pieces})
    ]


def _data_type(kind: pa.DataType, where: str) -> str:
    """Word of schema.org for a type of a Parquet column; a list has that of its members."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _data_type(kind.value_type, where)
    words = (
        (pa.types.is_boolean, "sc:Boolean"), (pa.types.is_integer, "sc:Integer"), (pa.types.is_floating, "sc:Float"),
        (pa.types.is_decimal, "sc:Float"), (pa.types.is_timestamp, "sc:DateTime"), (pa.types.is_date, "sc:Date"),
        (pa.types.is_string, "sc:Text"), (pa.types.is_large_string, "sc:Text"), (pa.types.is_null, "sc:Text"),
    )  # fmt: skip
    found = next((word for test, word in words if test(kind)), None)
    if found is None:
        raise UserError(f"{where} is of type {kind}, which croissant.json cannot name; write it as a simpler type.")
    return found


def _record_set(folder: Path, name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """A table with its columns; the first is the key where descriptions.toml calls it unique."""
    table = Path(name).stem
    schema, meaning = pq.read_schema(folder / name), told.get(table, {"text": "", "columns": {}})
    fields = []
    for column in schema:
        field = {
            "@type": "cr:Field",
            "@id": f"{table}/{column.name}",
            "name": column.name,
            "description": meaning["columns"].get(column.name, ""),
            "dataType": _data_type(column.type, f"{table}.{column.name}"),
            "source": {"fileObject": {"@id": name}, "extract": {"column": column.name}},
        }
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            field["repeated"] = True
        fields.append(field)
    found = {"@type": "cr:RecordSet", "@id": table, "name": table, "description": meaning["text"], "field": fields}
    key = schema.names[0]
    if "Unique." in meaning["columns"].get(key, ""):
        found["key"] = {"@id": f"{table}/{key}"}
    return found
