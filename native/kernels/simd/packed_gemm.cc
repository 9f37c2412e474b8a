#include "packed_gemm.h"

#include "vec.h"

namespace sesd::SESD_SIMD {

namespace {

constexpr int64_t kTileColumns = kTileVectors * kLanes;
static_assert(kGemmPanel % kTileColumns == 0, "a panel is made of whole tiles");
static_assert(kLanes <= kGemmSlack && kTileRows <= 8, "packing stays inside its memory");

Float load_up_to(const float* p, int64_t n) { return n >= kLanes ? load(p) : n > 0 ? load_first(p, n) : zero(); }

// A part of the second-level cache that is surely there.
constexpr int64_t kCachedFloats = 1 << 16;

// What a lane of a packed operand is, made of numbers that lie beside each other along the depth (`neighbours`, n of
// them left) or whose successors along the depth are a stride away (`across`), and how two lanes are multiplied.
struct Float32 {
  static constexpr int kDepth = 1;
  static Float neighbours(const float* p, int64_t n) { return load_up_to(p, n); }
  static Float across(const float* p, int64_t n, const float*) { return load_up_to(p, n); }
  static Float multiply_add(Float a, Float b, Float c) { return fma(a, b, c); }
};

#if defined(__AVX512BF16__)
struct Bf16 {
  static constexpr int kDepth = 2;
  static Float neighbours(const float* p, int64_t n) {
    return bf16_neighbours(load_up_to(p, n), load_up_to(p + kLanes, n - kLanes));
  }
  // `next` is null after the last.
  static Float across(const float* p, int64_t n, const float* next) {
    return bf16_pairs(load_up_to(p, n), next == nullptr ? zero() : load_up_to(next, n));
  }
  static Float multiply_add(Float a, Float b, Float c) { return dot_pairs(a, b, c); }
};
#else
struct Bf16 {
  static constexpr int kDepth = 1;
  static Float neighbours(const float* p, int64_t n) { return rounded_to_bf16(load_up_to(p, n)); }
  static Float across(const float* p, int64_t n, const float*) { return rounded_to_bf16(load_up_to(p, n)); }
  static Float multiply_add(Float a, Float b, Float c) { return fma(a, b, c); }
};
#endif

// An operand from some row (of A) or column (of B) and some depth on.
struct Operand {
  const float* data;
  int64_t stride;
  bool deep;  // whether neighbours in memory are neighbours along the depth, or else rows (columns)
};

Operand operand(const float* data, int64_t width, int64_t depth, bool deep, int64_t at, int64_t from) {
  return deep ? Operand{data + at * depth + from, depth, true} : Operand{data + from * width + at, width, false};
}

template <class Number>
int64_t floats_deep(int64_t depth) {
  return (depth + Number::kDepth - 1) / Number::kDepth;
}

// To [floats_deep(depth)][kWidth], zeros beyond `width`. Whole vectors are stored: what they write too much is written
// over by the vectors before it and by the next depth, up to the slack behind the last.
template <class Number, int64_t kWidth>
void pack(Operand from, int64_t width, int64_t depth, float* to) {
  constexpr int64_t kVectors = (kWidth + kLanes - 1) / kLanes;
  const int64_t floats = floats_deep<Number>(depth);
  if (!from.deep) {
    for (int64_t k = 0; k < floats; k++) {
      const float* row = from.data + k * Number::kDepth * from.stride;
      const float* next = k * Number::kDepth + 1 < depth ? row + from.stride : nullptr;
      for (int64_t at = (kVectors - 1) * kLanes; at >= 0; at -= kLanes) {
        store(to + k * kWidth + at, Number::across(row + at, width - at, next == nullptr ? nullptr : next + at));
      }
    }
    return;
  }
  for (int64_t at = (kVectors - 1) * kLanes; at >= 0; at -= kLanes) {
    for (int64_t k = 0; k < floats; k += kLanes) {
      const float* first = from.data + at * from.stride + k * Number::kDepth;
      Float square[kLanes];
      for (int64_t i = 0; i < kLanes; i++) {
        const bool exists = at + i < kWidth && at + i < width;
        square[i] = exists ? Number::neighbours(first + i * from.stride, depth - k * Number::kDepth) : zero();
      }
      transpose(square);
      const int64_t count = floats - k < kLanes ? floats - k : kLanes;
      for (int64_t i = 0; i < count; i++) store(to + (k + i) * kWidth + at, square[i]);
    }
  }
}

// Where a tile of C lies, and how much of its last columns there is.
struct Target {
  float* data;
  int64_t stride;
  int64_t columns;
  bool add;
};

// kRows × kTileVectors sums stay in registers while the depth passes by.
template <class Number, int kRows>
void multiply_tile(int64_t floats, const float* a, const float* b, Target c) {
  constexpr int64_t kAhead = 8 * kTileColumns;  // B streams from the second-level cache
  Float tile[kRows][kTileVectors];
  for (int i = 0; i < kRows; i++) {
    for (int j = 0; j < kTileVectors; j++) tile[i][j] = zero();
  }
  for (int64_t k = 0; k < floats; k++) {
    Float row[kTileVectors];
    for (int j = 0; j < kTileVectors; j++) {
      row[j] = load(b + j * kLanes);
      prefetch(b + kAhead + j * kLanes);
    }
    for (int i = 0; i < kRows; i++) {
      const Float factor = splat(a[i]);
      for (int j = 0; j < kTileVectors; j++) tile[i][j] = Number::multiply_add(factor, row[j], tile[i][j]);
    }
    a += kTileRows;
    b += kTileColumns;
  }
  for (int i = 0; i < kRows; i++) {
    float* target = c.data + i * c.stride;
    for (int j = 0; j < kTileVectors; j++) {
      const int64_t left = c.columns - j * kLanes;
      if (left <= 0) break;
      float* at = target + j * kLanes;
      if (left >= kLanes) {
        store(at, c.add ? load(at) + tile[i][j] : tile[i][j]);
      } else {
        store_first(at, c.add ? load_first(at, left) + tile[i][j] : tile[i][j], left);
      }
    }
  }
}

// The last tile of a block, of kRows rows or, by recursion, fewer.
template <class Number, int kRows>
void multiply_rows(int64_t rows, int64_t floats, const float* a, const float* b, Target c) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return multiply_rows<Number, kRows - 1>(rows, floats, a, b, c);
  }
  multiply_tile<Number, kRows>(floats, a, b, c);
}

template <class Number>
void pack_columns(const GemmCall& op, Span columns, Span depth, float* packed) {
  const int64_t tile = kTileColumns * floats_deep<Number>(depth.size());
  const int64_t panels = (columns.size() + kGemmPanel - 1) / kGemmPanel;
  for (int64_t i = 0; i < panels * kGemmPanel / kTileColumns; i++) {
    const int64_t column = columns.first + i * kTileColumns;
    if (column >= columns.last) break;
    pack<Number, kTileColumns>(operand(op.b, op.columns, op.depth, op.trans_b, column, depth.first),
                               columns.last - column, depth.size(), packed + i * tile);
  }
}

template <class Number>
void multiply_block(const GemmCall& op, Span rows, Span columns, Span depth, const float* packed, float* scratch) {
  const int64_t floats = floats_deep<Number>(depth.size());
  float* a = scratch;
  for (int64_t row = rows.first; row < rows.last; row += kTileRows, a += kTileRows * floats) {
    pack<Number, kTileRows>(operand(op.a, op.rows, op.depth, !op.trans_a, row, depth.first), rows.last - row,
                            depth.size(), a);
  }
  const auto multiply_at = [&](int64_t row, int64_t column) {
    multiply_rows<Number, kTileRows>(
        rows.last - row, floats, scratch + (row - rows.first) * floats, packed + (column - columns.first) * floats,
        {op.c + row * op.columns + column, op.columns, columns.last - column, depth.first > 0});
  };
  // Columns of B stay in cache while the rows pass by; if all of B does, C is written row by row.
  if (columns.size() * floats <= kCachedFloats) {
    for (int64_t row = rows.first; row < rows.last; row += kTileRows) {
      for (int64_t column = columns.first; column < columns.last; column += kTileColumns) multiply_at(row, column);
    }
  } else {
    for (int64_t column = columns.first; column < columns.last; column += kTileColumns) {
      for (int64_t row = rows.first; row < rows.last; row += kTileRows) multiply_at(row, column);
    }
  }
}

}  // namespace

int gemm_depth_per_float(bool bf16) { return bf16 ? Bf16::kDepth : Float32::kDepth; }

void gemm_pack(const GemmCall& op, Span columns, Span depth, float* packed) {
  op.bf16 ? pack_columns<Bf16>(op, columns, depth, packed) : pack_columns<Float32>(op, columns, depth, packed);
}

void gemm_multiply(const GemmCall& op, Span rows, Span columns, Span depth, const float* packed, float* scratch) {
  op.bf16 ? multiply_block<Bf16>(op, rows, columns, depth, packed, scratch)
          : multiply_block<Float32>(op, rows, columns, depth, packed, scratch);
}

}  // namespace sesd::SESD_SIMD
