"""Random texts, and the ids that Python's tokenizers give for them.

    python test/parity/tokenizer_ids.py COUNT SEED OUTPUT

Writes OUTPUT/NAME/tokenizer.json for each tokenizer, and OUTPUT/encodings.jsonl: first a line with the texts, then
a line {"tokenizer", "ids", "typeIds"} for each with a list per text.
"""

import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tokenizer"))

from corpus import TEXTS
from families import FAMILIES, FULL

count, seed, output = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
random.seed(seed)

BLOCKS = [
    *[(0x0, 0x7F), (0x20, 0x7E), (0x80, 0x24F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x7FF), (0x800, 0xDFF)],
    *[(0xE00, 0x109F), (0x1100, 0x11FF), (0x1200, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x2BFF), (0x3000, 0x30FF)],
    *[(0x4E00, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7FF), (0xE000, 0xE0FF), (0xF900, 0xFFFF), (0x10000, 0x11FFF)],
    *[(0x12000, 0x16FFF), (0x1B000, 0x1BCFF), (0x1CC00, 0x1DFFF), (0x1E000, 0x1EFFF), (0x1F000, 0x1FAFF)],
    *[(0x20000, 0x3FFFF), (0xE0000, 0xE01FF), (0x10FF00, 0x10FFFF)],
]
SPACES = [" ", "  ", " " * 7, "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u200b", "\u2028", "\u0085", "\ufeff"]
MARKS = ["\u0301", "\u0327", "\u030a", "\u200d", "\ufe0f", "\u20e3", "\u3099", "\u094d", "\u093c", "\U0001f3fd", "\u1161"]
STARTS = ["\u0600", "\u06dd", "\u0d4e", "©", "®", "☺", "\uac00", "\uac01", "\u1100", "\u11a8", "\u0958", "\u00ad", "\u200c", "e", "ｶ"]
SPELLED = ["<s>", "</s>", "<pad>", "<unk>", "<mask>", "[CLS]", "[SEP]", "[MASK]", "[UNK]", "[PAD]", "<lft>", "<rgt>"]
SPELLED += ["<both>", "solo", "Normé", "norme\u0301", "<0x41>", "▁", "##", "</w>", "|||EMAIL|||", "<|endoftext|>", "'s", "'LL"]
WORDS = [word for text in TEXTS for word in text.split()]


def character():
    low, high = random.choice(BLOCKS)
    point = random.randint(low, high)
    return "" if 0xD800 <= point < 0xE000 else chr(point)


def run():
    low, high = random.choice(BLOCKS)
    points = [random.randint(low, high) for _ in range(random.randint(1, 6))]
    return "".join(chr(point) for point in points if not 0xD800 <= point < 0xE000)


PIECES = [
    character,
    run,
    lambda: random.choice(WORDS),
    lambda: random.choice(WORDS)[: random.randint(1, 9)],
    lambda: random.choice(SPACES),
    lambda: random.choice(SPACES),
    lambda: random.choice(MARKS),
    lambda: character() + random.choice(MARKS),
    lambda: "".join(random.choice(STARTS + MARKS) for _ in range(random.randint(1, 4))),
    lambda: random.choice(SPELLED),
    lambda: random.choice("0123456789,.'-_"),
]


def text():
    return "".join(random.choice(PIECES)() for _ in range(random.randint(0, 24)))


# Every code point that may be more than an ideograph or private: behind a letter, and between its neighbours.
points = [chr(p) for p in range(0xE0200) if not (0xD800 <= p < 0xE000 or 0x30000 <= p < 0xE0000)]
every = ["".join(points[i : i + 32]) + " a" + "a".join(points[i : i + 32]) for i in range(0, len(points), 32)]
# For those tokenizers that show what became of each.
SHOWING = ["uncased", "cased", "eurobert", "cl100k", "bpe-whitespace", "bpe-nmt", "bpe-digit", "punctuation-isolated"]
texts = [text() for _ in range(count)]


def shows(name):
    return name in SHOWING or name.startswith("bytes-")


with open(output / "encodings.jsonl", "w") as file:
    print(json.dumps({"texts": texts, "every": every}), file=file)
    for name, build in (FAMILIES | FULL).items():
        tokenizer = build()
        (output / name).mkdir()
        tokenizer.save(str(output / name / "tokenizer.json"))
        pairs = list(zip(texts, texts[1:] + texts[:1]))[::10]
        found = {
            "texts": [each.ids for each in tokenizer.encode_batch_fast(texts)],
            "every": [each.ids for each in tokenizer.encode_batch_fast(every)] if shows(name) else [],
            "pairs": [[each.ids, each.type_ids] for each in tokenizer.encode_batch(pairs)],
        }
        print(json.dumps({"tokenizer": name, **found}), file=file)
