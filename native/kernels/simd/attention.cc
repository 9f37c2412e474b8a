#include "attention.h"

#include <math.h>

#include "dropout_lanes.h"
#include "gemm.h"

namespace sesd::SESD_SIMD {

namespace {

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Scratch memory handed out piece by piece, each 64-byte aligned.
class Pieces {
 public:
  explicit Pieces(float* memory) : next_(memory) {}
  float* take(int64_t floats) {
    float* piece = next_;
    next_ += padded(floats);
    return piece;
  }

 private:
  float* next_;
};

// to [rows, width] with row stride `padded(width)`, zeros in the padding, from rows `stride` apart, times factor.
void pack(const float* from, int64_t stride, int64_t rows, int64_t width, float factor, float* to) {
  const Float times = splat(factor);
  for (int64_t row = 0; row < rows; row++) {
    const float* source = from + row * stride;
    float* target = to + row * padded(width);
    int64_t i = 0;
    for (; i + kLanes <= width; i += kLanes) store(target + i, load(source + i) * times);
    if (i < width) store(target + i, load_first(source + i, width - i) * times), i += kLanes;
    for (; i < padded(width); i += kLanes) store(target + i, zero());
  }
}

// to [width, padded(rows)], zeros in the padding: the transpose of `rows` rows that are `stride` apart.
void pack_transposed(const float* from, int64_t stride, int64_t rows, int64_t width, float* to) {
  const int64_t length = padded(rows);
  for (int64_t column = 0; column < width; column++) {
    for (int64_t row = rows; row < length; row++) to[column * length + row] = 0;
  }
  constexpr int64_t kBlock = 16;  // one cache line of the result
  for (int64_t first = 0; first < rows; first += kBlock) {
    const int64_t count = smaller(kBlock, rows - first);
    for (int64_t column = 0; column < width; column++) {
      const float* source = from + first * stride + column;
      float* target = to + column * length + first;
      for (int64_t i = 0; i < count; i++) target[i] = source[i * stride];
    }
  }
}

// What is added to the scores of a query: its mask, its bias, and −∞ in the padding of the keys.
class AddedRows {
 public:
  AddedRows(const AttentionCall& op, int64_t head, int64_t keys, float* row)
      : mask_(of_head(op.mask, op, head)), bias_(of_head(op.bias, op, head)), keys_(keys), row_(row) {
    for (int64_t key = 0; key < padded(keys); key++) row_[key] = key < keys ? 0 : -INFINITY;
    fill(0);
  }

  const float* of(int64_t query) {
    const auto differs = [](const Addend& addend) { return addend.data != nullptr && addend.strides[2] != 0; };
    if (differs(mask_) || differs(bias_)) fill(query);
    return row_;
  }

 private:
  static Addend of_head(Addend addend, const AttentionCall& op, int64_t head) {
    if (addend.data != nullptr) addend.data += head / op.heads * addend.strides[0] + head % op.heads * addend.strides[1];
    return addend;
  }

  void fill(int64_t query) {
    if (mask_.data != nullptr) each_key(mask_, query, [&](int64_t key, float value) { row_[key] = value; });
    if (bias_.data == nullptr) return;
    if (mask_.data != nullptr) {
      each_key(bias_, query, [&](int64_t key, float value) { row_[key] += value; });
    } else {
      each_key(bias_, query, [&](int64_t key, float value) { row_[key] = value; });
    }
  }

  template <class Body>
  void each_key(const Addend& addend, int64_t query, const Body& body) const {
    const float* from = addend.data + query * addend.strides[2];
    const int64_t stride = addend.strides[3];
    if (stride == 1) {  // which compilers turn into vectors
      for (int64_t key = 0; key < keys_; key++) body(key, from[key]);
    } else {
      for (int64_t key = 0; key < keys_; key++) body(key, from[key * stride]);
    }
  }

  const Addend mask_;
  const Addend bias_;
  const int64_t keys_;
  float* const row_;
};

struct Softmax {
  float largest;
  float sum;
};

// Turns scores of `length` keys into exp(score + added − largest), all 0 where every key is masked by −∞.
Softmax exponentials(float* scores, const float* added, int64_t length) {
  Float best = splat(-INFINITY);
  for (int64_t i = 0; i < length; i += kLanes) {
    const Float score = load(scores + i) + load(added + i);
    store(scores + i, score);
    best = max(best, score);
  }
  const float largest_score = largest(best);
  if (largest_score == -INFINITY) {
    for (int64_t i = 0; i < length; i += kLanes) store(scores + i, zero());
    return {largest_score, 0};
  }
  const Float shift = splat(largest_score);
  Float total = zero();
  for (int64_t i = 0; i < length; i += kLanes) {
    const Float e = exp(load(scores + i) - shift);
    store(scores + i, e);
    total = total + e;
  }
  return {largest_score, sum(total)};
}

}  // namespace

void attention(const AttentionCall& op, int64_t head, float* context, float* log_sum_exp, float* scratch) {
  const int64_t width = op.heads * op.head_size, size = op.head_size;
  const auto [first_query, queries, first_key, keys] = attention_rows(op, head / op.heads);
  const int64_t size_p = padded(size), keys_p = padded(keys);
  const int64_t offset = head % op.heads * size;

  Pieces pieces(scratch);
  float* k_transposed = pieces.take(size * keys_p);
  float* v = pieces.take(keys * size_p);
  float* added_row = pieces.take(keys_p);
  float* q = pieces.take(kQueryBlock * size_p);
  float* p = pieces.take(kQueryBlock * keys_p);
  float* result = pieces.take(kQueryBlock * size_p);
  pack_transposed(op.k + first_key * width + offset, width, keys, size, k_transposed);
  pack(op.v + first_key * width + offset, width, keys, size, 1.0f, v);
  AddedRows added(op, head, keys, added_row);

  for (int64_t first = 0; first < queries; first += kQueryBlock) {
    const int64_t count = smaller(kQueryBlock, queries - first);
    const int64_t start = (first_query + first) * width + offset;
    pack(op.q + start, width, count, size, op.scale, q);
    gemm(count, keys_p, size, {q, size_p, 1}, {k_transposed, keys_p}, {p, keys_p});
    float factors[kQueryBlock];
    for (int64_t i = 0; i < count; i++) {
      float* row = p + i * keys_p;
      const int64_t query = first_score_row(op, head) + first + i;
      const Softmax softmax = exponentials(row, added.of(first + i), keys_p);
      if (log_sum_exp != nullptr) log_sum_exp[query] = softmax.largest + logf(softmax.sum);
      factors[i] = softmax.sum == 0 ? 0 : op.stream.factor / softmax.sum;
      if (!op.stream.off) {
        DropoutLanes kept(op.stream, static_cast<uint32_t>(query * op.longest));
        for (int64_t k = 0; k < keys_p; k += kLanes) store(row + k, select(kept.next(), load(row + k), zero()));
      }
    }
    gemm(count, size_p, keys, {p, keys_p, 1}, {v, size_p}, {result, size_p});
    for (int64_t i = 0; i < count; i++) {
      const Float factor = splat(factors[i]);
      float* target = context + start + i * width;
      for_each_vector(size, [&](int64_t j, auto lanes) {
        store(target + j, load(result + i * size_p + j) * factor, lanes);
      });
    }
  }
}

namespace {

// log-sum-exp of a large magnitude has lost the digits that tell P; such rows are normalised again.
constexpr float kExactLogSumExp = 16.0f;

// Turns scores into P.
void probabilities(float* scores, const float* added, float log_sum_exp, int64_t length) {
  if (fabsf(log_sum_exp) <= kExactLogSumExp) {
    const Float shift = splat(log_sum_exp);
    for (int64_t i = 0; i < length; i += kLanes) {
      store(scores + i, exp(load(scores + i) + load(added + i) - shift));
    }
    return;
  }
  const Softmax softmax = exponentials(scores, added, length);
  const Float factor = splat(softmax.sum == 0 ? 0 : 1 / softmax.sum);
  for (int64_t i = 0; i < length; i += kLanes) store(scores + i, load(scores + i) * factor);
}

// The gradient of the bias of one head of one sequence: 0 for queries and keys the sequence has not.
class BiasRows {
 public:
  BiasRows(const AttentionCall& op, int64_t head, const AttentionGradCall& grads, int64_t keys)
      : rows_(grads.d_bias), queries_(op.bias_queries), width_(op.bias_keys), keys_(keys) {
    if (rows_ != nullptr) rows_ += head * queries_ * width_;
  }

  void write(int64_t query, const float* d_scores) const {
    if (rows_ == nullptr) return;
    float* to = rows_ + query * width_;
    for (int64_t key = 0; key < keys_; key++) to[key] = d_scores[key];
    for (int64_t key = keys_; key < width_; key++) to[key] = 0;
  }

  void clear_from(int64_t query) const {
    if (rows_ == nullptr) return;
    for (float* to = rows_ + query * width_; to < rows_ + queries_ * width_; to++) *to = 0;
  }

 private:
  float* rows_;
  int64_t queries_;
  int64_t width_;
  int64_t keys_;
};

void unpack(const float* from, int64_t rows, int64_t width, float* to, int64_t stride) {
  for (int64_t row = 0; row < rows; row++) {
    const float* source = from + row * padded(width);
    float* target = to + row * stride;
    for_each_vector(width, [&](int64_t i, auto lanes) { store(target + i, load(source + i), lanes); });
  }
}

}  // namespace

// With M the dropout factors (0 or 1/(1−ratio)) and D = rowsum(dO ∘ O):
// dV = (P∘M)ᵀ·dO, dS = P∘(M∘(dO·Vᵀ) − D), dQ = scale·dS·K, dK = dSᵀ·(scale·Q), dBias = dS.
void attention_grad(const AttentionCall& op, int64_t head, const AttentionGradCall& grads, float* scratch) {
  const int64_t width = op.heads * op.head_size, size = op.head_size;
  const auto [first_query, queries, first_key, keys] = attention_rows(op, head / op.heads);
  const int64_t size_p = padded(size), keys_p = padded(keys);
  const int64_t offset = head % op.heads * size;
  const int64_t key_start = first_key * width + offset;

  Pieces pieces(scratch);
  float* k_transposed = pieces.take(size * keys_p);
  float* v_transposed = pieces.take(size * keys_p);
  float* k = pieces.take(keys * size_p);
  float* d_k = pieces.take(keys * size_p);
  float* d_v = pieces.take(keys * size_p);
  float* added_row = pieces.take(keys_p);
  float* q = pieces.take(kGradQueryBlock * size_p);
  float* d_context = pieces.take(kGradQueryBlock * size_p);
  float* d_q = pieces.take(kGradQueryBlock * size_p);
  float* p = pieces.take(kGradQueryBlock * keys_p);
  float* d_scores = pieces.take(kGradQueryBlock * keys_p);
  pack_transposed(op.k + key_start, width, keys, size, k_transposed);
  pack_transposed(op.v + key_start, width, keys, size, v_transposed);
  pack(op.k + key_start, width, keys, size, op.scale, k);
  AddedRows added(op, head, keys, added_row);
  BiasRows d_bias(op, head, grads, keys);
  const Float factor = splat(op.stream.factor);

  for (int64_t first = 0; first < queries; first += kGradQueryBlock) {
    const int64_t count = smaller(kGradQueryBlock, queries - first);
    const int64_t start = (first_query + first) * width + offset;
    pack(op.q + start, width, count, size, op.scale, q);
    pack(grads.d_context + start, width, count, size, 1.0f, d_context);
    gemm(count, keys_p, size, {q, size_p, 1}, {k_transposed, keys_p}, {p, keys_p});
    gemm(count, keys_p, size, {d_context, size_p, 1}, {v_transposed, keys_p}, {d_scores, keys_p});

    for (int64_t i = 0; i < count; i++) {
      float *p_row = p + i * keys_p, *d_row = d_scores + i * keys_p;
      const int64_t query = first_score_row(op, head) + first + i;
      probabilities(p_row, added.of(first + i), grads.log_sum_exp[query], keys_p);
      Float products = zero();
      for_each_vector(size, [&](int64_t j, auto lanes) {
        products = fma(load(grads.context + start + i * width + j, lanes), load(d_context + i * size_p + j), products);
      });
      const Float d = splat(sum(products));
      DropoutLanes kept(op.stream, static_cast<uint32_t>(query * op.longest));
      for (int64_t j = 0; j < keys_p; j += kLanes) {
        const Float probability = load(p_row + j);
        Float d_probability = load(d_row + j);
        if (!op.stream.off) {
          const Mask keep = kept.next();
          store(p_row + j, select(keep, probability * factor, zero()));
          d_probability = select(keep, d_probability * factor, zero());
        }
        store(d_row + j, probability * (d_probability - d));
      }
      d_bias.write(first + i, d_row);
    }

    gemm(count, size_p, keys, {d_scores, keys_p, 1}, {k, size_p}, {d_q, size_p});
    unpack(d_q, count, size, grads.d_q + start, width);
    if (first == 0) {
      gemm(keys, size_p, count, {p, 1, keys_p}, {d_context, size_p}, {d_v, size_p});
      gemm(keys, size_p, count, {d_scores, 1, keys_p}, {q, size_p}, {d_k, size_p});
    } else {
      gemm<true>(keys, size_p, count, {p, 1, keys_p}, {d_context, size_p}, {d_v, size_p});
      gemm<true>(keys, size_p, count, {d_scores, 1, keys_p}, {q, size_p}, {d_k, size_p});
    }
  }
  d_bias.clear_from(queries);
  unpack(d_k, keys, size, grads.d_k + key_start, width);
  unpack(d_v, keys, size, grads.d_v + key_start, width);
}

}  // namespace sesd::SESD_SIMD
