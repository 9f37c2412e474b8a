#include "layer_normalization.h"

#include "rows.h"
#include "simd/layer_normalization.h"

namespace sesd {

namespace {

// Runs a gradient over blocks of rows and writes its column sums; those that are null are not wanted.
void run_grad(const Context& context, const NormalizationGrad& op, int64_t rows,
              const NormalizationGrad::Sums& outputs) {
  static const auto layer_normalization_grad = SESD_SIMD_CHOOSE(layer_normalization_grad);
  const int64_t width = op.width;
  const size_t blocks = row_blocks(rows);
  const ColumnSums sums(blocks, 3 * width);
  context.parallel_for(blocks, [&](size_t index) {
    const auto [first, last] = block(rows, index, blocks);
    float* start = sums.start(index);
    layer_normalization_grad(op, first, last,
                             {start, start + width, outputs.d_bias == nullptr ? nullptr : start + 2 * width});
  });
  sums.finish(0, width, outputs.d_scale);
  sums.finish(width, width, outputs.d_shift);
  sums.finish(2 * width, width, outputs.d_bias);
}

}  // namespace

void LayerNormalizationGrad::compute(const Context& context) const {
  const Dims dims = context.dims(1);
  const int64_t width = width_of(kName, "X", dims), rows = rows_of(dims);
  require_count(kName, "dY", context.dims(0), rows * width);
  require_count(kName, "scale", context.dims(2), width);
  require_count(kName, "mean", context.dims(3), rows);
  require_count(kName, "invStdDev", context.dims(4), rows);
  NormalizationGrad op{};
  op.width = width;
  op.d_y = context.input<float>(0);
  op.x = context.input<float>(1);
  op.scale = context.input<float>(2);
  op.mean = context.input<float>(3);
  op.inv_std_dev = context.input<float>(4);
  op.d_input = context.output(0, dims);
  run_grad(context, op, rows, {context.output(1, {width}), context.output(2, {width}), nullptr});
}

void ResidualLayerNormalization::compute(const Context& context) const {
  static const auto residual_layer_normalization = SESD_SIMD_CHOOSE(residual_layer_normalization);
  const Dims dims = context.dims(0);
  const int64_t width = width_of(kName, "x", dims), rows = rows_of(dims);
  if (context.has_input(1)) require_count(kName, "bias", context.dims(1), width);
  require_count(kName, "residual", context.dims(2), rows * width);
  require_count(kName, "scale", context.dims(3), width);
  require_count(kName, "shift", context.dims(4), width);
  ResidualNormalization op{};
  op.width = width;
  op.epsilon = epsilon_;
  op.x = context.input<float>(0);
  op.bias = context.input<float>(1);
  op.residual = context.input<float>(2);
  op.scale = context.input<float>(3);
  op.shift = context.input<float>(4);
  op.y = context.output(0, dims);
  op.normalized = context.output(1, dims);
  op.inv_std_dev = context.output(2, {rows});
  op.stream = dropout_.stream(context, 5);
  const size_t blocks = row_blocks(rows);
  context.parallel_for(blocks, [&](size_t index) {
    const auto [first, last] = block(rows, index, blocks);
    residual_layer_normalization(op, first, last);
  });
}

void ResidualLayerNormalizationGrad::compute(const Context& context) const {
  const Dims dims = context.dims(0);
  const int64_t width = width_of(kName, "dY", dims), rows = rows_of(dims);
  require_count(kName, "normalized", context.dims(1), rows * width);
  require_count(kName, "invStdDev", context.dims(2), rows);
  require_count(kName, "scale", context.dims(3), width);
  NormalizationGrad op{};
  op.width = width;
  op.d_y = context.input<float>(0);
  op.x = context.input<float>(1);
  op.inv_std_dev = context.input<float>(2);
  op.scale = context.input<float>(3);
  op.d_x = context.output(0, dims);
  op.d_input = context.output(2, dims);
  op.stream = dropout_.stream(context, 4);
  float* d_bias = context.output(1, {width});
  run_grad(context, op, rows, {context.output(3, {width}), context.output(4, {width}), d_bias});
}

}  // namespace sesd
