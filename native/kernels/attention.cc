#include "attention.h"

#include <algorithm>
#include <stdexcept>

#include "rows.h"
#include "simd/attention.h"

namespace sesd {

namespace {

[[noreturn]] void refuse(const char* op, const std::string& message) {
  throw std::invalid_argument(std::string("sesd::") + op + ": " + message);
}

// Checks that sequences have at least one key each and are in order.
int64_t longest_sequence(const char* op_name, const AttentionCall& op) {
  int64_t longest = 0, last = 0;
  for (int64_t i = 0; i < op.batch; i++) {
    const int64_t end = i + 1 < op.batch ? op.firsts[i + 1] : op.keys;
    if (op.firsts[i] != last || end <= last || end > op.keys) {
      refuse(op_name, "firsts must rise from 0 to below " + std::to_string(op.keys) + ", found " +
                          std::to_string(op.firsts[i]) + " and then " + std::to_string(end));
    }
    longest = std::max(longest, end - last);
    last = end;
  }
  return longest;
}

// An input that is added to scores of these dims.
Addend addend(const char* op, const char* name, const Context& context, size_t input, const Dims& scores) {
  Addend result{};
  result.data = context.input<float>(input);
  if (result.data == nullptr) return result;
  const Dims dims = context.dims(input);
  int64_t stride = 1;
  for (size_t axis = 4, at = dims.size(); axis-- > 0;) {
    const int64_t dim = at > 0 ? dims[--at] : 1;
    if (dims.size() > 4 || (dim != 1 && dim != scores[axis])) {
      refuse(op, std::string(name) + " must broadcast to " + to_string(scores) + ", found " + to_string(dims));
    }
    result.strides[axis] = dim == 1 ? 0 : stride;
    stride *= dim;
  }
  return result;
}

// The scores that a bias is added to: those of each sequence, or, of sequences of several lengths, of one as long as the bias.
Dims biased_scores(const char* op_name, const AttentionCall& op, const Context& context, size_t input) {
  if (op.firsts == nullptr || !context.has_input(input)) return {op.batch, op.heads, op.queries, op.keys};
  const Dims bias = context.dims(input);
  const int64_t keys = bias.empty() ? 1 : bias.back();
  if (keys < op.longest) {
    refuse(op_name, "bias must have the " + std::to_string(op.longest) + " keys of the longest sequence, found " + to_string(bias));
  }
  return {op.batch, op.heads, op.packed_queries ? keys : op.queries, keys};
}

}  // namespace

AttentionAttributes::AttentionAttributes(const char* op, const Attributes& attributes)
    : op_(op),
      dropout_(op, attributes),
      heads_(attributes.get_int("num_heads", 0)),
      scale_(attributes.get_float("scale", 1)) {
  if (heads_ < 1) refuse(op, "num_heads must be at least 1, found " + std::to_string(heads_));
}

AttentionCall AttentionAttributes::describe(const Context& context, size_t firsts_input) const {
  const Dims q = context.dims(0), k = context.dims(1);
  if (q.size() != 3 || q[2] == 0 || q[2] % heads_ != 0) {
    refuse(op_, "q must be [batch, queries, width] with a width that " + std::to_string(heads_) +
                    " heads divide, found " + to_string(q));
  }
  const int64_t keys = k.size() == 3 ? k[1] : 0;
  const auto* firsts = context.input<int64_t>(firsts_input);
  require_shape(op_, "k", k, {firsts == nullptr ? q[0] : 1, keys, q[2]});
  require_shape(op_, "v", context.dims(2), k);

  AttentionCall op{};
  op.batch = q[0];
  op.queries = q[1];
  op.keys = keys;
  op.longest = keys;
  if (firsts != nullptr) {
    if (context.has_input(3)) refuse(op_, "firsts and a mask exclude each other");
    op.firsts = firsts;
    op.batch = element_count(context.dims(firsts_input));
    op.packed_queries = q[0] == 1 && q[1] == keys;
    if (!op.packed_queries && q[0] != op.batch) {
      refuse(op_, "q must have " + std::to_string(op.batch) + " sequences or the rows of k, found " + to_string(q));
    }
    op.longest = longest_sequence(op_, op);
  }
  op.heads = heads_;
  op.head_size = q[2] / heads_;
  op.scale = scale_;
  op.q = context.input<float>(0);
  op.k = context.input<float>(1);
  op.v = context.input<float>(2);
  op.mask = addend(op_, "mask", context, 3, {q[0], heads_, q[1], keys});
  const Dims biased = biased_scores(op_, op, context, firsts_input + 1);
  op.bias = addend(op_, "bias", context, firsts_input + 1, biased);
  op.bias_queries = biased[2];
  op.bias_keys = biased[3];
  op.stream = dropout_.stream(context, 4);
  return op;
}

void Attention::compute(const Context& context) const {
  static const auto attention = SESD_SIMD_CHOOSE(attention);
  const AttentionCall op = attributes_.describe(context, 5);
  const Dims dims = context.dims(0);
  float* result = context.output(0, dims);
  float* log_sum_exp = context.output(1, {dims[0], op.heads, op.queries});
  context.parallel_for(static_cast<size_t>(op.batch * op.heads), [&](size_t head) {
    static thread_local Scratch scratch;
    attention(op, static_cast<int64_t>(head), result, log_sum_exp, scratch.reserve(attention_scratch(op)));
  });
}

void AttentionGrad::compute(const Context& context) const {
  static const auto attention_grad = SESD_SIMD_CHOOSE(attention_grad);
  const AttentionCall op = attributes_.describe(context, 8);
  const Dims q = context.dims(0), k = context.dims(1);
  require_shape(kName, "context", context.dims(5), q);
  require_shape(kName, "logSumExp", context.dims(6), {q[0], op.heads, op.queries});
  require_shape(kName, "dContext", context.dims(7), q);
  AttentionGradCall grads{};
  grads.context = context.input<float>(5);
  grads.log_sum_exp = context.input<float>(6);
  grads.d_context = context.input<float>(7);
  grads.d_q = context.output(0, q);
  grads.d_k = context.output(1, k);
  grads.d_v = context.output(2, k);
  if (op.bias.data != nullptr) grads.d_bias = context.output(3, {op.batch, op.heads, op.bias_queries, op.bias_keys});
  context.parallel_for(static_cast<size_t>(op.batch * op.heads), [&](size_t head) {
    static thread_local Scratch scratch;
    attention_grad(op, static_cast<int64_t>(head), grads, scratch.reserve(attention_grad_scratch(op)));
  });
}

}  // namespace sesd
