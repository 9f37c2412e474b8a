"""Writes test/data/parquet/fixtures/: small tables as pyarrow writes them, in its codecs, encodings and page versions,
and rows.json with what is in them.

    python test/data/parquet/generate.py        needs: pip install pyarrow
"""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FIXTURES = Path(__file__).parent / "fixtures"

# Repeated texts make dictionaries; distinct ones of more than a page's worth make their fall-back.
TEXTS = [f"žluťoučký kůň {i} ✓ 🐎" if i % 7 else "the same text" for i in range(60)]
NAMES = ["negative", "neutral", "positive"]
CLASSES = [i % 3 for i in range(60)]

ROWS = pa.table({"id": pa.array(range(60), pa.int64()), "text": TEXTS, "label": [NAMES[c] for c in CLASSES]})


def write(name, table, **options):
    pq.write_table(table, FIXTURES / f"{name}.parquet", **options)


def labels(name, values, type=None, **options):
    """A column of labels of some type beside texts."""
    column = pa.array(values, type)
    write(name, pa.table({"text": [f"text {i}" for i in range(len(column))], "label": column}), **options)


def main():
    FIXTURES.mkdir(exist_ok=True)
    for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
        write(f"codec-{codec}", ROWS, compression=codec, row_group_size=25)
    write("version-2", ROWS, data_page_version="2.0", compression="zstd", row_group_size=25)
    write("plain", ROWS, use_dictionary=False, data_page_size=200, write_batch_size=8)
    write("plain-2", ROWS, use_dictionary=False, data_page_version="2.0", data_page_size=200, write_batch_size=8)
    write("dictionary-full", ROWS, dictionary_pagesize_limit=200, data_page_size=300, write_batch_size=8)
    for encoding in ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]:
        for version in ["1.0", "2.0"]:
            write(
                f"{encoding.lower().replace('_', '-')}-{version[0]}",
                ROWS,
                use_dictionary=False,
                column_encoding={"text": encoding, "label": encoding, "id": "DELTA_BINARY_PACKED"},
                data_page_version=version,
            )
    required = pa.schema([pa.field(field.name, field.type, nullable=False) for field in ROWS.schema])
    write("required", ROWS.cast(required), data_page_version="2.0", compression="snappy")

    labels("labels-int64", [0, 1, 2**53 + 1, -5])
    labels("labels-int32-delta", [7, -1, 2**31 - 1], pa.int32(), use_dictionary=False,
           column_encoding={"label": "DELTA_BINARY_PACKED"})
    labels("labels-uint8", [0, 255, 3], pa.uint8())
    labels("labels-uint64", [0, 2**64 - 1], pa.uint64())
    labels("labels-bool", [True, False, True])
    labels("labels-bool-2", [True, False, True], data_page_version="2.0")
    labels("labels-float", [0.5, 3.0, -1e-3], pa.float32(), use_dictionary=False,
           column_encoding={"label": "BYTE_STREAM_SPLIT"})
    labels("labels-double", [0.1, 3.0, float("nan")], pa.float64())
    labels("labels-dictionary", pa.array(["b", "a", "b"]).dictionary_encode())
    labels("labels-null", ["a", None, "b"])
    labels("labels-date", [1, 2], pa.date32())
    labels("labels-list", [["a"], ["b", "c"]])

    features = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": NAMES, "_type": "ClassLabel"}}
    hugging_face = ROWS.drop_columns(["id", "label"]).append_column("label", pa.array(CLASSES, pa.int64()))
    description = json.dumps({"info": {"features": features}}).encode()
    write("class-label", hugging_face.replace_schema_metadata({"huggingface": description}))
    unlabelled = pa.table({"text": ["a", "b"], "label": pa.array([-1, 1], pa.int64())})
    write("class-label-none", unlabelled.replace_schema_metadata({"huggingface": description}))
    beyond = pa.table({"text": ["a", "b"], "label": pa.array([0, 3], pa.int64())})
    write("class-label-beyond", beyond.replace_schema_metadata({"huggingface": description}))

    nested = pa.table({
        "tags": [["x"], []],
        "answer": [{"text": "p", "start": 1}, {"text": "q", "start": 2}],
        "sentence1": ["a", "b"],
        "sentence2": ["c", "d"],
        "label": [1, 0],
    })
    write("nested", nested)
    write("text-null", pa.table({"text": ["a", None], "label": ["x", "y"]}))
    write("text-binary", pa.table({"text": pa.array([b"a", b"\xff\xfe"], pa.binary()), "label": ["x", "y"]}))
    write("text-number", pa.table({"text": [1, 2], "label": ["x", "y"]}))
    write("no-rows", ROWS.slice(0, 0))

    rows = [[text, NAMES[c]] for text, c in zip(TEXTS, CLASSES)]
    (FIXTURES / "rows.json").write_text(json.dumps(rows, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
