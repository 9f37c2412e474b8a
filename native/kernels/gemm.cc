#include "gemm.h"

#include <stdexcept>

#include "rows.h"
#include "scratch.h"
#include "simd/packed_gemm.h"

namespace sesd {

namespace {

// Depth in packed floats and rows of one block: B's panel of the block's depth and A's block share the second-level cache.
constexpr int64_t kBlockDepth = 384;
constexpr int64_t kBlockRows = 96;
// Fewer rows than these are not worth packing all of B ahead.
constexpr int64_t kFewRows = 48;
// Panels a task has when rows are few.
constexpr int64_t kFewRowsPanels = 2;
// Tasks are cut to about this many, and rows of a task not below kLeastRows.
constexpr int64_t kTasks = 16;
constexpr int64_t kLeastRows = 24;
// Most floats of B packed at a time: 16 MiB.
constexpr int64_t kMostPacked = int64_t{1} << 22;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The block's columns are whole panels, but for the last's.
Span panel_columns(Block panels, int64_t columns) {
  return {panels.first * kGemmPanel, std::min(columns, panels.last * kGemmPanel)};
}

class BlockedGemm {
 public:
  BlockedGemm(const Context& context, const GemmCall& op) : context_(context), op_(op) {
    per_float_ = SESD_SIMD_CHOOSE(gemm_depth_per_float)(op.bf16);
    const int64_t blocks = ceil_div(op.depth, kBlockDepth * per_float_);
    depth_ = ceil_div(ceil_div(op.depth, blocks), 32) * 32;
    floats_ = depth_ / per_float_;
    panels_ = ceil_div(op.columns, kGemmPanel);
  }

  void run() const {
    if (op_.rows < kFewRows) return few_rows();
    const int64_t panels = std::min(panels_, kMostPacked / (kGemmPanel * floats_));
    const int64_t depth = kMostPacked / (kGemmPanel * floats_ * panels) * depth_;
    for (int64_t panel = 0; panel < panels_; panel += panels) {
      for (int64_t from = 0; from < op_.depth; from += depth) {
        packed_ahead({panel, std::min(panels_, panel + panels)}, {from, std::min(op_.depth, from + depth)});
      }
    }
  }

 private:
  // One after the other, body(depth, index) for the blocks of a depth.
  template <class Body>
  void each_depth(Span depth, const Body& body) const {
    int64_t index = 0;
    for (int64_t from = depth.first; from < depth.last; from += depth_) {
      body(Span{from, std::min(depth.last, from + depth_)}, index++);
    }
  }

  // What panels take when packed.
  int64_t panel_floats(int64_t panels, Span depth) const {
    return panels * kGemmPanel * ceil_div(depth.size(), per_float_);
  }

  int64_t scratch_floats(int64_t rows) const { return (rows + 8) * floats_ + kGemmSlack; }

  // Each task packs its own columns of B and has done with them.
  void few_rows() const {
    const auto tasks = static_cast<size_t>(ceil_div(panels_, kFewRowsPanels));
    context_.parallel_for(tasks, [&](size_t task) {
      static const auto pack = SESD_SIMD_CHOOSE(gemm_pack);
      static const auto multiply = SESD_SIMD_CHOOSE(gemm_multiply);
      static thread_local Scratch scratch;
      const Block panels = block(panels_, task, tasks);
      const Span columns = panel_columns(panels, op_.columns);
      const int64_t packed_floats = panel_floats(panels.last - panels.first, {0, depth_});
      float* packed = scratch.reserve(packed_floats + scratch_floats(op_.rows));
      each_depth({0, op_.depth}, [&](Span depth, int64_t) {
        pack(op_, columns, depth, packed);
        multiply(op_, {0, op_.rows}, columns, depth, packed, packed + packed_floats);
      });
    });
  }

  // Some panels and depth of B are packed by all threads, then multiplied by all rows of A.
  void packed_ahead(Block panels, Span depth) const {
    static const auto pack = SESD_SIMD_CHOOSE(gemm_pack);
    static const auto multiply = SESD_SIMD_CHOOSE(gemm_multiply);
    const int64_t count = panels.last - panels.first;
    const int64_t block_floats = panel_floats(count, {0, depth_});
    SharedScratch shared;
    float* packed = shared.reserve(ceil_div(depth.size(), depth_) * block_floats);
    context_.parallel_for(static_cast<size_t>(count), [&](size_t index) {
      const auto i = static_cast<int64_t>(index);
      const Span columns = panel_columns({panels.first + i, panels.first + i + 1}, op_.columns);
      each_depth(depth, [&](Span part, int64_t at) {
        pack(op_, columns, part, packed + at * block_floats + panel_floats(i, part));
      });
    });

    const int64_t whole = ceil_div(ceil_div(op_.rows, kBlockRows), kTasks / 2) * (kTasks / 2);
    const auto row_blocks = static_cast<size_t>(std::min(whole, op_.rows / kLeastRows));
    const auto column_blocks = static_cast<size_t>(
        std::clamp<int64_t>(kTasks / static_cast<int64_t>(row_blocks), 1, std::max<int64_t>(1, count / 4)));
    context_.parallel_for(row_blocks * column_blocks, [&](size_t task) {
      static thread_local Scratch scratch;
      const Block rows = block(op_.rows, task / column_blocks, row_blocks);
      const Block part = block(count, task % column_blocks, column_blocks);
      const Span columns = panel_columns({panels.first + part.first, panels.first + part.last}, op_.columns);
      float* a = scratch.reserve(scratch_floats(rows.last - rows.first));
      each_depth(depth, [&](Span each, int64_t at) {
        multiply(op_, {rows.first, rows.last}, columns, each,
                 packed + at * block_floats + panel_floats(part.first, each), a);
      });
    });
  }

  const Context& context_;
  const GemmCall& op_;
  int64_t per_float_;
  int64_t depth_;   // of a block
  int64_t floats_;  // the same in packed floats
  int64_t panels_;
};

}  // namespace

Gemm::Gemm(const Attributes& attributes)
    : trans_a_(attributes.get_int("transA", 0) != 0), trans_b_(attributes.get_int("transB", 0) != 0) {
  const std::string precision = attributes.get_string("precision", "fp32");
  if (precision != "fp32" && precision != "bf16") {
    throw std::invalid_argument("sesd::Gemm: precision must be fp32 or bf16, found " + precision);
  }
  bf16_ = precision == "bf16";
}

void Gemm::compute(const Context& context) const {
  const Dims a = context.dims(0), b = context.dims(1);
  if (a.size() < 2 || (trans_a_ && a.size() > 2)) {
    throw std::invalid_argument("sesd::Gemm: A must be " + std::string(trans_a_ ? "a matrix" : "of rank 2 or more") +
                                ", found " + to_string(a));
  }
  const int64_t depth = trans_a_ ? a[0] : a.back();
  const int64_t columns = b.size() == 2 ? b[trans_b_ ? 0 : 1] : 0;
  require_shape(kName, "B", b, trans_b_ ? Dims{columns, depth} : Dims{depth, columns});
  Dims dims = trans_a_ ? Dims{a[1], columns} : a;
  dims.back() = columns;
  float* y = context.output(0, dims);
  const int64_t count = element_count(dims);
  if (count == 0 || depth == 0) {
    std::fill_n(y, count, 0.0f);
    return;
  }
  const GemmCall op{count / columns, columns,  depth,    context.input<float>(0), context.input<float>(1), y,
                    trans_a_,        trans_b_, bf16_};
  BlockedGemm(context, op).run();
}

}  // namespace sesd
