#include "embedding.h"

#include <algorithm>
#include <stdexcept>

#include "rows.h"

namespace sesd {

void EmbeddingGrad::compute(const Context& context) const {
  const Dims dims = context.dims(1);
  const int64_t width = width_of(kName, "dY", dims), count = element_count(context.dims(0));
  require_count(kName, "dY", dims, count * width);
  const auto* indices = context.input<int64_t>(0);
  const auto* d_y = context.input<float>(1);
  require_count(kName, "rows", context.dims(2), 1);
  const int64_t height = *context.input<int64_t>(2);
  if (height < 1) {
    throw std::invalid_argument("sesd::EmbeddingGrad: rows must be at least 1, found " + std::to_string(height));
  }
  for (int64_t i = 0; i < count; i++) {
    if (indices[i] < -height || indices[i] >= height) {
      throw std::invalid_argument("sesd::EmbeddingGrad: index " + std::to_string(indices[i]) +
                                  " is outside a table of " + std::to_string(height) + " rows");
    }
  }
  float* table = context.output(0, {height, width});

  // A block owns some rows of a tall table or some columns of a low one, so no two write the same place.
  constexpr size_t kBlocks = 16;
  const bool tall = height >= 4096;
  context.parallel_for(kBlocks, [&](size_t index) {
    const Block rows = tall ? block(height, index, kBlocks) : Block{0, height};
    const Block columns = tall ? Block{0, width} : block(width, index, kBlocks);
    if (tall) {
      std::fill(table + rows.first * width, table + rows.last * width, 0.0f);
    } else {
      for (int64_t row = 0; row < height; row++) {
        std::fill(table + row * width + columns.first, table + row * width + columns.last, 0.0f);
      }
    }
    for (int64_t i = 0; i < count; i++) {
      const int64_t row = indices[i] < 0 ? indices[i] + height : indices[i];
      if (row < rows.first || row >= rows.last) continue;
      const float* from = d_y + i * width;
      float* to = table + row * width;
      for (int64_t column = columns.first; column < columns.last; column++) to[column] += from[column];
    }
  });
}

}  // namespace sesd
