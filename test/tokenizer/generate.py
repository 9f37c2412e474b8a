"""Writes test/tokenizer/fixtures/encodings.jsonl: small tokenizers, and what Python's tokenizers make of texts.

    python test/tokenizer/generate.py        needs: pip install tokenizers

Each line is one tokenizer, {"tokenizer", "json"}, or one encoding by it,
{"tokenizer", "text", "pair"?, "maxLength", "truncate", "ids", "typeIds"}.
"""

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUTPUT = Path(__file__).parent / "fixtures/encodings.jsonl"
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "the a this film movie is was not good bad very un ##believ ##able ##ing ##s ##ed plot acting and".split()

TEXTS = [
    "",
    " \t\r\n ",
    "The movie was unbelievably good, and the acting ... not bad!",
    "ISN'T it? (50% off) $3.99 #1 a_b a-b e.g. x=y <tag> `code` ~^|",
    "Café naïve résumé ÅNGSTRÖM Ž",
    "cafe\u0301 n\u0303o\u0308 A\u030a\u0316\u0301 q\u0307\u0323",
    "İstanbul ISPARTA ıssız Straße ẞ ﬁne ﬀ ĳ",
    "ΟΔΥΣΣΕΥΣ ΣΑΣ σ ς Σ ΑΣ. άέήίό",
    "Съешь ещё этих булок Й й Ё",
    "中文字符 mixed中with漢字。日本語のテキスト、カタカナ ﾊﾝｶｸ",
    "𠀀𪜀𫝀𫠠𬺰 﨑 豈 〇 㐀",
    "한국어 각 각 힣",
    "हिन्दी में क़ ज़ पाठ",
    "ภาษาไทย ทำ កម្ពុជា",
    "עִבְרִית שָׁלוֹם العَرَبِيَّة ـــ ۱۲۳",
    "😀 a😀b 👩‍👩‍👧 ☕️ 🇩🇪 ❤️ ©®™",
    "zero\u200bwidth joi\u200dner soft\u00adhyphen bom\ufeff word\u2060joiner",
    "ctl\u0000a\u0007b\u001fc\u007fd\u0085e tab\tnew\nline\rret\u000bvt\u000cff",
    "nb\u00a0sp en\u2002em\u2003 id\u3000thin\u2009 line\u2028par\u2029",
    "repl\ufffdaced private\ue000use tag\U000e0041s",
    "a\u061db \u2e53x ₿ ⸻ \U0001e5ff \u1acf",  # punctuation and marks of newer Unicode versions
    "x\u0897y \u1c89 \ua7cb q\u1ac1r",
    "a" * 100 + " " + "a" * 101,
    "supercalifragilistic" * 12,
    "x" * 300 + " good",
    "“curly” ‘quotes’ – dash — em … ¿qué? ¡sí! «guillemets» §¶†‡•",
    "½ ² ³ ¹ Ⅷ ㎏ ℃ № ﷺ",
    "text with [SEP] inside and [MASK] too [sep] [CLS][PAD]",
    "## ##s a##s [UNK]",
    "ﾠ\u115f\u1160 \u034f \u17b4",
    "\U0001d400\U0001d7ce \U00010400\U00010428 \U0001f1e6",
    "a\u0300\u0301\u0302\u0303\u0304b \u0301start",
    "ǅ ǆ Ǆ ŉ ΐ ᾳ ΅",
]
LONG = "this movie is not good and the plot was very bad , a film the acting is bad".split()
PAIRS = [(0, 3), (3, 0), (5, 5), (6, 5), (5, 6), (12, 4), (4, 12), (16, 15), (1, 16)]


def bert(lowercase, processor):
    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    split = pre_tokenizers.BertPreTokenizer()
    seen = set()
    for text in TEXTS + WORDS:
        seen.update(char for word, _ in split.pre_tokenize_str(normalizer.normalize_str(text)) for char in word)
    # Every fifth character beyond ASCII is left out, so that some words are unknown.
    beyond = [char for char in sorted(seen) if ord(char) > 127]
    known = sorted({char for char in seen if ord(char) < 128} | {c for i, c in enumerate(beyond) if i % 5})
    tokens = list(dict.fromkeys(SPECIALS + WORDS + known + ["##" + char for char in known]))
    model = models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]", max_input_chars_per_word=100)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = split
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processor
    return tokenizer


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([" ".join(LONG)] * 3 + TEXTS[:4], trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer


TEMPLATE = processors.TemplateProcessing(
    single="[CLS]:0 $A:0 [SEP]:0",
    pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
    special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
)
TOKENIZERS = {
    "uncased": bert(True, TEMPLATE),
    "cased": bert(False, processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))),
    "roberta": byte_level(),
}


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
    for truncate in ("head", "tail"):
        out += [encoding(name, " ".join(LONG), None, most, truncate) for most in (3, 4, 9, 18)]
for a, b in PAIRS:
    first, second = " ".join(LONG[:a]), " ".join(reversed(LONG[:b]))
    for most in (5, 6, 7, 10, 11, 13, 14, 17, 22, 40):
        out += [encoding("uncased", first, second, most, truncate) for truncate in ("head", "tail")]
OUTPUT.write_text("\n".join(out) + "\n")
print(len(out), "lines")
