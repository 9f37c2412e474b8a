"""Writes operators.ts: what the operators of ai.onnx opset 18 (newer ones: 24) and of com.microsoft take.

    python src/graph/opset/operators.py        needs: pip install onnx onnxruntime
"""

from pathlib import Path

from onnx import defs
from onnxruntime.capi import _pybind_state as runtime

CANONICAL, NEWEST = 18, 24
# Of the runtime's own operators those that stand in float transformers.
CONTRIB = """Attention BiasAdd BiasDropout BiasGelu BiasSoftmax BiasSplitGelu DecoderAttention EmbedLayerNormalization
ExpandDims FastGelu FusedConv FusedGemm FusedMatMul FusedMatMulActivation GatedRelativePositionBias Gelu
GemmFastGelu GroupQueryAttention Inverse LongformerAttention MultiHeadAttention PackedAttention
PackedMultiHeadAttention Pad QuickGelu RelativePositionBias RemovePadding RestorePadding RotaryEmbedding
SkipGroupNorm SkipLayerNormalization SkipSimplifiedLayerNormalization SparseAttention Trilu
Unique""".split()
UNLIMITED = 2**31 - 1


def standard():
    """The schemas of ai.onnx, and those the runtime adds to that domain."""
    schemas = {}
    for name in {schema.name for schema in defs.get_all_schemas() if schema.domain == ""}:
        for version in (CANONICAL, NEWEST):
            try:
                schemas[name] = defs.get_schema(name, version)
                break
            except defs.SchemaError:
                continue
    for schema in runtime.get_all_operator_schema():
        if schema.domain == "":
            schemas.setdefault(schema.name, schema)
    return schemas


def contrib():
    schemas = [schema for schema in runtime.get_all_operator_schema() if schema.domain == "com.microsoft"]
    return {f"com.microsoft::{schema.name}": schema for schema in schemas if schema.name in CONTRIB}


def attribute(name, description):
    kind = str(description.type).rsplit(".")[-1].lower()
    return f"{name}:{kind}" + ("!" if description.required else "")


def absent(schema):
    """Inputs that may be empty names though others must follow them."""
    places = [i for i, each in enumerate(schema.inputs[: schema.min_input]) if str(each.option).endswith("Optional")]
    return "?" + ",".join(map(str, places)) if places else ""


def line(name, schema):
    counts = [schema.min_input, schema.max_input, schema.min_output, schema.max_output]
    shown = ["*" if count == UNLIMITED else str(count) for count in counts]
    attributes = [attribute(key, value) for key, value in sorted(schema.attributes.items())]
    return " ".join([name, f"{shown[0]}-{shown[1]}{absent(schema)}", f"{shown[2]}-{shown[3]}", *attributes])


def main():
    lines = [line(name, schema) for name, schema in [*sorted(standard().items()), *sorted(contrib().items())]]
    (Path(__file__).parent / "operators.ts").write_text(
        "// Written by operators.py; not to be edited.\n\n"
        "/**\n"
        " * The operators of ai.onnx opset 18 (those that are newer, of 24) and of com.microsoft, one a line: the fewest and\n"
        " * most inputs (after ? those that may be absent all the same), the fewest and most outputs (* for any number),\n"
        " * attributes with their kinds, ! where required.\n"
        " */\n"
        "export const operatorTable = `\n" + "\n".join(lines) + "\n`;\n"
    )


if __name__ == "__main__":
    main()
