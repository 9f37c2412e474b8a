"""How the Rust tokenizers library (Oniguruma) splits texts at regular expressions.

    python test/parity/regexes.py       prints {"texts", "splits": [[pattern, [pieces of each text]]]}
"""

import json
import random
import sys
from pathlib import Path

from tokenizers import Regex, pre_tokenizers

sys.path.insert(0, str(Path(__file__).parents[1] / "tokenizer"))

from corpus import TEXTS
from families import CL100K, LLAMA, MANY

PATTERNS = [
    *[MANY, CL100K, LLAMA, r"^\S|\n$", r"$|^", r"a*", r"a{2}?|b{1,2}+|c{,2}", r"\w\W|\b|\B.", r"[^\S\n]+", r"\p{^Lu}\p{Ll}"],
    *[r"(?<=[\x61-e\u0301])\H++", r"\p{Han}+|\p{Greek}{2,3}+|\p{Latin}", r"(?>o+|oo)[kd-]", r"(?i:[ks]t|film|k)", r"\A.|.\z|.\Z"],
    *[r"\h+|\d+", r"x(?:y|z)?+|(?=t)th|(?!m)[l-n]|(?<!i)s", r"\s+\z|\s\Z", r"[\w\-]+|[\]\[^]", r"[a\-z]+|[-a]|[a-]", r".+"],
    *[r"{|}|{,}|a{,}|\{", r"[ -~]+", r"\p{P}|\p{S}+|\p{M}+|\p{Zs}", r"\/|\"|\-|\'|\_| ", r"\p{L}\p{M}*+", r"\p{N}+|\w", r""],
    *[r"\p{Arabic}+|\p{Hiragana}|\p{Katakana}|\p{Hangul}|\p{Cyrillic}", r"(?i)THE|k.|[^S]{2}s"],
]
LETTERS = "aabbcdefi thmoks STHKſK\n\n\r\t .-_09é中αΩ\u0301😀İß,]["

random.seed(3)
texts = TEXTS + ["".join(random.choice(LETTERS) for _ in range(random.randint(0, 40))) for _ in range(400)]
splits = []
for pattern in PATTERNS:
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    splits.append([pattern, [[piece for piece, _ in split.pre_tokenize_str(text)] for text in texts]])
print(json.dumps({"texts": texts, "splits": splits}))
