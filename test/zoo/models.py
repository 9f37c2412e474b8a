"""The tiny random models of the zoo, by family, and the inputs they are shown."""

import torch
from transformers import BertConfig, BertForSequenceClassification, BertModel

BATCH, LENGTH, LABELS = 2, 16, 3
ROLES = ("input_ids", "attention_mask", "token_type_ids")


def build(kind, attention, fresh=False, seed=7):
    """A tiny BERT; unless fresh, every parameter is away from its trivial initial value and can be told by value."""
    config = BertConfig(
        vocab_size=100,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        num_labels=LABELS,
        attn_implementation=attention,
    )
    torch.manual_seed(seed)
    if kind == "classifier":
        model = BertForSequenceClassification(config)
    else:
        model = BertModel(config, add_pooling_layer=kind == "pooler")
    if not fresh:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def example_inputs(roles):
    """One full row and one padded one; both full where no mask can hide the padding."""
    generator = torch.Generator().manual_seed(11)
    ids = torch.randint(1, 100, (BATCH, LENGTH), generator=generator)
    mask = torch.ones_like(ids)
    types = torch.zeros_like(ids)
    types[:, 9:] = 1
    if "attention_mask" not in roles:
        return {"input_ids": ids}
    mask[1, 11:] = 0
    ids[1, 11:] = 0
    types[1, 11:] = 0
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}


def with_signature(model, kind, roles):
    """The model with a forward of exactly these inputs and a tuple of tensors as output; parameter names stay."""
    base = type(model)
    if kind == "classifier":
        names = ["logits"]
    elif kind == "pooler":
        names = ["last_hidden_state", "pooler_output"]
    else:
        names = ["last_hidden_state"]

    def pick(output):
        return tuple(output[name] for name in names) if len(names) > 1 else output[names[0]]

    if roles == ROLES:

        def forward(self, input_ids, attention_mask, token_type_ids):
            return pick(
                base.forward(self, input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
            )
    elif roles == ROLES[:2]:

        def forward(self, input_ids, attention_mask):
            return pick(base.forward(self, input_ids=input_ids, attention_mask=attention_mask))
    else:

        def forward(self, input_ids):
            return pick(base.forward(self, input_ids=input_ids))

    model.__class__ = type(base.__name__, (base,), {"forward": forward})
    return names
