"""Writes test/tokenizer/fixtures/encodings.jsonl.gz: small tokenizers, and what Python's tokenizers make of texts.

    python test/tokenizer/generate.py        needs: pip install tokenizers sentencepiece

Each line is one tokenizer, {"tokenizer", "json"}, or one encoding by it,
{"tokenizer", "text", "pair"?, "maxLength", "truncate", "ids", "typeIds"}.
"""

import gzip
import json
from pathlib import Path

from corpus import LONG, TEXTS
from families import FAMILIES

OUTPUT = Path(__file__).parent / "fixtures/encodings.jsonl.gz"
PAIRS = [(0, 3), (3, 0), (5, 5), (6, 5), (5, 6), (12, 4), (4, 12), (16, 15), (1, 16)]
# Splits of every behaviour are compared in test/parity; here two of them speak for all.
LEFT_OUT = [name for name in FAMILIES if name.startswith(("split-", "punctuation-"))]
KEPT = ["split-merged_with_next", "punctuation-removed"]
TOKENIZERS = {name: build() for name, build in FAMILIES.items() if name in KEPT or name not in LEFT_OUT}


def line(**fields):
    return json.dumps(fields, ensure_ascii=True, separators=(",", ":"))


def encoding(name, text, pair=None, max_length=512, truncate="head"):
    tokenizer = TOKENIZERS[name]
    tokenizer.enable_truncation(max_length, strategy="longest_first", direction="right" if truncate == "head" else "left")
    found = tokenizer.encode(text, pair)
    both = {} if pair is None else {"pair": pair}
    return line(
        tokenizer=name, text=text, **both, maxLength=max_length, truncate=truncate, ids=found.ids, typeIds=found.type_ids
    )


out = []
for name, tokenizer in TOKENIZERS.items():
    # Settings that must have no effect.
    tokenizer.enable_truncation(7, strategy="only_first")
    tokenizer.enable_padding(length=9)
    out.append(line(tokenizer=name, json=json.loads(tokenizer.to_str())))
    tokenizer.no_padding()
    out += [encoding(name, text) for text in TEXTS]
    out += [encoding(name, TEXTS[2], ""), encoding(name, "", ""), encoding(name, TEXTS[4], TEXTS[9])]
    out += [encoding(name, TEXTS[36], TEXTS[37])]
    for truncate in ("head", "tail"):
        out += [encoding(name, " ".join(LONG), None, most, truncate) for most in (3, 4, 9, 18)]
for a, b in PAIRS:
    first, second = " ".join(LONG[:a]), " ".join(reversed(LONG[:b]))
    for most in (5, 6, 7, 10, 11, 13, 14, 17, 22, 40):
        out += [encoding("uncased", first, second, most, truncate) for truncate in ("head", "tail")]
content = "\n".join(out) + "\n"
OUTPUT.write_bytes(gzip.compress(content.encode(), mtime=0))
print(f"{len(out)} lines, {len(content)} bytes, {OUTPUT.stat().st_size} compressed")
