"""The PyTorch side of the benchmark: answers JSON lines on stdin with JSON lines on stdout.

    {"do": "export", "path": F, "size": S, "family": M}  writes a random classifier as ONNX
    {"do": "prepare", "size": S, "batch": B, "length": L, "threads": N, "dropout": P, "precision": "fp32|bf16", "family": M}
                                                        -> {"sides": what can be measured}
    {"do": "measure", "what": "eager|sdpa|compiled", "step": "gradients|update|sda"}   -> {"ms": ...}
    {"do": "texts", "size": S, "tokenizer": F, "examples": F, "maxLength": L, "threads": N}   -> {"tokenizing": seconds}
    {"do": "epoch", "attention": "eager|sdpa", "batch": B, "precision": "fp32|bf16", "seed": N}  -> {"seconds": ...}
    {"do": "matmul", "precision": "fp32|bf16"}          -> {"gflops": ...}: the machine's rate, by PyTorch's own library
    {"do": "memory"}                                    -> {"peakRss": bytes}

M: a key of FAMILIES, bert when absent. gradients: forward and backward of Hugging Face's BertForSequenceClassification, or the family's, in
float32, or under bfloat16 autocast.
update: with clipping and fused AdamW. sda: an update with a teacher one step behind (window 1). compiled:
torch.compile of the model with sdpa. texts and epoch: see torch_trainer.py.
"""

import json
import logging
import os
import resource
import sys
import time
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
replies, sys.stdout = sys.stdout, sys.stderr  # libraries that print must not break the protocol

import torch
import transformers
from torch.nn import functional

SIZES = {"tiny": (2, 128), "mini": (4, 256), "small": (4, 512), "base": (12, 768), "large": (24, 1024)}
LABELS = 3

BERT_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
BERT_DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob")
MODERN_DROPOUTS = ("attention_dropout", "mlp_dropout", "embedding_dropout", "classifier_dropout")
# Transformers' name; what the configuration calls sizes and dropout; what else its published models have.
FAMILIES = {
    "bert": ("Bert", BERT_SIZES, BERT_DROPOUTS, {}),
    "distilbert": ("DistilBert", ("dim", "n_layers", "n_heads", "hidden_dim"), ("dropout", "attention_dropout", "seq_classif_dropout"), {}),
    "roberta": ("Roberta", BERT_SIZES, BERT_DROPOUTS, dict(max_position_embeddings=514, type_vocab_size=1)),
    "albert": ("Albert", BERT_SIZES, BERT_DROPOUTS, {}),
    "mpnet": ("MPNet", BERT_SIZES, BERT_DROPOUTS, {}),
    "deberta-v3": ("DebertaV2", BERT_SIZES, BERT_DROPOUTS, dict(
        relative_attention=True, position_buckets=256, norm_rel_ebd="layer_norm", share_att_key=True,
        pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0, max_relative_positions=-1, pooler_dropout=0,
    )),
    "modernbert": ("ModernBert", BERT_SIZES, MODERN_DROPOUTS, dict(intermediate_size=1152, num_hidden_layers=22, pad_token_id=0)),
}


def build(family, size, attention, dropout):
    name, sizes, dropouts, settings = FAMILIES[family]
    layers, hidden = SIZES[size]
    named = dict(zip(sizes, (hidden, layers, hidden // 64, 4 * hidden))) | dict.fromkeys(dropouts, dropout)
    config = getattr(transformers, f"{name}Config")(
        **{**named, "vocab_size": 30522, "num_labels": LABELS, "attn_implementation": attention, **settings}
    )
    torch.manual_seed(1)
    return getattr(transformers, f"{name}ForSequenceClassification")(config)


class Logits(torch.nn.Module):
    def __init__(self, model, names):
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *inputs):
        return self.model(**dict(zip(self.names, inputs))).logits


def export(path, size, family="bert"):
    model = build(family, size, "eager", 0.1).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # weights that are all equal are stored once and shared
            parameter.add_(0.001 * torch.randn_like(parameter))
    ids = torch.randint(3, 1000, (2, 16))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if family == "bert":
        inputs["token_type_ids"] = torch.zeros_like(ids)
    axes = {0: "batch_size", 1: "sequence_length"}
    torch.onnx.export(
        Logits(model, list(inputs)), tuple(inputs.values()), path, dynamo=False, opset_version=14,
        input_names=list(inputs), output_names=["logits"],
        dynamic_axes={name: axes for name in inputs} | {"logits": {0: "batch_size"}},
    )


class Bench:
    def __init__(self, size, batch, length, threads, dropout, precision, family="bert"):
        torch.set_num_threads(threads)
        try:
            self.model = build(family, size, "sdpa", dropout).train()
            self.sides = ["eager", "sdpa"]
        except ValueError:  # a family that has eager attention alone
            self.model = build(family, size, "eager", dropout).train()
            self.sides = ["eager"]
        self.compiled = torch.compile(self.model)
        self.bf16 = precision == "bf16"
        self.teacher = None
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-5, fused=True)
        generator = torch.Generator().manual_seed(1)
        ids = torch.randint(1000, 30000, (batch, length), generator=generator)
        self.inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if family == "bert":
            self.inputs["token_type_ids"] = torch.zeros_like(ids)
        self.labels = torch.randint(0, LABELS, (batch,), generator=generator)

    def measure(self, what, step):
        if "sdpa" in self.sides:
            self.model.config._attn_implementation = "eager" if what == "eager" else "sdpa"
        if step == "sda" and self.teacher is None:
            self.teacher = build_like(self.model)
            self.compiled_teacher = torch.compile(self.teacher)
        self.optimizer.zero_grad(set_to_none=True)
        started = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            loss = self.loss(what == "compiled", distilled=step == "sda")
        loss.backward()
        if step != "gradients":
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            if step == "sda":
                with torch.no_grad():
                    torch._foreach_copy_(list(self.teacher.parameters()), list(self.model.parameters()))
            self.optimizer.step()
        return 1000 * (time.perf_counter() - started)

    def loss(self, compiled, distilled):
        logits = (self.compiled if compiled else self.model)(**self.inputs).logits
        loss = functional.cross_entropy(logits, self.labels)
        if distilled:
            with torch.no_grad():
                target = (self.compiled_teacher if compiled else self.teacher)(**self.inputs).logits
            loss = loss + functional.mse_loss(logits, target)
        return loss


def build_like(model):
    copy = type(model)(model.config).eval().requires_grad_(False)
    copy.load_state_dict(model.state_dict())
    return copy


def texts(size, tokenizer, examples, maxLength, threads):
    torch.set_num_threads(threads)
    model = build("bert", size, "sdpa", 0.1)
    from torch_trainer import TrainerBench

    return TrainerBench(model, tokenizer, examples, maxLength)


def matmul(precision):
    """GFLOP/s of the products of a feed-forward layer of BERT-base, 1024 tokens: the best of some."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    rates = []
    for rows, columns in [(768, 3072), (3072, 768)] * 8:
        a, b = torch.randn(1024, rows).to(dtype), torch.randn(rows, columns).to(dtype)
        started = time.perf_counter()
        for _ in range(4):
            a @ b
        rates.append(4 * 2e-9 * 1024 * rows * columns / (time.perf_counter() - started))
    return max(rates)


def main():
    bench = None
    for line in sys.stdin:
        request = json.loads(line)
        do = request.pop("do")
        if do == "export":
            export(**request)
            reply = {}
        elif do == "prepare":
            bench = Bench(**request)
            reply = {"torch": torch.__version__, "transformers": transformers.__version__, "sides": bench.sides}
        elif do == "measure":
            reply = {"ms": bench.measure(request["what"], request["step"])}
        elif do == "matmul":
            reply = {"gflops": matmul(**request)}
        elif do == "texts":
            bench = texts(**request)
            reply = {"tokenizing": bench.tokenizing, "torch": torch.__version__, "transformers": transformers.__version__}
        elif do == "epoch":
            reply = {"seconds": bench.epoch(**request)}
        else:
            reply = {"peakRss": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
