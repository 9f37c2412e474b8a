"""One training step of the embedded model in PyTorch, in float64: the outside view on `sesd-train doctor`.

    python test/parity/self_test.py FOLDER     prints {"loss", "gradNorm", "lossAfter"}

FOLDER has step.json {config, parameters: [{name, dims, decay, group}], inputIds, attentionMask, tokenTypeIds, labels}, and
weights.bin, the parameters' float32 one after the other. AdamW as in reference.py, rates 1e-4 and 1e-3 (head), clipping at 1.
"""

import json
import pathlib
import sys

import numpy
import torch
from transformers import BertConfig, BertForSequenceClassification

folder = pathlib.Path(sys.argv[1])
step = json.loads((folder / "step.json").read_text())
weights = numpy.fromfile(folder / "weights.bin", dtype=numpy.float32)

config = BertConfig(**step["config"], num_labels=3, attn_implementation="eager")
model = BertForSequenceClassification(config).double().eval()
own = dict(model.named_parameters())
groups = []
for parameter in step["parameters"]:
    size = int(numpy.prod(parameter["dims"]))
    values = torch.tensor(weights[:size].reshape(parameter["dims"]))
    weights = weights[size:]
    weight = own.pop(parameter["name"])
    if "encoder" in parameter["name"] and values.ndim == 2:
        values = values.T  # as MatMul takes them
    with torch.no_grad():
        weight.copy_(values)
    rate = 1e-3 if parameter["group"] == "head" else 1e-4
    groups.append({"params": [weight], "lr": rate, "weight_decay": 0.01 if parameter["decay"] else 0.0})
assert not own and len(weights) == 0, list(own)

labels = torch.tensor(step["labels"])
inputs = {
    "input_ids": torch.tensor(step["inputIds"]),
    "attention_mask": torch.tensor(step["attentionMask"]),
    "token_type_ids": torch.tensor(step["tokenTypeIds"]),
}
optimizer = torch.optim.AdamW(groups)


def loss():
    return torch.nn.functional.cross_entropy(model(**inputs).logits, labels)


before = loss()
before.backward()
norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
optimizer.step()
print(json.dumps({"loss": before.item(), "gradNorm": norm.item(), "lossAfter": loss().item()}))
