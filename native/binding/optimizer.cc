#include "optimizer.h"

#include <cmath>

#include "../optimizer/averaging.h"
#include "../optimizer/passes.h"
#include "../runtime/environment.h"
#include "arena.h"
#include "arguments.h"
#include "promise.h"

namespace sesd::binding {

namespace {

double to_finite(const Napi::Value& value, const std::string& name) {
  const double number = to_number(value, name);
  if (!std::isfinite(number)) throw Error(name + " must be finite");
  return number;
}

// A decay rate of a moment.
double to_beta(const Napi::Value& value, const std::string& name) {
  const double beta = to_number(value, name);
  if (!(beta >= 0 && beta < 1)) throw Error(name + " must be at least 0 and less than 1, found " + std::to_string(beta));
  return beta;
}

std::vector<Segment> to_segments(const Napi::Value& value, const Arena& arena) {
  const Napi::Array array = to_array(value, "segments");
  std::vector<Segment> segments;
  segments.reserve(array.Length());
  size_t end = 0;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::HandleScope scope(array.Env());
    const std::string at = "segments[" + std::to_string(i) + "]";
    const Napi::Object object = to_object(array.Get(i), at);
    const Segment segment{to_size(object.Get("offset"), at + ".offset"), to_size(object.Get("length"), at + ".length"),
                          to_finite(object.Get("learningRate"), at + ".learningRate"),
                          to_finite(object.Get("weightDecay"), at + ".weightDecay")};
    if (segment.offset < end) {
      throw Error(at + " begins at " + std::to_string(segment.offset) + ", before the end of the one in front of it: " + std::to_string(end));
    }
    if (segment.offset > arena.length() || segment.length > arena.length() - segment.offset) {
      throw Error(at + " ends beyond the arenas' " + std::to_string(arena.length()) + " elements");
    }
    end = segment.offset + segment.length;
    segments.push_back(segment);
  }
  return segments;
}

// The arenas of a list, each as long as `expected`.
std::vector<AnyArena> to_arenas(const Napi::Value& value, const std::string& name, size_t expected, const std::string& expected_name) {
  const Napi::Array array = to_array(value, name);
  std::vector<AnyArena> arenas;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const std::string at = name + "[" + std::to_string(i) + "]";
    arenas.push_back(to_any_arena(array.Get(i), at));
    check_lengths(expected, expected_name, length_of(arenas.back()), at);
  }
  return arenas;
}

// What is to be done for one average of `weights`.
Averaging to_averaging(const Napi::Object& object, const std::string& at, const std::shared_ptr<Arena>& weights) {
  const std::string kind = to_string(object.Get("kind"), at + ".kind");
  const auto checked = [&](auto arena, const char* field) {
    const std::string name = at + "." + field;
    check_lengths(weights->length(), "weights", arena->length(), name);
    if (static_cast<const void*>(arena.get()) == weights.get()) throw Error(name + " must be another arena than the weights");
    return arena;
  };
  const auto into = [&] { return checked(JsArena::get(object.Get("into"), at + ".into"), "into"); };
  if (kind == "copy") {
    const AnyArena to = to_any_arena(object.Get("into"), at + ".into");
    std::visit([&](const auto& arena) { checked(arena, "into"); }, to);
    return CopyOf{to};
  }
  if (kind == "blend") return Blend{into(), static_cast<float>(to_finite(object.Get("weight"), at + ".weight"))};
  if (kind == "running-mean") {
    const double count = to_finite(object.Get("count"), at + ".count");
    if (count < 1) throw Error(at + ".count must be at least 1: x is one of the sets");
    return RunningMean{into(), checked(JsBf16Arena::get(object.Get("residual"), at + ".residual"), "residual"), count};
  }
  if (kind == "mean") return MeanWith{into(), to_arenas(object.Get("others"), at + ".others", weights->length(), "weights")};
  throw Error(at + ".kind must be copy, blend, running-mean or mean, found " + kind);
}

std::vector<Averaging> to_averages(const Napi::Value& value, const std::string& name, const std::shared_ptr<Arena>& weights) {
  std::vector<Averaging> averages;
  if (value.IsUndefined()) return averages;
  const Napi::Array array = to_array(value, name);
  for (uint32_t i = 0; i < array.Length(); i++) {
    const std::string at = name + "[" + std::to_string(i) + "]";
    averages.push_back(to_averaging(to_object(array.Get(i), at), at, weights));
  }
  return averages;
}

}  // namespace

Napi::Value mean_of(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const auto dst = JsArena::get(info[0], "dst");
    const auto sources = to_arenas(info[1], "sources", dst->length(), "dst");
    if (sources.empty()) throw Error("sources must have at least one arena");
    return queue(info.Env(), [dst, sources, threads = Environment::get().threads()] { mean(*dst, sources, threads); });
  });
}

Napi::Value average_of(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const auto weights = JsArena::get(info[0], "weights");
    const auto averages = to_averages(info[1], "averages", weights);
    return queue(info.Env(), [weights, averages, threads = Environment::get().threads()] { average(averages, *weights, threads); });
  });
}

Napi::Value add_to(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const auto dst = JsArena::get(info[0], "dst"), src = JsArena::get(info[1], "src");
    check_lengths(dst->length(), "dst", src->length(), "src");
    return queue(info.Env(), [dst, src, threads = Environment::get().threads()] { add(*dst, *src, threads); });
  });
}

Napi::Value adamw_step(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const Napi::Object options = to_object(info[0], "options");
    const auto arena = [&](const char* name) { return JsArena::get(options.Get(name), name); };
    const auto weights = arena("weights"), gradients = arena("gradients"), m = arena("m"), v = arena("v");
    check_lengths(weights->length(), "weights", gradients->length(), "gradients");
    check_lengths(weights->length(), "weights", m->length(), "m");
    check_lengths(weights->length(), "weights", v->length(), "v");
    if (weights == gradients || weights == m || weights == v || gradients == m || gradients == v || m == v) {
      throw Error("weights, gradients, m and v must be four different arenas");
    }
    AdamWStep step{};
    step.segments = to_segments(options.Get("segments"), *weights);
    step.beta1 = to_beta(options.Get("beta1"), "beta1");
    step.beta2 = to_beta(options.Get("beta2"), "beta2");
    step.epsilon = to_finite(options.Get("epsilon"), "epsilon");
    step.step = static_cast<int64_t>(to_size(options.Get("step"), "step"));
    step.max_grad_norm = to_number(options.Get("maxGradNorm"), "maxGradNorm");
    step.before = to_averages(options.Get("before"), "before", weights);
    step.after = to_averages(options.Get("after"), "after", weights);
    if (step.step < 1) throw Error("step must be at least 1: it is counted from there");
    if (!(step.max_grad_norm > 0)) throw Error("maxGradNorm must be more than 0; Infinity for no clipping");
    return queue(
        info.Env(), [=, threads = Environment::get().threads()] { return adamw(*weights, *gradients, *m, *v, step, threads); },
        [](Napi::Env env, double norm) { return Napi::Number::New(env, norm); });
  });
}

}  // namespace sesd::binding
