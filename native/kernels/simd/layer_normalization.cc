#include "layer_normalization.h"

#include <math.h>

#include "dropout_lanes.h"

namespace sesd::SESD_SIMD {

namespace {

// Normalizes one row, whose sum is `total`, from y into y and normalized.
void normalize_row(const ResidualNormalization& op, Float total, int64_t row) {
  float* y = op.y + row * op.width;
  float* normalized = op.normalized == nullptr ? nullptr : op.normalized + row * op.width;
  const auto width = static_cast<float>(op.width);
  const Float mean = splat(sum(total) / width);
  Float squares = zero();
  for_each_vector(op.width, [&](int64_t i, auto lanes) {
    const Float centered = keep(load(y + i, lanes) - mean, lanes);
    squares = fma(centered, centered, squares);
  });
  const float inv_std_dev = 1.0f / sqrtf(sum(squares) / width + op.epsilon);
  if (op.inv_std_dev != nullptr) op.inv_std_dev[row] = inv_std_dev;
  const Float inv = splat(inv_std_dev);
  for_each_vector(op.width, [&](int64_t i, auto lanes) {
    const Float n = (load(y + i, lanes) - mean) * inv;
    if (normalized != nullptr) store(normalized + i, n, lanes);
    store(y + i, fma(n, load(op.scale + i, lanes), load(op.shift + i, lanes)), lanes);
  });
}

}  // namespace

void residual_layer_normalization(const ResidualNormalization& op, int64_t first, int64_t last) {
  const Float factor = splat(op.stream.factor);
  for (int64_t row = first; row < last; row++) {
    const int64_t start = row * op.width;
    const float *x = op.x + start, *residual = op.residual + start;
    float* y = op.y + start;
    DropoutLanes kept(op.stream, static_cast<uint32_t>(start));
    Float total = zero();
    for_each_vector(op.width, [&](int64_t i, auto lanes) {
      Float r = load(x + i, lanes);
      if (op.bias != nullptr) r = r + load(op.bias + i, lanes);
      if (!op.stream.off) r = select(kept.next(), r * factor, zero());
      r = r + load(residual + i, lanes);
      store(y + i, r, lanes);
      total = total + r;
    });
    normalize_row(op, total, row);
  }
}

// With n = normalized and d = dY·scale: d_input = inv_std_dev·(d − mean(d) − n·mean(d·n)).
void layer_normalization_grad(const NormalizationGrad& op, int64_t first, int64_t last,
                              const NormalizationGrad::Sums& sums) {
  const Float factor = splat(op.stream.factor);
  for (int64_t row = first; row < last; row++) {
    const int64_t start = row * op.width;
    const float *d_y = op.d_y + start, *x = op.x + start;
    float* d_input = op.d_input + start;
    float* d_x = op.d_x == nullptr ? nullptr : op.d_x + start;
    const Float inv = splat(op.inv_std_dev[row]);
    const Float mean = splat(op.mean == nullptr ? 0.0f : op.mean[row]);
    const auto normalized = [&](int64_t i, auto lanes) {
      const Float value = load(x + i, lanes);
      return op.mean == nullptr ? value : (value - mean) * inv;
    };

    Float d_total = zero(), dn_total = zero();
    for_each_vector(op.width, [&](int64_t i, auto lanes) {
      const Float dy = load(d_y + i, lanes), n = normalized(i, lanes);
      store(sums.d_scale + i, fma(dy, n, load(sums.d_scale + i, lanes)), lanes);
      store(sums.d_shift + i, dy + load(sums.d_shift + i, lanes), lanes);
      const Float d = dy * load(op.scale + i, lanes);
      d_total = d_total + d;
      dn_total = fma(d, n, dn_total);
    });

    const auto width = static_cast<float>(op.width);
    const Float d_mean = splat(sum(d_total) / width), dn_mean = splat(sum(dn_total) / width);
    DropoutLanes kept(op.stream, static_cast<uint32_t>(start));
    for_each_vector(op.width, [&](int64_t i, auto lanes) {
      const Float d = load(d_y + i, lanes) * load(op.scale + i, lanes);
      const Float through = inv * fnma(normalized(i, lanes), dn_mean, d - d_mean);
      store(d_input + i, through, lanes);
      const Float dx = op.stream.off ? through : select(kept.next(), through * factor, zero());
      if (d_x != nullptr) store(d_x + i, dx, lanes);
      if (sums.d_bias != nullptr) store(sums.d_bias + i, load(sums.d_bias + i, lanes) + dx, lanes);
    });
  }
}

}  // namespace sesd::SESD_SIMD
