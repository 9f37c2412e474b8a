"""Every variant of the zoo: which model, by which exporter, with which settings."""

import importlib.util

from families import BERT_ROLES, FAMILIES

BASE = dict(
    family="bert", kind="classifier", exporter="torchscript", opset=17, attention="eager", fold=True, dynamic=True,
    roles=None, keep_initializers=False, training=False, names="plain", external=None, edit=None, fresh=False, settings={},
    optimize=True, convert=(), rounded=None, reference={}, patterns={},
)


def variants():
    """
    name -> route. `roles`: the inputs, by default the family's; `settings`: of the model's configuration, beside the
    family's; `convert`: what is done to the exported file, in turn, by name in converters.py; `rounded`: the type its
    weights are rounded to before; `reference`: further settings of the model it is compared with;
    `patterns`: how many are fused, where that is not what the family has.
    """
    table = {}

    def add(name, **route):
        route = {**BASE, **route}
        family = FAMILIES[route["family"]]
        patterns = None if route["convert"] else {**family.fused(route["kind"]), **route["patterns"]}
        table[name] = {**route, "roles": route["roles"] or family.roles, "patterns": patterns}

    add_bert(add)
    add_families(add)
    add_relative(add)
    add_converted(add)
    return table


def add_bert(add):
    """BERT by every exporter and with every setting."""
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
    ids_mask = BERT_ROLES[:2]
    for opset, attention in ((12, "eager"), (17, "eager"), (17, "sdpa")):
        add(f"classifier-ts{opset}-{attention}-nofold", opset=opset, attention=attention, fold=False)
        add(f"classifier-ts{opset}-{attention}-fixed", opset=opset, attention=attention, dynamic=False)
        add(f"classifier-ts{opset}-{attention}-ids-mask", opset=opset, attention=attention, roles=ids_mask)
    add("classifier-dynamo18-sdpa-fixed", exporter="dynamo", opset=18, attention="sdpa", dynamic=False)
    add("classifier-dynamo18-eager-fixed", exporter="dynamo", opset=18, dynamic=False)
    add("classifier-dynamo18-sdpa-ids-mask", exporter="dynamo", opset=18, attention="sdpa", roles=ids_mask)
    add("classifier-dynamo18-sdpa-external", exporter="dynamo", opset=18, attention="sdpa", external="one file")
    add("nopooler-ts14-eager-ids", kind="nopooler", opset=14, roles=BERT_ROLES[:1])
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
        if has_optimum():
            add(f"classifier-optimum-{attention}", exporter="optimum", opset=14, attention=attention)
            add(f"nopooler-optimum-{attention}", exporter="optimum", kind="nopooler", opset=14, attention=attention)


def add_families(add):
    """The other families by a few routes that differ most: oldest and newest opset, both exporters, eager and sdpa."""
    for family in ("roberta", "distilbert", "albert", "electra", "mpnet"):
        attention = "eager" if family == "mpnet" else "sdpa"  # MPNet has no other
        oldest = 12 if family == "mpnet" else 11  # its integer Min is invalid at 11
        add(f"{family}-classifier-ts{oldest}-eager", family=family, opset=oldest)
        add(f"{family}-classifier-ts14-{attention}", family=family, opset=14, attention=attention)
        add(f"{family}-nopooler-ts17-{attention}", family=family, kind="nopooler", attention=attention)
        add(f"{family}-classifier-dynamo18-{attention}", family=family, exporter="dynamo", opset=18, attention=attention)
        if has_optimum():
            older = "eager" if family == "electra" else attention  # in the transformers that Optimum needs
            add(f"{family}-classifier-optimum", family=family, exporter="optimum", opset=14, attention=older)
    # whose relative position bias is all that its attention adds
    add("mpnet-nopooler-ts14-eager-ids", family="mpnet", kind="nopooler", opset=14, roles=BERT_ROLES[:1])
    for family in ("roberta", "albert", "mpnet"):
        add(f"{family}-pooler-ts14-eager", family=family, kind="pooler", opset=14)
    for family in ("xlm-roberta", "camembert"):
        add(f"{family}-classifier-ts14-sdpa", family=family, opset=14, attention="sdpa")
    for opset, edit in ((11, None), (12, "numbered"), (17, None)):
        add(f"google-bert-ts{opset}", family="google-bert", opset=opset, names="google", edit=edit)
    # heads for tokens, to be left out
    for kind in ("masked-lm", "tagger", "reader", "pretraining"):
        settings = dict(num_labels=2) if kind == "reader" else {}
        add(f"{kind}-ts14-sdpa", kind=kind, opset=14, attention="sdpa", settings=settings)
    for family in ("bert", "roberta", "distilbert", "electra"):
        add(f"{family}-masked-lm-dynamo18-sdpa", family=family, kind="masked-lm", exporter="dynamo", opset=18, attention="sdpa")
    # in a BERT, by what its configuration or its caller may say
    for act in ("gelu_new", "gelu_fast"):
        add(f"classifier-ts17-sdpa-{act}", attention="sdpa", settings=dict(hidden_act=act))
    for act in ("relu", "silu", "quick_gelu"):  # which have no kernel of their own
        add(f"classifier-ts17-sdpa-{act}", attention="sdpa", settings=dict(hidden_act=act), patterns=dict(BiasGelu=0))
    add("classifier-dynamo20-sdpa-gelu_new", exporter="dynamo", opset=20, attention="sdpa", settings=dict(hidden_act="gelu_new"))
    add("classifier-ts14-sdpa-positions", opset=14, attention="sdpa", roles=(*BERT_ROLES, "position_ids"))
    # of a table of two rows more, and fed positions from 2
    counted = dict(attention="sdpa", settings=dict(max_position_embeddings=66))
    for family, roles in (("roberta", BERT_ROLES[:2]), ("xlm-roberta", BERT_ROLES[:1])):
        add(f"{family}-classifier-ts14-sdpa-positions", family=family, opset=14, roles=(*roles, "position_ids"), **counted)


def add_relative(add):
    """Families whose attention sees where tokens are to each other, and what only the newest opsets have."""
    add("deberta-classifier-ts14", family="deberta", opset=14)
    add("deberta-classifier-dynamo18", family="deberta", exporter="dynamo", opset=18)
    add("deberta-nopooler-ts17", family="deberta", kind="nopooler")
    # as no published one is: told from ELECTRA by nothing
    absolute = dict(
        relative_attention=False, pos_att_type=None, position_biased_input=True, type_vocab_size=2, pooler_dropout=0.1,
    )
    add("deberta-classifier-ts17-absolute", family="deberta", roles=BERT_ROLES, settings=absolute, patterns=dict(Attention=2))
    add("deberta-v2-classifier-ts12", family="deberta-v2", opset=12)
    add("deberta-v2-classifier-dynamo18", family="deberta-v2", exporter="dynamo", opset=18)
    add("deberta-v2-classifier-ts14-narrow", family="deberta-v2", opset=14, settings=dict(embedding_size=16))
    add("deberta-v3-classifier-ts14", family="deberta-v3", opset=14)
    add("deberta-v3-classifier-ts13-masked", family="deberta-v3", opset=13, edit="masked")
    add("deberta-v3-classifier-dynamo20", family="deberta-v3", exporter="dynamo", opset=20)
    add("deberta-v3-nopooler-ts17", family="deberta-v3", kind="nopooler")
    modern = dict(family="modernbert", attention="sdpa")
    add("modernbert-classifier-ts14-sdpa", **modern, opset=14)
    add("modernbert-nopooler-ts17-sdpa", **modern, kind="nopooler")
    mean = dict(classifier_pooling="mean")
    add("modernbert-classifier-ts17-eager-mean", family="modernbert", settings=mean)
    add("modernbert-classifier-dynamo18-eager", family="modernbert", exporter="dynamo", opset=18)
    # whose queries, keys and values come out of a sequence
    add("modernbert-classifier-dynamo18-sdpa-unoptimized", **modern, exporter="dynamo", optimize=False)
    # opset 23 has RotaryEmbedding, whose cosines torch 2.15 gives in a shape the runtime refuses
    add("modernbert-classifier-dynamo24-sdpa", **modern, exporter="dynamo", opset=24)
    for opset in (23, 24):
        add(f"classifier-dynamo{opset}-sdpa", exporter="dynamo", opset=opset, attention="sdpa")
    add("classifier-dynamo20-eager-unoptimized", exporter="dynamo", opset=20, optimize=False)
    add("roberta-classifier-dynamo23-sdpa", family="roberta", exporter="dynamo", opset=23, attention="sdpa")


def add_converted(add):
    """What optimizers and converters make of an export."""
    tanh = dict(hidden_act="gelu_new")

    def converted(source, name, *convert, **route):
        add(f"{source}-{name}", convert=convert or (name,), **route)

    for name in ("ort0", "ort1", "ort2", "ort99", "ort-raw-mask", "ort-mha", "ort-mha-nobias", "ort-few"):
        converted("classifier-ts14-eager", name, opset=14)
    converted("classifier-ts14-eager", "ort-tanh-gelu", opset=14, reference=tanh)
    for family in ("roberta", "distilbert", "electra"):
        converted(f"{family}-classifier-ts14-eager", "ort1", family=family, opset=14)
    # Of ALBERT's shared layers, some get packed copies of the weights: one layer, so that each gradient is PyTorch's.
    one = dict(num_hidden_layers=1)
    converted("albert-classifier-ts14-eager", "ort1", family="albert", opset=14, settings=one)
    converted("pooler-ts14-eager", "ort1", kind="pooler", opset=14)
    converted("classifier-ts17-sdpa", "ort2", attention="sdpa")
    for name in ("runtime-basic", "runtime-extended", "onnxsim", "onnxslim"):
        converted("classifier-ts14-eager", name, opset=14)
        converted("classifier-ts17-sdpa", name, attention="sdpa")
    for name in ("ort2", "runtime-extended", "onnxslim"):
        converted("classifier-dynamo18-sdpa", name, exporter="dynamo", opset=18, attention="sdpa")
    half = dict(opset=14, rounded="float16")
    for name in ("fp16", "fp16-block", "ort-fp16", "ort-fp16-block"):
        converted("classifier-ts14-eager", name, **half)
    converted("nopooler-ts14-eager", "fp16-io", kind="nopooler", **half)
    converted("classifier-ts14-eager", "slim-ort-fp16", "onnxslim", "ort-fp16", **half)
    converted("classifier-ts14-eager", "bf16-weights", opset=14, rounded="bfloat16")
    if has_optimum():
        for level, more in (("O1", {}), ("O2", {}), ("O3", dict(reference=tanh)), ("O4", dict(reference=tanh, rounded="float16"))):
            converted("classifier-optimum-eager", f"optimum-{level}", exporter="optimum", opset=14, **more)


def has_optimum():
    return importlib.util.find_spec("optimum") is not None
