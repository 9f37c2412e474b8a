"""What optimizers and converters make of an exported file: each rewrites the file at a path."""

import functools
import pathlib
import shutil
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.transformers.fusion_options import AttentionMaskFormat, FusionOptions
from onnxruntime.transformers.optimizer import optimize_model


def optimized(path, config, *, level=0, half=None, **options):
    """onnxruntime.transformers' optimizer; `options` go to its fusions, `half` to its conversion to float16."""
    fusion = FusionOptions("bert")
    for name, value in options.items():
        assert hasattr(fusion, name), name
        setattr(fusion, name, value)
    model = optimize_model(
        str(path), model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size,
        optimization_options=fusion, opt_level=level, use_gpu=False,
    )
    if half is not None:
        model.convert_float_to_float16(**half)
    model.save_model_to_file(str(path))


def saved_by_runtime(path, _, level):
    """What a session of this graph optimization level runs."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.optimized_model_filepath = f"{path}.optimized"
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    shutil.move(options.optimized_model_filepath, path)


def simplified(path, _):
    import onnxsim

    model, sound = onnxsim.simplify(str(path))
    assert sound
    onnx.save(model, str(path))


def slimmed(path, _):
    import onnxslim

    onnx.save(onnxslim.slim(str(path)), str(path))


def in_float16(path, _, **options):
    """The converter of onnxconverter-common."""
    from onnxconverter_common import float16

    onnx.save(float16.convert_float_to_float16(onnx.load(str(path)), **options), str(path))


def weights_in(path, _, dtype):
    """Weights in a 16-bit type, cast to float32 where they are read."""
    model = onnx.load(str(path))
    casts = []
    for initializer in model.graph.initializer:
        if initializer.data_type != TensorProto.FLOAT or not initializer.dims:
            continue
        values = numpy_helper.to_array(initializer).astype(helper.tensor_dtype_to_np_dtype(dtype))
        read = initializer.name
        stored = numpy_helper.from_array(np.asarray(values), f"{read}.16")
        initializer.CopyFrom(stored)
        casts.append(helper.make_node("Cast", [stored.name], [read], name=f"cast/{read}", to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    onnx.save(model, str(path))


def optimized_by_optimum(path, config, level):
    from optimum.onnxruntime import AutoOptimizationConfig, ORTOptimizer

    with tempfile.TemporaryDirectory() as folder:
        ORTOptimizer([path], config).optimize(getattr(AutoOptimizationConfig, level)(), folder, file_suffix=None)
        shutil.copy(pathlib.Path(folder) / path.name, path)


RAW_MASK = AttentionMaskFormat.AttentionMask
FEW = dict(enable_embed_layer_norm=False, enable_bias_skip_layer_norm=False, enable_bias_gelu=False)
NORMALIZATIONS = ["LayerNormalization", "SkipLayerNormalization", "EmbedLayerNormalization", "ReduceMean", "Softmax"]
BLOCKED = dict(keep_io_types=True, op_block_list=NORMALIZATIONS)

CONVERTERS = {
    **{f"ort{level}": functools.partial(optimized, level=level) for level in (0, 1, 2, 99)},
    "ort-raw-mask": functools.partial(optimized, attention_mask_format=RAW_MASK),
    "ort-mha": functools.partial(optimized, use_multi_head_attention=True),
    "ort-mha-nobias": functools.partial(optimized, use_multi_head_attention=True, disable_multi_head_attention_bias=True),
    "ort-tanh-gelu": functools.partial(optimized, enable_gelu_approximation=True),
    "ort-few": functools.partial(optimized, **FEW),
    "ort-fp16": functools.partial(optimized, half=dict(keep_io_types=False)),
    "ort-fp16-block": functools.partial(optimized, half=BLOCKED),
    **{f"optimum-{level}": functools.partial(optimized_by_optimum, level=level) for level in ("O1", "O2", "O3", "O4")},
    "runtime-basic": functools.partial(saved_by_runtime, level="ORT_ENABLE_BASIC"),
    "runtime-extended": functools.partial(saved_by_runtime, level="ORT_ENABLE_EXTENDED"),
    "onnxsim": simplified,
    "onnxslim": slimmed,
    "fp16": in_float16,
    "fp16-io": functools.partial(in_float16, keep_io_types=True),
    "fp16-block": functools.partial(in_float16, **BLOCKED),
    "bf16-weights": functools.partial(weights_in, dtype=TensorProto.BFLOAT16),
}
