#pragma once

#include <cstdint>

#include "../dropout_stream.h"
#include "../simd.h"

namespace sesd {

// softmax(scale·q·kᵀ + mask), dropout, ·v. q [batch, queries, heads·head_size], k and v [batch, keys, heads·head_size].
struct AttentionCall {
  int64_t queries;
  int64_t keys;
  int64_t heads;
  int64_t head_size;
  float scale;
  const float* q;
  const float* k;
  const float* v;
  // Strides of the mask over [batch, heads, queries, keys], 0 where it broadcasts. Null: no mask.
  const float* mask;
  int64_t mask_strides[4];
  DropoutStream stream;
};

struct AttentionGradCall {
  const float* context;
  const float* log_sum_exp;
  const float* d_context;
  float* d_q;
  float* d_k;
  float* d_v;
};

// Queries are taken this many at a time, so that their scores stay in cache.
constexpr int64_t kQueryBlock = 24;
constexpr int64_t kGradQueryBlock = 64;

// Rows in scratch memory are whole cache lines.
static inline int64_t padded(int64_t floats) { return (floats + 15) / 16 * 16; }

// Floats of scratch a call needs, 64-byte aligned: the pieces attention.cc takes.
static inline int64_t attention_scratch(const AttentionCall& op) {
  const int64_t keys = padded(op.keys), size = padded(op.head_size);
  return op.head_size * keys + op.keys * size + keys + kQueryBlock * (2 * size + keys);
}
static inline int64_t attention_grad_scratch(const AttentionCall& op) {
  const int64_t keys = padded(op.keys), size = padded(op.head_size);
  return 2 * op.head_size * keys + 3 * op.keys * size + keys + kGradQueryBlock * (3 * size + 2 * keys);
}

}  // namespace sesd

SESD_SIMD_DECLARE(
    // One head of one batch row: `head` = batch·heads + head. context like q; log_sum_exp
    // [batch, heads, queries] or null.
    void attention(const AttentionCall& op, int64_t head, float* context, float* log_sum_exp, float* scratch);
    void attention_grad(const AttentionCall& op, int64_t head, const AttentionGradCall& grads, float* scratch);)
