#include "gather_elements.h"

#include <algorithm>
#include <stdexcept>

#include "rows.h"

namespace sesd {

namespace {

// Where the row of indices lies among the rows of the data, which may be more along any axis.
int64_t row_of_data(int64_t row, const Dims& indices, const Dims& data) {
  int64_t result = 0, stride = 1;
  for (size_t axis = indices.size() - 1; axis-- > 0;) {
    result += row % indices[axis] * stride;
    row /= indices[axis];
    stride *= data[axis];
  }
  return result;
}

void add_up(const int64_t* indices, const float* d_y, int64_t count, float* data, int64_t width) {
  for (int64_t i = 0; i < count; i++) {
    const int64_t index = indices[i] < 0 ? indices[i] + width : indices[i];
    if (index < 0 || index >= width) {
      throw std::invalid_argument("sesd::GatherElementsGrad: index " + std::to_string(indices[i]) + " is outside a row of " +
                                  std::to_string(width));
    }
    data[index] += d_y[i];
  }
}

}  // namespace

void GatherElementsGrad::compute(const Context& context) const {
  const Dims dims = context.dims(0);
  require_shape(kName, "dY", context.dims(1), dims);
  require_count(kName, "shape", context.dims(2), static_cast<int64_t>(dims.size()));
  const auto* shape = context.input<int64_t>(2);
  const Dims data(shape, shape + dims.size());
  const int64_t width = width_of(kName, "shape", data), count = width_of(kName, "indices", dims);
  for (size_t axis = 0; axis + 1 < dims.size(); axis++) {
    if (dims[axis] > data[axis]) {
      throw std::invalid_argument("sesd::GatherElementsGrad: indices " + to_string(dims) + " are more than the rows of " +
                                  to_string(data));
    }
  }
  const auto* indices = context.input<int64_t>(0);
  const auto* d_y = context.input<float>(1);
  float* d_data = context.output(0, data);

  const int64_t rows = rows_of(dims);
  const bool whole = rows == rows_of(data);
  if (!whole) std::fill_n(d_data, element_count(data), 0.0f);
  const size_t blocks = row_blocks(rows);
  context.parallel_for(blocks, [&](size_t index) {
    const Block part = block(rows, index, blocks);
    for (int64_t row = part.first; row < part.last; row++) {
      float* to = d_data + (whole ? row : row_of_data(row, dims, data)) * width;
      if (whole) std::fill_n(to, width, 0.0f);
      add_up(indices + row * count, d_y + row * count, count, to, width);
    }
  });
}

}  // namespace sesd
