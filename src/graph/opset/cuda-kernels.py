"""Writes cuda-kernels.ts: the element types ONNX Runtime's CUDA kernels of ai.onnx opset 18 take.

    python src/graph/opset/cuda-kernels.py OperatorKernels.md        needs: pip install onnx

The argument is docs/OperatorKernels.md of microsoft/onnxruntime, or the rows of it that are wanted.
"""

import re
import sys
from pathlib import Path

from onnx import defs

CANONICAL = 18
NAMES = {"float": "float32", "double": "float64"}


def rows(text):
    """(operator, parameters, versions, types) of the CUDA provider's table for ai.onnx."""
    section = text.split("## Operators implemented by CUDAExecutionProvider")[1].split("\n## ")[0]
    name = parameters = domain = ""
    for line in section.splitlines():
        if "**Operator Domain:**" in line:
            domain = line
        cells = line.strip("|").split("|") if line.startswith("|") else []
        if line.startswith("|||"):
            cells = ["", "", *line[3:].strip("|").split("|")]
        if len(cells) != 4 or "ai.onnx" not in domain or "**" not in cells[3]:
            continue
        name, parameters = cells[0] or name, cells[1] or parameters
        yield name, parameters, cells[2], cells[3]


def fits(versions, since):
    """Whether a node of an operator that is as it is since a version finds a kernel: one without an end fits exactly."""
    numbers = [int(number) for number in re.findall(r"\d+", versions)]
    if versions.endswith("+"):
        return numbers[0] == since
    return numbers[0] <= since <= numbers[-1]


def types_of(cell):
    found = re.findall(r"\*\*(\w+)\*\* = ((?:(?:seq\()?tensor\(\w+\)\)?(?:, )?)+)", cell)
    return {name: [NAMES.get(each, each) for each in re.findall(r"(?<!seq\()tensor\((\w+)\)", kinds)] for name, kinds in found}


def parameters_of(cell, types):
    """Types of inputs and outputs, of the newest of the forms the operator has had."""
    for form in cell.split("<br><br>or<br><br>"):
        found = re.findall(r"\*(in|out)\* [\w.]+:\*\*(\w+|tensor\(\w+\))\*\*", form)
        if all(kind in types or "(" in kind or kind == "Tind" for _, kind in found):
            return found
    raise ValueError(cell)


def line(name, since, cell, types):
    schema = defs.get_schema(name, CANONICAL)

    def kinds(direction, formals):
        plain = [kind[7:-1] if "(" in kind else kind for way, kind in parameters_of(cell, types) if way == direction]
        many = formals and str(formals[-1].option).endswith("Variadic")
        return ",".join(plain) + ("*" if many else "")

    shown = " ".join(f"{kind}={','.join(each)}" for kind, each in types.items())
    return f"{name} {since} {kinds('in', schema.inputs)} {kinds('out', schema.outputs)} {shown}"


def main():
    lines = []
    for name, parameters, versions, cell in rows(Path(sys.argv[1]).read_text()):
        try:
            since = defs.get_schema(name, CANONICAL).since_version
        except defs.SchemaError:
            continue  # newer, or the runtime's own
        if fits(versions, since):
            lines.append(line(name, since, parameters, types_of(cell)))
    (Path(__file__).parent / "cuda-kernels.ts").write_text(
        "// Written by cuda-kernels.py; not to be edited.\n\n"
        "/**\n"
        " * Kernels of ONNX Runtime's CUDA provider for ai.onnx opset 18, one a line: the operator, the version it has the\n"
        " * signature of, the types of its inputs and outputs (* for any number of the last), and what each may be.\n"
        " *\n"
        " * Source: docs/OperatorKernels.md of github.com/microsoft/onnxruntime, commit\n"
        " * 001d12d2623fd411ce0f83d05abb5e82304a3389, the rows of operators that stand in transformers and their gradients.\n"
        " * Names, versions and types agree with the kernels the 1.28.0 library has in its symbols.\n"
        " */\n"
        "export const cudaKernelTable = `\n" + "\n".join(sorted(lines)) + "\n`;\n"
    )


if __name__ == "__main__":
    main()
