// The inner loops of every instruction set this machine has, against plain loops in double, with guard zones
// around all memory they write. Build and run: cmake --build build --target sesd_kernels_test
// (test/engine/kernels*.test.ts test the ops; this finds what stays invisible there.)
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <vector>

#include "../kernels/simd/attention.h"
#include "../kernels/simd/dropout.h"
#include "../kernels/simd/gelu.h"
#include "../kernels/simd/layer_normalization.h"
#include "../kernels/simd/packed_gemm.h"

namespace {

using namespace sesd;

struct Kernels {
  const char* name;
  Simd simd;
  decltype(&portable::attention) attention;
  decltype(&portable::attention_grad) attention_grad;
  decltype(&portable::bias_gelu) bias_gelu;
  decltype(&portable::bias_gelu_grad) bias_gelu_grad;
  decltype(&portable::dropout) dropout;
  decltype(&portable::residual_layer_normalization) residual_layer_normalization;
  decltype(&portable::layer_normalization_grad) layer_normalization_grad;
  decltype(&portable::gemm_depth_per_float) gemm_depth_per_float;
  decltype(&portable::gemm_pack) gemm_pack;
  decltype(&portable::gemm_multiply) gemm_multiply;
};

#define KERNELS(set, simd)                                                                             \
  {                                                                                                    \
    #set, simd, set::attention, set::attention_grad, set::bias_gelu, set::bias_gelu_grad, set::dropout, \
        set::residual_layer_normalization, set::layer_normalization_grad, set::gemm_depth_per_float,   \
        set::gemm_pack, set::gemm_multiply                                                             \
  }
const Kernels kKernels[] = {
    KERNELS(portable, Simd::kPortable),
#if defined(SESD_SIMD_X86)
    KERNELS(avx2, Simd::kAvx2),
    KERNELS(avx512, Simd::kAvx512),
    KERNELS(avx512_bf16, Simd::kAvx512Bf16),
#elif defined(SESD_SIMD_ARM64)
    KERNELS(neon, Simd::kNeon),
#endif
};

int failures = 0;

void expect(bool holds, const char* set, const char* what, double found, double expected) {
  if (holds) return;
  if (failures++ < 20) std::printf("%s: %s is %.9g, expected %.9g\n", set, what, found, expected);
}

// Numbers between a guard zone on either side; aligned like scratch memory.
class Guarded {
 public:
  explicit Guarded(int64_t size) : size_(size), memory_(static_cast<size_t>(size) + 3 * kGuard, kSentinel) {
    const auto address = reinterpret_cast<uintptr_t>(memory_.data() + kGuard);
    data_ = memory_.data() + kGuard + (64 - address % 64) % 64 / sizeof(float);
  }
  Guarded(int64_t size, unsigned seed, float scale = 1) : Guarded(size) {
    uint32_t state = seed * 2654435761u + 1;
    for (int64_t i = 0; i < size; i++) {
      state = state * 1664525u + 1013904223u;
      data_[i] = scale * (static_cast<float>(state >> 8) / 8388608.0f - 1);
    }
  }

  Guarded(Guarded&&) = default;
  Guarded& operator=(Guarded&&) = default;

  float* get() { return data_; }
  float operator[](int64_t i) const { return data_[i]; }
  int64_t size() const { return size_; }

  // Whether nothing outside was written.
  bool intact() const {
    for (const float& x : memory_) {
      if ((&x < data_ || &x >= data_ + size_) && x != kSentinel) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kGuard = 64;
  static constexpr float kSentinel = 12345.678f;
  int64_t size_;
  std::vector<float> memory_;
  float* data_;
};

void expect_intact(const char* set, const char* what, std::initializer_list<const Guarded*> buffers) {
  for (const Guarded* buffer : buffers) {
    if (buffer->intact()) continue;
    failures++;
    std::printf("%s: %s writes outside a buffer of %lld floats\n", set, what, static_cast<long long>(buffer->size()));
  }
}

void expect_close(const char* set, const char* what, const Guarded& found, const std::vector<double>& expected,
                  double tolerance) {
  double scale = 0.2;  // inputs are of order 1, and gradients are differences of such products
  for (const double value : expected) scale = std::fmax(scale, std::fabs(value));
  for (size_t i = 0; i < expected.size(); i++) {
    const double value = found[static_cast<int64_t>(i)];
    expect(std::fabs(value - expected[i]) <= tolerance * scale, set, what, value, expected[i]);
  }
}

constexpr double kTolerance = 2e-6;

void test_attention(const Kernels& kernels, int64_t heads, int64_t queries, int64_t keys, int64_t size) {
  const int64_t width = heads * size;
  Guarded q(queries * width, 1), k(keys * width, 2), v(keys * width, 3), d_context(queries * width, 4), mask(keys, 5);
  Guarded context(queries * width), log_sum_exp(heads * queries), d_q(queries * width), d_k(keys * width),
      d_v(keys * width);
  AttentionCall op{};
  op.batch = 1, op.queries = queries, op.keys = op.longest = keys, op.heads = heads, op.head_size = size, op.scale = 0.5f;
  op.q = q.get(), op.k = k.get(), op.v = v.get(), op.mask = mask.get();
  op.mask_strides[3] = 1;
  Guarded scratch(attention_scratch(op)), grad_scratch(attention_grad_scratch(op));
  for (int64_t head = 0; head < heads; head++) {
    kernels.attention(op, head, context.get(), log_sum_exp.get(), scratch.get());
    kernels.attention_grad(
        op, head, {context.get(), log_sum_exp.get(), d_context.get(), d_q.get(), d_k.get(), d_v.get()},
        grad_scratch.get());
  }
  expect_intact(kernels.name, "attention",
                {&q, &k, &v, &d_context, &mask, &context, &log_sum_exp, &d_q, &d_k, &d_v, &scratch, &grad_scratch});

  std::vector<double> o(static_cast<size_t>(queries * width)), dq(o), dk(static_cast<size_t>(keys * width)), dv(dk);
  std::vector<double> p(static_cast<size_t>(keys)), dp(p);
  for (int64_t row = 0; row < heads * queries; row++) {
    const int64_t from = row % queries * width + row / queries * size;
    const auto key_at = [&](int64_t key) { return key * width + row / queries * size; };
    double total = 0, mean = 0;
    for (int64_t key = 0; key < keys; key++) {
      double score = 0;
      for (int64_t i = 0; i < size; i++) score += static_cast<double>(q[from + i]) * k[key_at(key) + i];
      total += p[key] = std::exp(0.5 * score + mask[key]);
    }
    for (int64_t key = 0; key < keys; key++) {
      p[key] /= total;
      dp[key] = 0;
      for (int64_t i = 0; i < size; i++) {
        o[from + i] += p[key] * v[key_at(key) + i];
        dv[key_at(key) + i] += p[key] * d_context[from + i];
        dp[key] += static_cast<double>(d_context[from + i]) * v[key_at(key) + i];
      }
      mean += p[key] * dp[key];
    }
    for (int64_t key = 0; key < keys; key++) {
      for (int64_t i = 0; i < size; i++) {
        dq[from + i] += 0.5 * p[key] * (dp[key] - mean) * k[key_at(key) + i];
        dk[key_at(key) + i] += 0.5 * p[key] * (dp[key] - mean) * q[from + i];
      }
    }
    expect(std::fabs(log_sum_exp[row] - std::log(total)) < 1e-5, kernels.name, "log-sum-exp", log_sum_exp[row],
           std::log(total));
  }
  expect_close(kernels.name, "context", context, o, kTolerance);
  expect_close(kernels.name, "dQ", d_q, dq, kTolerance);
  expect_close(kernels.name, "dK", d_k, dk, kTolerance);
  expect_close(kernels.name, "dV", d_v, dv, kTolerance);
}

// Every 2⁻¹² from −9 to 9: a few roundings (more of them without fused multiply-add), and that of the argument of
// the exponential.
void test_gelu_precision(const Kernels& kernels) {
  constexpr int64_t kCount = 18 * 4096;
  Guarded x(kCount), value(kCount), derivative(kCount);
  for (int64_t i = 0; i < kCount; i++) x.get()[i] = static_cast<float>(i) / 4096 - 9;
  kernels.bias_gelu(x.get(), nullptr, value.get(), derivative.get(), 1, kCount, false);
  for (int64_t i = 0; i < kCount; i++) {
    const double at = x[i], cdf = std::erfc(-at / std::sqrt(2.0)) / 2;
    const double exact = at * cdf, slope = cdf + at * std::exp(-at * at / 2) * 0.3989422804014327;
    const double tolerance = (5e-7 + 6e-8 * at * at) * std::fabs(exact);
    expect(std::fabs(value[i] - exact) <= tolerance, kernels.name, "gelu", value[i], exact);
    expect(std::fabs(derivative[i] - slope) <= 2.5e-7, kernels.name, "gelu'", derivative[i], slope);
  }
  expect_intact(kernels.name, "bias_gelu", {&value, &derivative});
}

void test_rows(const Kernels& kernels, int64_t rows, int64_t width) {
  const int64_t count = rows * width;
  Guarded x(count, 1), bias(width, 2), residual(count, 3), scale(width, 4), d_y(count, 5);
  Guarded y(count), normalized(count), inv(rows), derivative(count), d_input(count), d_x(count);
  const auto zeros = [&] { return Guarded(width, 0, 0); };
  Guarded d_scale = zeros(), d_shift = zeros(), d_bias = zeros();
  DropoutStream stream{false, 5, 6, 1u << 30, 4.0f / 3};

  kernels.dropout(x.get(), y.get(), count, 77, stream);
  for (int64_t i = 0; i < count; i++) {
    const float expected = x[i] * stream.factor;
    expect(y[i] == 0 || y[i] == expected, kernels.name, "dropout", y[i], expected);
  }
  kernels.bias_gelu(x.get(), bias.get(), y.get(), derivative.get(), rows, width, true);
  kernels.bias_gelu_grad(d_y.get(), derivative.get(), d_x.get(), d_bias.get(), rows, width);
  expect_intact(kernels.name, "dropout, gelu", {&x, &y, &derivative, &d_x, &d_bias});

  const ResidualNormalization forward{width,       1e-5f,       x.get(),  bias.get(),       residual.get(), scale.get(),
                                      bias.get(), y.get(), normalized.get(), inv.get(), {}};
  kernels.residual_layer_normalization(forward, 0, rows);
  const NormalizationGrad grad{width,       d_y.get(),     normalized.get(), nullptr, inv.get(),
                               scale.get(), d_input.get(), d_x.get(),        stream};
  d_bias = zeros();
  kernels.layer_normalization_grad(grad, 0, rows, {d_scale.get(), d_shift.get(), d_bias.get()});
  expect_intact(kernels.name, "layer normalization",
                {&y, &normalized, &inv, &d_input, &d_x, &d_scale, &d_shift, &d_bias});

  std::vector<double> expected(static_cast<size_t>(count)), shift(static_cast<size_t>(width));
  for (int64_t row = 0; row < rows; row++) {
    double mean = 0, variance = 0;
    const auto r = [&](int64_t i) {
      return static_cast<double>(x[row * width + i]) + bias[i] + residual[row * width + i];
    };
    for (int64_t i = 0; i < width; i++) mean += r(i) / static_cast<double>(width);
    for (int64_t i = 0; i < width; i++) variance += (r(i) - mean) * (r(i) - mean) / static_cast<double>(width);
    for (int64_t i = 0; i < width; i++) {
      expected[row * width + i] = (r(i) - mean) / std::sqrt(variance + 1e-5) * scale[i] + bias[i];
      shift[i] += d_y[row * width + i];
    }
  }
  expect_close(kernels.name, "LayerNormalization", y, expected, kTolerance);
  expect_close(kernels.name, "dShift", d_shift, shift, kTolerance);
}

// Numbers of 4 significant bits: what bfloat16 keeps is all of them.
Guarded short_numbers(int64_t count, unsigned seed) {
  Guarded numbers(count, seed);
  for (int64_t i = 0; i < count; i++) numbers.get()[i] = std::nearbyint(numbers[i] * 8) / 8;
  return numbers;
}

// All of C in two blocks of the depth, the second added to the first.
void test_gemm(const Kernels& kernels, int64_t rows, int64_t columns, int64_t depth, bool trans_a, bool trans_b, bool bf16) {
  Guarded a = short_numbers(rows * depth, 1), b = short_numbers(depth * columns, 2), c(rows * columns);
  const GemmCall op{rows, columns, depth, a.get(), b.get(), c.get(), trans_a, trans_b, bf16};
  const int64_t half = depth / 2, per_float = kernels.gemm_depth_per_float(bf16);
  for (const Span part : {Span{0, half}, Span{half, depth}}) {
    const int64_t floats = (part.size() + per_float - 1) / per_float;
    Guarded packed((columns + kGemmPanel - 1) / kGemmPanel * kGemmPanel * floats);
    Guarded scratch((rows + 8) * floats + kGemmSlack);
    kernels.gemm_pack(op, {0, columns}, part, packed.get());
    kernels.gemm_multiply(op, {0, rows}, {0, columns}, part, packed.get(), scratch.get());
    expect_intact(kernels.name, "gemm", {&a, &b, &c, &packed, &scratch});
  }
  std::vector<double> expected(static_cast<size_t>(rows * columns));
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) {
      for (int64_t k = 0; k < depth; k++) {
        expected[i * columns + j] += static_cast<double>(a[trans_a ? k * rows + i : i * depth + k]) *
                                     b[trans_b ? j * depth + k : k * columns + j];
      }
    }
  }
  expect_close(kernels.name, "gemm", c, expected, kTolerance);
}

}  // namespace

int main() {
  for (const Kernels& kernels : kKernels) {
    if (kernels.simd > sesd::simd()) continue;
    test_gelu_precision(kernels);
    for (const int64_t width : {1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 48, 100}) {
      for (const int64_t rows : {1, 5}) test_rows(kernels, rows, width);
      for (const int64_t length : {1, 2, 5, 13, 16, 24, 25, 64, 65, 130}) {
        if (width <= 33 || length < 20) test_attention(kernels, 2, length, length + length % 3, width);
      }
    }
    for (const int64_t rows : {1, 5, 6, 7, 12, 31}) {
      for (const int64_t columns : {1, 7, 16, 48, 63, 64, 65, 130}) {
        for (const int64_t depth : {2, 3, 30, 33, 64, 70}) {
          for (const int flags : {0, 1, 2, 3, 4, 5, 6, 7}) {
            test_gemm(kernels, rows, columns, depth, flags & 1, flags & 2, flags & 4);
          }
        }
      }
    }
    std::printf("%s: tested\n", kernels.name);
  }
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
