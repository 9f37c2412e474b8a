#include "training.h"

#include "arguments.h"
#include "promise.h"
#include "requests.h"

namespace sesd::binding {

void JsTrainingSession::define(Napi::Env env) {
  Handle::define(env, {
                          InstanceMethod<&JsTrainingSession::Initialize>("initialize"),
                          InstanceMethod<&JsTrainingSession::Write>("write"),
                          InstanceMethod<&JsTrainingSession::Read>("read"),
                          InstanceMethod<&JsTrainingSession::EvalStep>("evalStep"),
                          InstanceMethod<&JsTrainingSession::TrainStep>("trainStep"),
                          InstanceMethod<&JsTrainingSession::ResetGradients>("resetGradients"),
                          InstanceMethod<&JsTrainingSession::OptimizerStep>("optimizerStep"),
                          InstanceMethod<&JsTrainingSession::Save>("save"),
                          InstanceMethod<&JsTrainingSession::Release>("release"),
                      });
}

Napi::Value JsTrainingSession::make(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const Napi::Object models = to_object(info[0], "models");
    // The arrays stay alive and where they are until the session is made.
    std::vector<Napi::ObjectReference> alive;
    const auto blob = [&](const char* name) {
      const Napi::Value value = models.Get(name);
      if (value.IsUndefined() && std::string(name) == "eval") return Blob{nullptr, 0};
      const Bytes bytes = to_bytes(value, name);
      alive.push_back(Napi::Persistent(value.As<Napi::Object>()));
      return Blob{bytes.data, bytes.size};
    };
    const TrainingModels blobs{blob("checkpoint"), blob("train"), blob("eval"), blob("optimizer")};
    const SessionSettings settings = to_settings(info[1]);
    return queue(
        info.Env(), [=, alive = std::move(alive)] { return std::make_shared<TrainingSession>(blobs, settings); },
        [](Napi::Env env, std::shared_ptr<TrainingSession>& session) { return create(env, session); });
  });
}

Napi::Value JsTrainingSession::Initialize(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] {
    return queue(info.Env(), [session = native(), parameters = to_slices(info[0], "parameters")] { session->initialize(parameters); });
  });
}

Napi::Value JsTrainingSession::Write(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] {
    return queue(info.Env(), [session = native(), parameters = to_slices(info[0], "parameters")] { session->write(parameters); });
  });
}

Napi::Value JsTrainingSession::Read(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] {
    return queue(info.Env(), [session = native(), parameters = to_slices(info[0], "parameters")] { session->read(parameters); });
  });
}

Napi::Value JsTrainingSession::EvalStep(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] {
    // A request cannot be copied, which a captured one would have to be.
    const auto request = std::make_shared<RunRequest>(to_request(info[0]));
    return queue(info.Env(), [session = native(), request] { return session->eval_step(*request); }, from_result);
  });
}

Napi::Value JsTrainingSession::TrainStep(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] {
    const auto request = std::make_shared<RunRequest>(to_request(info[0]));
    const std::vector<Slice> outputs = to_slices(info[1], "outputs");
    return queue(info.Env(), [session = native(), request, outputs] { return session->train_step(*request, outputs); }, from_result);
  });
}

Napi::Value JsTrainingSession::ResetGradients(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] { return queue(info.Env(), [session = native()] { session->reset_gradients(); }); });
}

Napi::Value JsTrainingSession::OptimizerStep(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] {
    const auto rate = static_cast<float>(to_number(info[0], "learningRate"));
    return queue(info.Env(), [session = native(), rate] { session->optimizer_step(rate); });
  });
}

Napi::Value JsTrainingSession::Save(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] {
    return queue(info.Env(), [session = native(), path = to_string(info[0], "path")] { session->save(path); });
  });
}

}  // namespace sesd::binding
