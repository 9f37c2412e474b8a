"""Small tokenizers of every shape that the BERT family and its relatives use, by name."""

import io
import json
from functools import cache
from tempfile import NamedTemporaryFile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from corpus import LONG, TEXTS, WORDS

BERT_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
SENTENCES = [" ".join(LONG)] * 3 + TEXTS[2:9] + TEXTS[37:43]
ALPHABET = pre_tokenizers.ByteLevel.alphabet()

# Tokens with every flag, for the texts that spell them.
FLAGGED = [
    AddedToken("<lft>", lstrip=True, normalized=False),
    AddedToken("<rgt>", rstrip=True, normalized=False),
    AddedToken("<both>", lstrip=True, rstrip=True, normalized=False),
    AddedToken("solo", single_word=True, normalized=False),
    AddedToken("Normé", normalized=True),
]


def bert_template(cls, sep):
    return processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
    )


ROBERTA_TEMPLATE = processors.TemplateProcessing(
    single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
)


@cache
def charsmap(rule):
    """SentencePiece's compiled normalization rules: a standard one by name, or `small`, a few rules of their kinds."""
    output = io.BytesIO()
    with NamedTemporaryFile("w", suffix=".tsv") as file:
        file.writelines(f"{a}\t{b}\n" for a, b in SMALL_RULES)
        file.flush()
        named = {"normalization_rule_tsv": file.name} if rule == "small" else {"normalization_rule_name": rule}
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([" ".join(LONG)] * 20), model_writer=output, vocab_size=28, minloglevel=2, **named
        )
    return sentencepiece_model_pb2.ModelProto.FromString(output.getvalue()).normalizer_spec.precompiled_charsmap


def points(*values):
    return " ".join(f"{value:X}" for value in values)


# Control characters removed, spaces unified, letters with a mark composed, compatibility forms decomposed.
SMALL_RULES = (
    [(points(c), "") for c in (1, 7, 0x1F, 0x7F, 0xAD)]
    + [(points(c), "20") for c in (9, 10, 13, 0xA0, 0x200B, 0x200D, 0x2003, 0x3000, 0xFEFF)]
    + [(points(0x65, 0x301), points(0xE9)), (points(0x6E, 0x303), points(0xF1)), (points(0x304B, 0x3099), points(0x304C))]
    + [(points(0xFF76, 0xFF9E), points(0x30AC)), (points(0xFF76), points(0x30AB)), (points(0xFB01), points(0x66, 0x69))]
    + [(points(0xFF21 + i), points(0x41 + i)) for i in range(26)]
    + [(points(0xBD), points(0x31, 0x2044, 0x32)), (points(0x2026), points(0x2E, 0x2E, 0x2E)), (points(0x1D400), "41")]
    + [(points(0x915, 0x93C), points(0x958)), (points(0x2581), "20")]
)


def word_piece(normalizer, processor, specials=BERT_SPECIALS, unk="[UNK]", split=None):
    split = split or pre_tokenizers.BertPreTokenizer()
    seen = set()
    for text in TEXTS + WORDS:
        seen.update(char for word, _ in split.pre_tokenize_str(normalizer.normalize_str(text)) for char in word)
    # Every fifth character beyond ASCII is left out, so that some words are unknown.
    beyond = [char for char in sorted(seen) if ord(char) > 127]
    known = sorted({char for char in seen if ord(char) < 128} | {c for i, c in enumerate(beyond) if i % 5})
    tokens = list(dict.fromkeys(specials + WORDS + known + ["##" + char for char in known]))
    model = models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token=unk, max_input_chars_per_word=100)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processor
    return tokenizer


def bert(lowercase, processor):
    tokenizer = word_piece(normalizers.BertNormalizer(lowercase=lowercase), processor)
    tokenizer.add_special_tokens(BERT_SPECIALS)
    return tokenizer


def mpnet():
    specials = ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"]
    tokenizer = word_piece(normalizers.BertNormalizer(lowercase=True), ROBERTA_TEMPLATE, specials)
    tokenizer.add_special_tokens(specials[:-1] + [AddedToken("<mask>", lstrip=True, normalized=False)])
    tokenizer.add_tokens(FLAGGED)
    return tokenizer


def byte_level(specials, processor, size=330, split=None, normalizer=None, **settings):
    tokenizer = Tokenizer(models.BPE(**settings))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = split or pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials, initial_alphabet=ALPHABET, show_progress=False)
    tokenizer.train_from_iterator([" ".join(LONG)] * 3 + TEXTS[:4], trainer)
    tokenizer.post_processor = processor
    return tokenizer


def roberta(prefix):
    processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=prefix)
    tokenizer = byte_level(ROBERTA_SPECIALS, processor, split=pre_tokenizers.ByteLevel(add_prefix_space=prefix))
    if prefix:
        tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
        tokenizer.add_tokens(FLAGGED)
    return tokenizer


def deberta():
    specials = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]
    processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 0), ("[SEP]", 2)]
    )
    tokenizer = byte_level(specials, processor)
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True, normalized=True)])
    return tokenizer


def modern_bert():
    specials = ["<|padding|>", "<|endoftext|>"]
    tokenizer = byte_level(specials, None, 360, normalizer=normalizers.NFC(), unk_token=None)
    tokenizer.add_tokens([AddedToken(" " * count, normalized=True) for count in range(24, 1, -1)])
    tokenizer.add_tokens([AddedToken("|||EMAIL|||", normalized=True), *FLAGGED])
    tokenizer.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", "[PAD]", AddedToken("[MASK]", lstrip=True, normalized=False)])
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
    )
    return tokenizer


LLAMA = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s+"
)


# What else of Oniguruma's syntax is taken over.
MANY = (
    r"^\S|\w\W(?!\p{^Lu})|\bth\B|[^\S\n]{2}?\d|(?<=[\x61-e\u0301])\H++[\-\]a]|\p{Han}|\p{Greek}{2,3}+|(?>o+|oo)[kd-]"
    r"|\[x|(?i:[ks]t|film)|\.{,2}\z|a\Z|x$"
)


def llama_split(pattern):
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False)
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def euro_bert(pattern):
    processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), bert_template(0, 1)])
    return byte_level(["[CLS]", "[SEP]", "[PAD]"], processor, split=llama_split(pattern), ignore_merges=True)


def unigram(specials, unk, normalizer, split, processor, size=300):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = split
    trainer = trainers.UnigramTrainer(vocab_size=size, special_tokens=specials, unk_token=unk, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processor
    return tokenizer


SPACES = normalizers.Replace(Regex(" {2,}"), " ")


def xlm_roberta(rule="small"):
    normalizer = normalizers.Sequence([normalizers.Precompiled(charsmap(rule)), SPACES])
    tokenizer = unigram(ROBERTA_SPECIALS, "<unk>", normalizer, pre_tokenizers.Metaspace(), ROBERTA_TEMPLATE)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    tokenizer.add_tokens(FLAGGED)
    return tokenizer


def xlm_roberta_old():
    """As older versions wrote it: with add_prefix_space and str_rep."""
    split = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    precompiled = normalizers.Precompiled(charsmap("small"))
    tokenizer = unigram(ROBERTA_SPECIALS, "<unk>", precompiled, split, ROBERTA_TEMPLATE)
    parts = json.loads(tokenizer.to_str())
    old = {"type": "Metaspace", "replacement": "▁", "str_rep": "▁", "add_prefix_space": True}
    parts["pre_tokenizer"]["pretokenizers"][1] = old
    parts["pre_tokenizer"]["pretokenizers"][0] = {"type": "WhitespaceSplit"}
    return Tokenizer.from_str(json.dumps(parts))


def camembert():
    specials = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>"]
    normalizer = normalizers.Sequence([normalizers.Replace("\n", " "), normalizers.Strip(True, False), SPACES])
    split = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer = unigram(specials, "<unk>", normalizer, split, None)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=True)])
    tokenizer.add_tokens(FLAGGED)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 5), ("</s>", 6)]
    )
    return tokenizer


def albert(rule="small"):
    steps = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(), normalizers.StripAccents()]
    steps += [normalizers.Lowercase(), normalizers.Precompiled(charsmap(rule)), SPACES]
    specials = ["<pad>", "<unk>", "[CLS]", "[SEP]"]
    normalizer = normalizers.Sequence(steps)
    tokenizer = unigram(specials, "<unk>", normalizer, pre_tokenizers.Metaspace(), bert_template(2, 3))
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True, normalized=False)])
    tokenizer.add_tokens(FLAGGED)
    return tokenizer


def deberta_v2(rule="small"):
    normalizer = normalizers.Sequence([normalizers.Strip(), normalizers.Precompiled(charsmap(rule)), SPACES])
    specials = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    tokenizer = unigram(specials, "[UNK]", normalizer, pre_tokenizers.Metaspace(), bert_template(1, 2))
    tokenizer.add_special_tokens(["[MASK]"])
    return tokenizer


def unigram_bytes():
    """Byte fallback, no space before the text, words not split."""
    split = pre_tokenizers.Metaspace(prepend_scheme="never", split=False)
    tokenizer = unigram(["<unk>"], "<unk>", normalizers.NFKC(), split, None)
    parts = json.loads(tokenizer.to_str())
    parts["model"]["byte_fallback"] = True
    parts["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
    return Tokenizer.from_str(json.dumps(parts))


def llama():
    """SentencePiece's BPE as converted: byte fallback, no pre-tokenizer."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    specials = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer.train_from_iterator(
        [" ".join(LONG)] * 3, trainers.BpeTrainer(vocab_size=330, special_tokens=specials, show_progress=False)
    )
    parts = json.loads(tokenizer.to_str())
    parts["added_tokens"] = parts["added_tokens"][:3]
    return Tokenizer.from_str(json.dumps(parts))


def bpe_words(split, normalizer=None, fuse=False):
    """Tokens that say whether they begin or end a word, so that their ids show where words were split."""
    seen = {char for text in TEXTS for char in (normalizer.normalize_str(text) if normalizer else text)}
    known = [char for i, char in enumerate(sorted(seen)) if ord(char) < 128 or i % 5]
    tokens = ["<unk>"] + [p + char + s for char in known for p in ("", "##") for s in ("", "</w>")]
    tokens += [token for token in ("th", "##he</w>", "the</w>", "##oo", "##ood</w>") if token not in tokens]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    merges = [("t", "##h"), ("##h", "##e</w>"), ("t", "##he</w>"), ("##o", "##o"), ("##oo", "##d</w>")]
    model = models.BPE(
        vocabulary, merges, unk_token="<unk>", continuing_subword_prefix="##", end_of_word_suffix="</w>", fuse_unk=fuse
    )
    tokenizer = Tokenizer(model)
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = split
    return tokenizer


def steps(*parts):
    return pre_tokenizers.Sequence(list(parts))


BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
ASCII_LOWER = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Nmt()])

FAMILIES = {
    "uncased": lambda: bert(True, bert_template(2, 3)),
    "cased": lambda: bert(False, processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))),
    "mpnet": mpnet,
    "roberta": lambda: roberta(False),
    "roberta-prefix": lambda: roberta(True),
    "deberta": deberta,
    "modernbert": modern_bert,
    "eurobert": lambda: euro_bert(LLAMA),
    "cl100k": lambda: euro_bert(CL100K),
    "xlm-roberta": xlm_roberta,
    "xlm-roberta-old": xlm_roberta_old,
    "camembert": camembert,
    "albert": albert,
    "deberta-v2": deberta_v2,
    "unigram-bytes": unigram_bytes,
    "llama": llama,
    "bpe-whitespace": lambda: bpe_words(pre_tokenizers.Whitespace(), normalizers.NFKC()),
    "bpe-nmt": lambda: bpe_words(pre_tokenizers.WhitespaceSplit(), ASCII_LOWER, fuse=True),
    "bpe-digits": lambda: bpe_words(steps(pre_tokenizers.Digits(), pre_tokenizers.CharDelimiterSplit("e"))),
    "bpe-digit": lambda: bpe_words(steps(pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Digits(individual_digits=True))),
    "bpe-first": lambda: bpe_words(steps(pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first"))),
    "bpe-regex": lambda: bpe_words(pre_tokenizers.Split(Regex(MANY), "isolated", False)),
    **{
        f"punctuation-{behavior}": lambda behavior=behavior: bpe_words(pre_tokenizers.Punctuation(behavior))
        for behavior in BEHAVIORS
    },
    **{
        f"split-{behavior}{'-not' if invert else ''}": lambda behavior=behavior, invert=invert: bpe_words(
            pre_tokenizers.Split(Regex(r"\s+|[a-e]|\d{2}|(?<=o)\w"), behavior, invert)
        )
        for behavior in BEHAVIORS
        for invert in (False, True)
    },
}

# With SentencePiece's own rules, which are too large to be stored.
FULL = {
    "xlm-roberta-nmt_nfkc": lambda: xlm_roberta("nmt_nfkc"),
    "albert-nmt_nfkc_cf": lambda: albert("nmt_nfkc_cf"),
    "deberta-v2-nfkc": lambda: deberta_v2("nfkc"),
    # Bytes behind a normalizer: nothing it does is hidden behind an unknown token.
    "bytes-bert": lambda: byte_level(["<s>"], None, normalizer=normalizers.BertNormalizer()),
    "bytes-nfd": lambda: byte_level(["<s>"], None, normalizer=normalizers.NFD()),
    "bytes-nfkc": lambda: byte_level(["<s>"], None, normalizer=normalizers.NFKC()),
    "bytes-stripped": lambda: byte_level(["<s>"], None, normalizer=ASCII_LOWER),
    "bytes-nmt_nfkc_cf": lambda: byte_level(["<s>"], None, normalizer=normalizers.Precompiled(charsmap("nmt_nfkc_cf"))),
}
