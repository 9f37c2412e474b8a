#include "optimizer.h"

#include <cmath>

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

}  // namespace

Napi::Value mean_of(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const auto dst = JsArena::get(info[0], "dst");
    const Napi::Array array = to_array(info[1], "sources");
    std::vector<std::shared_ptr<Arena>> sources;
    for (uint32_t i = 0; i < array.Length(); i++) {
      const std::string at = "sources[" + std::to_string(i) + "]";
      sources.push_back(JsArena::get(array.Get(i), at));
      check_lengths(*dst, "dst", *sources.back(), at);
    }
    if (sources.empty()) throw Error("sources must have at least one arena");
    return queue(info.Env(), [dst, sources, threads = Environment::get().threads()] {
      std::vector<const Arena*> all;
      for (const auto& source : sources) all.push_back(source.get());
      mean(*dst, all, threads);
    });
  });
}

Napi::Value blend_into(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const auto dst = JsArena::get(info[0], "dst"), src = JsArena::get(info[1], "src");
    const double weight = to_finite(info[2], "weight");
    check_lengths(*dst, "dst", *src, "src");
    return queue(info.Env(),
                 [dst, src, weight, threads = Environment::get().threads()] { blend(*dst, *src, static_cast<float>(weight), threads); });
  });
}

Napi::Value add_to(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const auto dst = JsArena::get(info[0], "dst"), src = JsArena::get(info[1], "src");
    check_lengths(*dst, "dst", *src, "src");
    return queue(info.Env(), [dst, src, threads = Environment::get().threads()] { add(*dst, *src, threads); });
  });
}

Napi::Value adamw_step(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const Napi::Object options = to_object(info[0], "options");
    const auto arena = [&](const char* name) { return JsArena::get(options.Get(name), name); };
    const auto weights = arena("weights"), gradients = arena("gradients"), m = arena("m"), v = arena("v");
    check_lengths(*weights, "weights", *gradients, "gradients");
    check_lengths(*weights, "weights", *m, "m");
    check_lengths(*weights, "weights", *v, "v");
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
    if (step.step < 1) throw Error("step must be at least 1: it is counted from there");
    if (!(step.max_grad_norm > 0)) throw Error("maxGradNorm must be more than 0; Infinity for no clipping");
    return queue(
        info.Env(), [=, threads = Environment::get().threads()] { return adamw(*weights, *gradients, *m, *v, step, threads); },
        [](Napi::Env env, double norm) { return Napi::Number::New(env, norm); });
  });
}

}  // namespace sesd::binding
