"""Every variant of the zoo: which model, by which exporter, with which settings."""

import importlib.util


def variants():
    """name -> route. `inputs` 3: ids, mask, types; 2: ids, mask; 1: ids."""
    base = dict(
        kind="classifier", exporter="torchscript", opset=17, attention="eager", fold=True, dynamic=True, inputs=3,
        keep_initializers=False, training=False, names="plain", external=None, edit=None,
        fresh=False,
    )
    table = {}

    def add(name, **route):
        table[name] = {**base, **route}

    for opset in range(11, 21):
        add(f"classifier-ts{opset}-eager", opset=opset)
    for opset in range(14, 21):
        add(f"classifier-ts{opset}-sdpa", opset=opset, attention="sdpa")
    for opset in (18, 19, 20):
        for attention in ("eager", "sdpa"):
            add(f"classifier-dynamo{opset}-{attention}", exporter="dynamo", opset=opset, attention=attention)
    for kind in ("pooler", "nopooler"):
        add(f"{kind}-ts11-eager", kind=kind, opset=11)
        add(f"{kind}-ts14-eager", kind=kind, opset=14)
        add(f"{kind}-ts17-sdpa", kind=kind, attention="sdpa")
        add(f"{kind}-dynamo18-sdpa", kind=kind, exporter="dynamo", opset=18, attention="sdpa")
    for opset, attention in ((12, "eager"), (17, "eager"), (17, "sdpa")):
        add(f"classifier-ts{opset}-{attention}-nofold", opset=opset, attention=attention, fold=False)
        add(f"classifier-ts{opset}-{attention}-fixed", opset=opset, attention=attention, dynamic=False)
        add(f"classifier-ts{opset}-{attention}-ids-mask", opset=opset, attention=attention, inputs=2)
    add("classifier-dynamo18-sdpa-fixed", exporter="dynamo", opset=18, attention="sdpa", dynamic=False)
    add("classifier-dynamo18-eager-fixed", exporter="dynamo", opset=18, dynamic=False)
    add("classifier-dynamo18-sdpa-ids-mask", exporter="dynamo", opset=18, attention="sdpa", inputs=2)
    add("classifier-dynamo18-sdpa-external", exporter="dynamo", opset=18, attention="sdpa", external="one file")
    add("nopooler-ts14-eager-ids", kind="nopooler", opset=14, inputs=1)
    add("classifier-ts13-eager-keep-initializers", opset=13, keep_initializers=True)
    add("classifier-ts17-eager-nofold-keep-initializers", fold=False, keep_initializers=True)
    add("classifier-ts14-eager-training", opset=14, fold=False, training=True)
    add("classifier-ts17-sdpa-training", attention="sdpa", fold=False, training=True)
    add("classifier-ts14-eager-colon-names", opset=14, names="colon")
    add("classifier-ts14-eager-default-names", opset=14, names="default")
    add("classifier-ts17-eager-external", external="one file")
    add("classifier-ts17-eager-external-per-tensor", external="file per tensor")
    add("classifier-ts17-eager-constants", edit="constants")
    add("classifier-ts17-eager-int32", edit="int32")
    add("classifier-ts14-eager-anonymous", opset=14, edit="anonymous")
    # Weights as they are before any training: the exporter merges equal ones (zero biases, unit LayerNorm weights).
    add("classifier-ts17-eager-fresh", fresh=True)
    add("classifier-dynamo18-sdpa-fresh", exporter="dynamo", opset=18, attention="sdpa", fresh=True)
    # What Optimum writes (opset 14, its axis names), by torch.onnx, and by Optimum itself where it is installed.
    for attention in ("eager", "sdpa"):
        add(f"classifier-optimum-like-{attention}", opset=14, attention=attention, names="optimum")
        if importlib.util.find_spec("optimum") is not None:
            add(f"classifier-optimum-{attention}", exporter="optimum", opset=14, attention=attention)
            add(f"nopooler-optimum-{attention}", exporter="optimum", kind="nopooler", opset=14, attention=attention)
    return table
