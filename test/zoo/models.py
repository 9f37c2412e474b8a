"""The tiny random models of the zoo, and the inputs they are shown."""

import inspect

import torch

from families import FAMILIES, TOKEN_HEADS, VOCABULARY

BATCH, LENGTH = 2, 16


def build(route, seed=7):
    """
    A tiny model; unless fresh, every parameter is away from its trivial initial value and can be told by value. Rounded,
    it has weights that a file of 16-bit floats holds as they are.
    """
    family = FAMILIES[route["family"]]
    config = family.config(route["attention"], **route["settings"])
    torch.manual_seed(seed)
    if route["kind"] == "classifier":
        model = family.classifier(config)
    elif route["kind"] in TOKEN_HEADS:
        model = family.with_token_head(route["kind"])(config)
    elif "add_pooling_layer" in inspect.signature(family.encoder.__init__).parameters:
        model = family.encoder(config, add_pooling_layer=route["kind"] == "pooler")
    else:
        assert route["kind"] == "nopooler", f"{family.name} has no pooler"
        model = family.encoder(config)
    if not route["fresh"]:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    if route["rounded"] is not None:
        model.to(getattr(torch, route["rounded"])).float()
    return model.eval()


def example_inputs(family, roles):
    """One full row and one padded one; both full where no mask can hide the padding. Ids are 1..99, none of them padding."""
    generator = torch.Generator().manual_seed(11)
    pad = FAMILIES[family].pad
    ids = torch.randint(1, VOCABULARY, (BATCH, LENGTH), generator=generator)
    ids[ids == pad] = VOCABULARY - 1
    mask = torch.ones_like(ids)
    types = torch.zeros_like(ids)
    types[:, 9:] = 1
    first = pad + 1 if FAMILIES[family].counts_ids else 0
    positions = torch.arange(first, first + LENGTH).expand(BATCH, LENGTH).contiguous()
    if "attention_mask" in roles:
        mask[1, 11:] = 0
        ids[1, 11:] = pad
        types[1, 11:] = 0
    every = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types, "position_ids": positions}
    return {role: every[role] for role in roles}


def with_signature(model, kind, roles):
    """The model with a forward of exactly these inputs and a tuple of tensors as output; parameter names stay."""
    base = type(model)
    if kind in TOKEN_HEADS:
        names = TOKEN_HEADS[kind][1]
    elif kind == "classifier":
        names = ["logits"]
    elif kind == "pooler":
        names = ["last_hidden_state", "pooler_output"]
    else:
        names = ["last_hidden_state"]

    def forward(self, *inputs):
        output = base.forward(self, **dict(zip(roles, inputs, strict=True)))
        return tuple(output[name] for name in names) if len(names) > 1 else output[names[0]]

    # exporters read the inputs' names off the signature
    forward.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", *roles)]
    )
    model.__class__ = type(base.__name__, (base,), {"forward": forward})
    return names
