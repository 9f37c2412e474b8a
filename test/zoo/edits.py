"""What is done to a file after its export."""

import numpy as np
import onnx
from onnx import helper, numpy_helper


def initializers_to_constants(proto):
    """Weights as Constant nodes, as some converters write them."""
    nodes = [helper.make_node("Constant", [], [i.name], name=f"const/{i.name}", value=i) for i in proto.graph.initializer]
    rest = list(proto.graph.node)
    del proto.graph.initializer[:]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes + rest)


def cast_inputs_from_int32(proto):
    """int32 graph inputs, cast to int64 inside."""
    casts = []
    for value in proto.graph.input:
        inner = f"{value.name}_int64"
        for node in proto.graph.node:
            for index, name in enumerate(node.input):
                if name == value.name:
                    node.input[index] = inner
        value.type.tensor_type.elem_type = onnx.TensorProto.INT32
        casts.append(helper.make_node("Cast", [value.name], [inner], name=f"cast/{value.name}", to=onnx.TensorProto.INT64))
    rest = list(proto.graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend(casts + rest)


def anonymous_nodes(proto):
    """Node names stripped and every internal value numbered, as graph simplifiers leave them."""
    keep = {v.name for v in proto.graph.input} | {v.name for v in proto.graph.output}
    names = {}

    def rename(name):
        if name == "" or name in keep:
            return name
        return names.setdefault(name, str(len(names)))

    for initializer in proto.graph.initializer:
        initializer.name = rename(initializer.name)
    for node in proto.graph.node:
        node.name = ""
        node.input[:] = [rename(n) for n in node.input]
        node.output[:] = [rename(n) for n in node.output]
    del proto.graph.value_info[:]


def mask_probabilities(proto):
    """Zeros put after Softmax where a Where masks the scores before it, as DeBERTa's exports of transformers 4 have it."""
    producers = {output: node for node in proto.graph.node for output in node.output}
    nodes = []
    for node in proto.graph.node:
        nodes.append(node)
        if node.op_type != "Softmax":
            continue
        masked, zero = producers[node.input[0]].input[0], f"{node.name}/zero"
        inner, node.output[0] = node.output[0], f"{node.output[0]}/unmasked"
        nodes.append(helper.make_node("Constant", [], [zero], name=zero, value=numpy_helper.from_array(np.float32(0))))
        nodes.append(helper.make_node("Where", [masked, zero, node.output[0]], [inner], name=f"{node.name}/masked"))
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


def number_examples(proto):
    """An input that only goes to an output of its own, as the examples' numbers in Google's exports."""
    number = helper.make_tensor_value_info("unique_ids_raw_output___9:0", onnx.TensorProto.INT64, ["examples"])
    proto.graph.input.append(number)
    proto.graph.output.append(helper.make_tensor_value_info("unique_ids:0", onnx.TensorProto.INT64, ["examples"]))
    proto.graph.node.append(helper.make_node("Identity", [number.name], ["unique_ids:0"], name="unique_ids"))


EDITS = {
    "numbered": number_examples,
    "constants": initializers_to_constants,
    "int32": cast_inputs_from_int32,
    "anonymous": anonymous_nodes,
    "masked": mask_probabilities,
}
