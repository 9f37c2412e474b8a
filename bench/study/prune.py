"""Cuts an exported BERT's vocabulary to the tokens of some tasks, which makes a step cheaper and changes nothing else.

    python bench/study/prune.py FOLDER --data DATA --tasks topics pairs

WordPiece takes the longest token that fits; those it took are kept, so it takes them again: texts of these tasks are encoded
to the same tokens, under new numbers.
"""

import argparse
import json
import pathlib

import onnx
from onnx import numpy_helper
from tokenizers import Tokenizer


def read_texts(data, tasks):
    for task in tasks:
        for split in ("train", "dev", "test"):
            for line in (data / task / f"{split}.jsonl").read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                yield row["text"], row.get("pair")


def prune_tokenizer(spec, keep):
    number = {old: new for new, old in enumerate(keep)}
    spec["model"]["vocab"] = {token: number[i] for token, i in spec["model"]["vocab"].items() if i in number}
    for token in spec["added_tokens"]:
        token["id"] = number[token["id"]]
    for token in spec["post_processor"]["special_tokens"].values():
        token["ids"] = [number[i] for i in token["ids"]]
    return {**spec, "padding": None, "truncation": None}


def prune_embeddings(model, keep, rows):
    for initializer in model.graph.initializer:
        if initializer.dims[:1] == [rows] and len(initializer.dims) == 2:
            kept = numpy_helper.to_array(initializer)[keep]
            initializer.CopyFrom(numpy_helper.from_array(kept, initializer.name))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--tasks", nargs="+", required=True)
    options = parser.parse_args()

    files = {name: options.folder / name for name in ("tokenizer.json", "config.json", "model.onnx")}
    tokenizer = Tokenizer.from_file(str(files["tokenizer.json"]))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    spec = json.loads(files["tokenizer.json"].read_text(encoding="utf-8"))
    texts = list(read_texts(options.data, options.tasks))
    tokens = {i for text in texts for i in tokenizer.encode(*text).ids} | {token["id"] for token in spec["added_tokens"]}
    keep = sorted(tokens)

    model = onnx.load(str(files["model.onnx"]))
    prune_embeddings(model, keep, tokenizer.get_vocab_size())
    pruned = prune_tokenizer(spec, keep)
    config = json.loads(files["config.json"].read_text(encoding="utf-8"))
    config |= {"vocab_size": len(keep), "pad_token_id": pruned["model"]["vocab"]["[PAD]"]}

    again = Tokenizer.from_str(json.dumps(pruned))
    assert all(tokenizer.encode(*text).tokens == again.encode(*text).tokens for text in texts)
    files["tokenizer.json"].write_text(json.dumps(pruned), encoding="utf-8")
    files["config.json"].write_text(json.dumps(config, indent=2), encoding="utf-8")
    onnx.save(model, str(files["model.onnx"]))
    print(f"{len(keep)} of {tokenizer.get_vocab_size()} tokens kept")


if __name__ == "__main__":
    main()
