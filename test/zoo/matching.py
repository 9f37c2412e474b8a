"""Which initializers of a file hold which parameters of a model, told by their values."""

import numpy as np
import onnx
from onnx import numpy_helper

FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)


def array_json(array):
    flat = np.asarray(array).reshape(-1)
    if flat.dtype.kind == "f":
        values = [float(f"{v:.9g}") for v in flat]
    else:
        values = [int(v) for v in flat]
    return {"dims": list(np.asarray(array).shape), "data": values}


def match(graph, model, gradients):
    """
    Three dictionaries. By initializer: the gradient of the parameter it holds, or of its transpose; or of those it holds
    side by side (query, key and value in one); or a list, where several parameters have its value. By parameter, of
    those no initializer holds: their gradients, and their values.
    """
    values = {name: p.detach().numpy() for name, p in model.named_parameters() if name in gradients}
    by_value = {}
    for name, value in values.items():
        by_value.setdefault(key(value), []).append((name, False))
        if value.ndim == 2 and key(value.T) != key(value):
            by_value.setdefault(key(value.T), []).append((name, True))
    found, held = {}, set()
    for initializer, array in float_constants(graph).items():
        holders = [[holder] for holder in by_value.get(key(array), [])] or packed(array, by_value)
        claimed = [parts for parts in holders if not held.intersection(name for name, _ in parts)]
        if not claimed:
            continue
        entries = [expected(parts, gradients) for parts in claimed]
        found[initializer] = entries[0] if len(entries) == 1 else entries
        held.update(name for parts in claimed for name, _ in parts)
    missing = {name: value for name, value in values.items() if name not in held}
    return found, {n: array_json(gradients[n]) for n in missing}, {n: array_json(v) for n, v in missing.items()}


def key(array):
    """Whatever its shape: a vector that is only added may be stored as [1, heads, 1, size]."""
    return np.ascontiguousarray(array).tobytes()


def float_constants(graph):
    """Name -> array, in float32, of the initializers and of the Constant nodes."""
    tensors = {i.name: i for i in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensors[node.output[0]] = node.attribute[0].t
    return {n: numpy_helper.to_array(t).astype(np.float32) for n, t in tensors.items() if t.data_type in FLOATS and t.dims}


def packed(array, by_value):
    """The parameters whose values lie side by side along the last axis: at most one list of (name, transposed)."""
    for count in (3, 2):
        if array.shape[-1] % count == 0:
            parts = [by_value.get(key(part)) for part in np.split(array, count, axis=-1)]
            if all(parts):
                return [[holders[0] for holders in parts]]
    return []


def expected(parts, gradients):
    turned = [gradients[name].T if transposed else gradients[name] for name, transposed in parts]
    gradient = turned[0] if len(turned) == 1 else np.concatenate(turned, axis=-1)
    return {"parameter": ", ".join(name for name, _ in parts), "transposed": parts[0][1], **array_json(gradient)}
