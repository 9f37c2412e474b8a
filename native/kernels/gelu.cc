#include "gelu.h"

#include <stdexcept>

#include "rows.h"
#include "simd/gelu.h"

namespace sesd {

BiasGelu::BiasGelu(const Attributes& attributes) {
  const std::string approximate = attributes.get_string("approximate", "none");
  if (approximate != "none" && approximate != "tanh") {
    throw std::invalid_argument("sesd::BiasGelu: approximate must be none or tanh, found " + approximate);
  }
  approximate_ = approximate == "tanh";
}

void BiasGelu::compute(const Context& context) const {
  static const auto bias_gelu = SESD_SIMD_CHOOSE(bias_gelu);
  const Dims dims = context.dims(0);
  const int64_t width = width_of(kName, "x", dims), rows = rows_of(dims);
  if (context.has_input(1)) require_count(kName, "bias", context.dims(1), width);
  const float *x = context.input<float>(0), *bias = context.input<float>(1);
  float *y = context.output(0, dims), *derivative = context.output(1, dims);
  const size_t blocks = row_blocks(rows);
  context.parallel_for(blocks, [&](size_t index) {
    const auto [first, last] = block(rows, index, blocks);
    const int64_t start = first * width;
    bias_gelu(x + start, bias, y + start, derivative == nullptr ? nullptr : derivative + start, last - first, width,
              approximate_);
  });
}

void BiasGeluGrad::compute(const Context& context) const {
  static const auto bias_gelu_grad = SESD_SIMD_CHOOSE(bias_gelu_grad);
  const Dims dims = context.dims(0);
  const int64_t width = width_of(kName, "dY", dims), rows = rows_of(dims);
  require_count(kName, "derivative", context.dims(1), rows * width);
  const float *d_y = context.input<float>(0), *derivative = context.input<float>(1);
  float *d_x = context.output(0, dims), *d_bias = context.output(1, {width});
  const size_t blocks = row_blocks(rows);
  const ColumnSums sums(blocks, width);
  context.parallel_for(blocks, [&](size_t index) {
    const auto [first, last] = block(rows, index, blocks);
    const int64_t start = first * width;
    bias_gelu_grad(d_y + start, derivative + start, d_x + start, d_bias == nullptr ? nullptr : sums.start(index),
                   last - first, width);
  });
  sums.finish(0, width, d_bias);
}

}  // namespace sesd
