#pragma once

#include <cstdint>

#include "../dropout_stream.h"
#include "../simd.h"

namespace sesd {

// softmax(scale·q·kᵀ + mask + bias), dropout, ·v. q [batch, queries, heads·head_size], k and v [batch, keys, heads·head_size].
//
// With `firsts`, k and v are [1, keys, …] with the sequences one after the other, and so is q when `packed_queries`.
// What is added to the scores [batch, heads, queries, keys]. Null: nothing.
struct Addend {
  const float* data;
  // 0 where it broadcasts.
  int64_t strides[4];
};

struct AttentionCall {
  int64_t batch;
  int64_t queries;
  int64_t keys;
  // Row of the first key of each sequence; null: the batch's rows are the sequences.
  const int64_t* firsts;
  bool packed_queries;
  // Most keys of any sequence.
  int64_t longest;
  int64_t heads;
  int64_t head_size;
  float scale;
  const float* q;
  const float* k;
  const float* v;
  Addend mask;
  // Of each sequence by its own queries and keys, [batch, heads, bias_queries, bias_keys]; with firsts there may be more of
  // them than the longest has.
  Addend bias;
  int64_t bias_queries;
  int64_t bias_keys;
  DropoutStream stream;
};

// The rows of q and of k and v that belong to one sequence.
struct AttentionRows {
  int64_t first_query;
  int64_t queries;
  int64_t first_key;
  int64_t keys;
};

static inline AttentionRows attention_rows(const AttentionCall& op, int64_t sequence) {
  AttentionRows rows{sequence * op.queries, op.queries, sequence * op.keys, op.keys};
  if (op.firsts == nullptr) return rows;
  rows.first_key = op.firsts[sequence];
  rows.keys = (sequence + 1 < op.batch ? op.firsts[sequence + 1] : op.keys) - rows.first_key;
  if (op.packed_queries) rows.first_query = rows.first_key, rows.queries = rows.keys;
  return rows;
}

// Index of a head's first query in [batch, heads, queries], with packed queries in [1, heads, queries]: `head` = sequence·heads + head.
static inline int64_t first_score_row(const AttentionCall& op, int64_t head) {
  return op.packed_queries ? head % op.heads * op.queries + op.firsts[head / op.heads] : head * op.queries;
}

struct AttentionGradCall {
  const float* context;
  const float* log_sum_exp;
  const float* d_context;
  float* d_q;
  float* d_k;
  float* d_v;
  // Of the bias before it broadcasts. Null: not wanted.
  float* d_bias;
};

// Queries are taken this many at a time, so that their scores stay in cache.
constexpr int64_t kQueryBlock = 24;
constexpr int64_t kGradQueryBlock = 64;

// Rows in scratch memory are whole cache lines.
static inline int64_t padded(int64_t floats) { return (floats + 15) / 16 * 16; }

// Floats of scratch a call needs, 64-byte aligned: the pieces attention.cc takes.
static inline int64_t attention_scratch(const AttentionCall& op) {
  const int64_t keys = padded(op.longest), size = padded(op.head_size);
  return op.head_size * keys + op.longest * size + keys + kQueryBlock * (2 * size + keys);
}
static inline int64_t attention_grad_scratch(const AttentionCall& op) {
  const int64_t keys = padded(op.longest), size = padded(op.head_size);
  return 2 * op.head_size * keys + 3 * op.longest * size + keys + kGradQueryBlock * (3 * size + 2 * keys);
}

}  // namespace sesd

SESD_SIMD_DECLARE(
    // One head of one sequence: `head` = sequence·heads + head. context like q; log_sum_exp, or null, as
    // first_score_row counts.
    void attention(const AttentionCall& op, int64_t head, float* context, float* log_sum_exp, float* scratch);
    void attention_grad(const AttentionCall& op, int64_t head, const AttentionGradCall& grads, float* scratch);)
