"""Exports tiny random models of the BERT family through the routes people use, each with PyTorch's outputs and gradients beside it.

    python test/zoo/export.py FOLDER [--only SUBSTRING] [--part I/N] [--list]

Every variant is written as FOLDER/<variant>.onnx (some with external data beside it) and FOLDER/<variant>.json:

    layers         of the model
    route          how it was exported
    inputs         per role (input_ids, attention_mask, token_type_ids, position_ids): the graph input's name, dims, values
    outputs        per graph output: name, kind (logits, last_hidden_state, pooler_output, tokens), dims, values, and the fixed
                   random weights R (zero at padded positions)
    loss           sum over outputs of sum(output * R)
    gradients      d loss / d parameter: initializer name -> parameter, transposed, dims, values; for parameters that are
                   packed into one, all of them; for those of equal value, which exporters store once, a list instead
    unmatched      the same for parameters that no initializer holds (folded or sliced by the exporter), by PyTorch name
    unmatchedParameters   the values of those parameters
    heads          for encoders, per classifier that can be put on them (pooler, cls, mean): its weight and bias, and logits,
                   R, gradients and unmatched of loss = sum(logits * R) as above; the classifier's own gradients are
                   under classifier.weight and classifier.bias

    patterns       how many of each fused pattern the training graph must have
    longest        the longest sequence the positions serve; null where the file has a fixed length
    dropout        for classifiers: in training mode with every dropout made a multiplication by `factor`, the number of
                   `sites` and the logits (dims, values)

Outputs and gradients are computed in float64 from the float32 weights, in evaluation mode. Weights, inputs and R are
deterministic. Matching goes by value: see matching.py.
"""

import argparse
import copy
import itertools
import json
import logging
import os
import pathlib
import sys
import time
import unittest.mock
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import onnx
import torch
import transformers
from onnx import external_data_helper

from converters import CONVERTERS
from edits import EDITS
from families import FAMILIES, LABELS, TOKEN_HEADS
from matching import array_json, match
from models import BATCH, build, example_inputs, with_signature
from variants import variants


torch_softmax = torch.nn.functional.softmax


def softmax(x, dim=None, _stacklevel=3, dtype=None):
    """ModernBERT's eager attention asks for a softmax in float32 whatever it computes in; the reference stays in float64."""
    return torch_softmax(x, dim, _stacklevel, None if x.dtype == torch.float64 else dtype)


torch.nn.functional.softmax = softmax


def exact_model(model, route):
    """The same weights and signature in float64 and evaluation mode, with eager attention."""
    name = FAMILIES[route["family"]].reference or route["family"]
    settings = {**route["settings"], **route["reference"]}
    exact = build({**route, "attention": "eager", "family": name, "settings": settings})
    with_signature(exact, route["kind"], route["roles"])
    exact.load_state_dict(model.state_dict())
    return exact.double()


def reference(model, route, inputs):
    """Outputs, R, loss and the gradient of every parameter."""
    exact = exact_model(model, route)
    roles = route["roles"]
    outputs = exact(*(inputs[role] for role in roles))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    generator = torch.Generator().manual_seed(13)
    weights = []
    for output in outputs:
        r = torch.randn(output.shape, generator=generator, dtype=torch.float32).double()
        if output.dim() == 3 and "attention_mask" in roles:
            r = r * inputs["attention_mask"].unsqueeze(-1)
        weights.append(r)
    loss = sum((output * r).sum() for output, r in zip(outputs, weights))
    loss.backward()
    gradients = {
        name: (p.grad if p.grad is not None else torch.zeros_like(p)).numpy() for name, p in exact.named_parameters()
    }
    return [o.detach().numpy() for o in outputs], [r.numpy() for r in weights], loss.item(), gradients


def head_references(model, route, inputs):
    """Per head: a fixed linear classifier on the encoder's features, its logits, R and all gradients, in float64."""
    kind, roles = route["kind"], route["roles"]
    features = {"cls": lambda states, pooled, mask: states[:, 0]}
    if kind == "pooler":
        features["pooler"] = lambda states, pooled, mask: pooled
    if "attention_mask" in roles:
        features["mean"] = lambda states, pooled, mask: (states * mask).sum(1) / mask.sum(1)
    generator = torch.Generator().manual_seed(17)
    weight = 0.2 * torch.randn((LABELS, model.config.hidden_size), generator=generator)
    bias = 0.2 * torch.randn(LABELS, generator=generator)
    r = torch.randn((BATCH, LABELS), generator=generator)
    found = {}
    for head, feature in features.items():
        exact = exact_model(model, route)
        if kind in TOKEN_HEADS:
            states, pooled = exact.base_model(**{role: inputs[role] for role in roles})[0], None
        else:
            outputs = exact(*(inputs[role] for role in roles))
            states, pooled = outputs if kind == "pooler" else (outputs, None)
        classifier = torch.nn.Linear(model.config.hidden_size, LABELS).double()
        with torch.no_grad():
            classifier.weight.copy_(weight)
            classifier.bias.copy_(bias)
        mask = inputs["attention_mask"].unsqueeze(-1).double() if "attention_mask" in roles else None
        logits = classifier(feature(states, pooled, mask))
        (logits * r.double()).sum().backward()
        own = {f"classifier.{name}": p.grad.numpy() for name, p in classifier.named_parameters()}
        # A parameter the head does not read has no gradient, and is not among those an engine trains.
        gradients = {name: p.grad.numpy() for name, p in exact.named_parameters() if p.grad is not None}
        found[head] = (logits.detach().numpy(), r.numpy(), own, gradients)
    return {"weight": array_json(weight.numpy()), "bias": array_json(bias.numpy())}, found


def dropout_reference(model, route, inputs, factor=0.9):
    """Where the model drops out, told by what comes out when every dropout multiplies instead."""
    sites = []

    def multiply(x, p=0.5, training=True, inplace=False):
        if not training or p == 0:
            return x
        sites.append(p)
        return x * factor

    exact = exact_model(model, route).train()
    with unittest.mock.patch("torch.nn.functional.dropout", multiply), torch.no_grad():
        logits = exact(*(inputs[role] for role in route["roles"]))
    return {"factor": factor, "sites": len(sites), **array_json(logits.numpy())}


def graph_input_names(route, roles):
    if route["names"] == "colon":
        return [f"{role}:0" for role in roles]
    if route["names"] == "google":
        google = {"input_ids": "input_ids:0", "attention_mask": "input_mask:0", "token_type_ids": "segment_ids:0"}
        return [google[role] for role in roles]
    if route["names"] == "default":
        return None
    return list(roles)


def export(path, route, model, roles, inputs, output_names):
    axes = ("batch_size", "sequence_length") if route["names"] == "optimum" else ("batch", "sequence")
    names = graph_input_names(route, roles)
    args = tuple(inputs[role] for role in roles)
    outputs = None if route["names"] == "default" else output_names
    if route["exporter"] == "dynamo":
        batch, sequence = torch.export.Dim(axes[0]), torch.export.Dim(axes[1])
        program = torch.onnx.export(
            model, args, dynamo=True, opset_version=route["opset"], input_names=names, output_names=outputs,
            dynamic_shapes=tuple({0: batch, 1: sequence} for _ in roles) if route["dynamic"] else None,
            optimize=route["optimize"], verbose=False,
        )
        program.save(str(path), external_data=route["external"] is not None)
    else:
        dynamic_axes = None
        if route["dynamic"] and names is not None:
            dynamic_axes = {name: {0: axes[0], 1: axes[1]} for name in names}
            for name in output_names:
                dynamic_axes[name] = {0: axes[0], 1: axes[1]} if name == "last_hidden_state" else {0: axes[0]}
        training = torch.onnx.TrainingMode.TRAINING if route["training"] else torch.onnx.TrainingMode.EVAL
        torch.onnx.export(
            model, args, str(path), dynamo=False, opset_version=route["opset"], input_names=names, output_names=outputs,
            dynamic_axes=dynamic_axes, do_constant_folding=route["fold"], training=training,
            keep_initializers_as_inputs=route["keep_initializers"],
        )
    proto = onnx.load(str(path))
    if route["edit"] is not None:
        EDITS[route["edit"]](proto)
        onnx.save(proto, str(path))
    elif route["external"] is not None and route["exporter"] == "torchscript":
        data = path.parent / f"{path.name}.data"
        if route["external"] == "one file":
            locations = itertools.repeat(data.name)
            data.unlink(missing_ok=True)  # saving appends to a data file that exists
        else:
            data.mkdir(exist_ok=True)
            for stale in data.iterdir():
                stale.unlink()
            locations = (f"{data.name}/{index}.bin" for index in itertools.count())
        for initializer, location in zip(proto.graph.initializer, locations):
            external_data_helper.set_external_data(initializer, location)
        onnx.save(proto, str(path))
        proto = onnx.load(str(path))
    return proto


def export_with_optimum(path, route, model):
    from optimum.exporters.onnx.convert import export as optimum_export
    from optimum.exporters.tasks import TasksManager

    task = "text-classification" if route["kind"] == "classifier" else "feature-extraction"
    make = TasksManager.get_exporter_config_constructor("onnx", model=model, task=task, library_name="transformers")
    optimum_export(model, make(model.config), path, opset=route["opset"])
    return onnx.load(str(path))


def write(folder, name, route):
    path = folder / f"{name}.onnx"
    family = FAMILIES[route["family"]]
    kind = route["kind"]
    is_dynamic = route["dynamic"] and route["names"] != "default"
    roles = route["roles"]
    inputs = example_inputs(route["family"], roles)
    model = build(route)
    untouched = copy.deepcopy(model)
    output_names = with_signature(model, kind, roles)
    outputs, weights, loss, gradients = reference(model, route, inputs)
    if route["exporter"] == "optimum":
        proto = export_with_optimum(path, route, untouched)
    else:
        proto = export(path, route, model, roles, inputs, output_names)
    for converter in route["convert"]:
        CONVERTERS[converter](path, model.config)
        proto = onnx.load(str(path))
    initializers = {i.name for i in proto.graph.initializer}
    graph_inputs = [v.name for v in proto.graph.input if v.name not in initializers]
    matched, missing, missing_values = match(proto.graph, model, gradients)
    heads = {}
    if kind != "classifier":
        classifier, references = head_references(model, route, inputs)
        for head, (logits, r, own, head_gradients) in references.items():
            head_matched, head_missing, _ = match(proto.graph, model, head_gradients)
            for own_name, gradient in own.items():
                head_matched[own_name] = {"parameter": own_name, "transposed": False, **array_json(gradient)}
            heads[head] = {
                **classifier,
                "logits": array_json(logits),
                "R": array_json(r)["data"],
                "gradients": head_matched,
                "unmatched": head_missing,
            }
    record = {
        "variant": name,
        "layers": model.config.num_hidden_layers,
        "route": {**route, "torch": torch.__version__, "transformers": transformers.__version__},
        "opset": next(o.version for o in proto.opset_import if o.domain in ("", "ai.onnx")),
        "inputs": {role: {"name": graph_inputs[i], **array_json(inputs[role])} for i, role in enumerate(roles)},
        "outputs": [
            {"name": proto.graph.output[i].name, "kind": "tokens" if kind in TOKEN_HEADS else kind_, **array_json(outputs[i]), "R": array_json(weights[i])["data"]}
            for i, kind_ in enumerate(output_names)
        ],
        "loss": loss,
        "gradients": matched,
        "unmatched": missing,
        "unmatchedParameters": missing_values,
        "heads": heads,
        "patterns": route["patterns"],
        "longest": family.longest(route["settings"]) if is_dynamic and not route["convert"] else None,
        "dropout": dropout_reference(model, route, inputs) if kind == "classifier" and not route["convert"] else None,
    }
    (folder / f"{name}.json").write_text(json.dumps(record))
    return len(matched), len(missing)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", default="", help="write only variants whose name contains this")
    parser.add_argument("--prefix", default="", help="put this before every variant's name")
    parser.add_argument("--part", default="1/1", help="write every n-th variant, from the i-th on: i/n")
    parser.add_argument("--list", action="store_true", help="print the variants' names and stop")
    options = parser.parse_args()
    torch.set_num_threads(1)
    named = [(options.prefix + name, route) for name, route in variants().items() if options.only in name]
    first, count = map(int, options.part.split("/"))
    chosen = dict(named[first - 1 :: count])
    if options.list:
        print("\n".join(chosen))
        return 0
    options.folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for name, route in chosen.items():
        started = time.time()
        try:
            with open(os.devnull, "w") as quiet:
                stdout, sys.stdout = sys.stdout, quiet
                try:
                    matched, missing = write(options.folder, name, route)
                finally:
                    sys.stdout = stdout
            print(f"{name}: {matched} parameters matched, {missing} not, {time.time() - started:.1f} s", flush=True)
        except Exception as error:  # one exporter's failure must not hide the others
            failed.append(name)
            print(f"{name}: FAILED {type(error).__name__}: {str(error).splitlines()[0][:300]}", flush=True)
    print(f"{len(chosen) - len(failed)} variants written, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
