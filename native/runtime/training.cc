#include "training.h"

#include <algorithm>
#include <cstring>

#include "errors.h"
#include "library.h"

namespace sesd {

namespace {

// Null where the library has none. Its slots are those of 1.16, as ours are.
const ort::TrainingApi* find_api() {
  static const ort::TrainingApi* const found = []() -> const ort::TrainingApi* {
    const auto table = static_cast<void* const*>(ort::api().GetTrainingApi(ort::kApiVersion));
    if (table == nullptr) return nullptr;
    static ort::TrainingApi api;
#define ORT_COPY(slot, name, result, arguments) api.name = reinterpret_cast<decltype(api.name)>(table[slot]);
    ORT_TRAINING_FUNCTIONS(ORT_COPY)
#undef ORT_COPY
    return &api;
  }();
  return found;
}

const ort::TrainingApi& api() {
  const ort::TrainingApi* found = find_api();
  if (found == nullptr) throw Error("the loaded ONNX Runtime was built without its training API");
  return *found;
}

template <class Count, class Name>
std::vector<std::string> names(const ort::TrainingSession* session, Count get_count, Name get_name) {
  size_t count = 0;
  ort::check(get_count(session, &count));
  std::vector<std::string> all(count);
  for (size_t i = 0; i < count; i++) all[i] = ort::take_string(ort::make<char>(get_name, session, i, ort::default_allocator()));
  return all;
}

bool contains(const std::vector<std::string>& all, const std::string& name) {
  return std::find(all.begin(), all.end(), name) != all.end();
}

std::string parameter(const Slice& slice) { return "parameter '" + slice.name + "'"; }

}  // namespace

bool has_training_api() { return find_api() != nullptr; }

void TrainingSession::ReleaseCheckpoint::operator()(ort::CheckpointState* state) const { api().ReleaseCheckpointState(state); }
void TrainingSession::ReleaseSession::operator()(ort::TrainingSession* session) const { api().ReleaseTrainingSession(session); }

TrainingSession::TrainingSession(const TrainingModels& models, const SessionSettings& settings) {
  const Blob &checkpoint = models.checkpoint, &train = models.train, &eval = models.eval, &optimizer = models.optimizer;
  Environment::get().make_session(settings, [&](const ort::Env* env, const ort::SessionOptions* options) {
    // A state serves one session.
    session_.reset();
    state_.reset(ort::make<ort::CheckpointState>(api().LoadCheckpointFromBuffer, checkpoint.data, checkpoint.size));
    session_.reset(ort::make<ort::TrainingSession>(api().CreateTrainingSessionFromBuffer, env, options, state_.get(), train.data, train.size,
                                                   eval.data, eval.size, optimizer.data, optimizer.size));
  });
  train_ = {names(session_.get(), api().TrainingSessionGetTrainingModelInputCount, api().TrainingSessionGetTrainingModelInputName),
            names(session_.get(), api().TrainingSessionGetTrainingModelOutputCount, api().TrainingSessionGetTrainingModelOutputName)};
  if (eval.size == 0) return;
  eval_ = {names(session_.get(), api().TrainingSessionGetEvalModelInputCount, api().TrainingSessionGetEvalModelInputName),
           names(session_.get(), api().TrainingSessionGetEvalModelOutputCount, api().TrainingSessionGetEvalModelOutputName)};
}

void TrainingSession::initialize(const std::vector<Slice>& parameters) {
  std::vector<float> all;
  for (const Slice& slice : parameters) {
    const TensorView view = view_of(value_of(slice, parameter(slice)).get());
    const auto data = static_cast<const float*>(view.data);
    all.insert(all.end(), data, data + view.count);
  }
  const ort::ValueHandle buffer = value_over(all.data(), all.size() * sizeof(float), {static_cast<int64_t>(all.size())}, ort::kFloat);
  const std::lock_guard<std::mutex> lock(mutex_);
  ort::check(api().CopyBufferToParameters(session_.get(), buffer.get(), false));
}

void TrainingSession::write(const std::vector<Slice>& parameters) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Slice& slice : parameters) {
    ort::check(api().UpdateParameter(state_.get(), slice.name.c_str(), value_of(slice, parameter(slice)).get()));
  }
}

void TrainingSession::read(const std::vector<Slice>& parameters) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Slice& slice : parameters) {
    const ort::ValueHandle target = value_of(slice, parameter(slice));
    const ort::ValueHandle value(ort::make<ort::Value>(api().GetParameter, state_.get(), slice.name.c_str(), ort::default_allocator()));
    const TensorView from = view_of(value.get()), to = view_of(target.get());
    if (from.type != ort::kFloat || from.count != to.count) throw Error(parameter(slice) + " is not of the size that is read");
    std::memcpy(to.data, from.data, from.count * sizeof(float));
  }
}

RunResult TrainingSession::eval_step(const RunRequest& request) {
  if (eval_.outputs.empty()) throw Error("the session was made without an eval model");
  const auto run = [&](size_t given, const ort::Value* const* inputs, size_t wanted, ort::Value** outputs) {
    return api().EvalStep(session_.get(), nullptr, given, inputs, wanted, outputs);
  };
  return step(run, eval_, request, {});
}

RunResult TrainingSession::train_step(const RunRequest& request, const std::vector<Slice>& outputs) {
  const auto run = [&](size_t given, const ort::Value* const* inputs, size_t wanted, ort::Value** made) {
    return api().TrainStep(session_.get(), nullptr, given, inputs, wanted, made);
  };
  return step(run, train_, request, outputs);
}

RunResult TrainingSession::step(const Step& run, const Signature& model, const RunRequest& request, const std::vector<Slice>& outputs) {
  std::vector<ort::ValueHandle> fed;  // values of this step, over memory of the request
  std::vector<const ort::Value*> inputs;
  for (const std::string& name : model.inputs) {
    const ort::Value* value = nullptr;
    for (const Feed& feed : request.feeds) {
      if (feed.name != name) continue;
      fed.push_back(value_over(feed.tensor.data.get(), feed.tensor.bytes, feed.tensor.dims, feed.tensor.type->code));
      value = fed.back().get();
    }
    if (value == nullptr && request.stash != nullptr) {
      for (const NamedValue& kept : request.stash->values) {
        if (kept.name == name) value = kept.value.get();
      }
    }
    if (value == nullptr) throw Error("input '" + name + "' has no value: it is neither fed nor in a stash");
    inputs.push_back(value);
  }
  for (const auto* wanted : {&request.fetch, &request.keep}) {
    for (const std::string& name : *wanted) {
      if (!contains(model.outputs, name)) throw Error("the model has no output '" + name + "'");
    }
  }

  std::vector<ort::ValueHandle> values(model.outputs.size());  // those in arenas, then also those the runtime makes
  for (const Slice& slice : outputs) {
    const auto found = std::find(model.outputs.begin(), model.outputs.end(), slice.name);
    if (found == model.outputs.end()) throw Error("the model has no output '" + slice.name + "'");
    values[static_cast<size_t>(found - model.outputs.begin())] = value_of(slice, "output '" + slice.name + "'");
  }
  std::vector<ort::Value*> made;
  for (const ort::ValueHandle& value : values) made.push_back(value.get());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ort::check(run(inputs.size(), inputs.data(), made.size(), made.data()));
  }

  RunResult result;
  if (!request.keep.empty()) {
    result.stash = std::make_shared<Stash>();
    result.stash->session = shared_from_this();
  }
  for (size_t i = 0; i < made.size(); i++) {
    if (values[i] != nullptr) continue;
    const std::shared_ptr<ort::Value> value(ort::ValueHandle{made[i]});
    const std::string& name = model.outputs[i];
    if (contains(request.fetch, name)) result.fetched.push_back({name, value});
    if (contains(request.keep, name)) result.stash->add(name, value);
  }
  return result;
}

void TrainingSession::reset_gradients() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ort::check(api().LazyResetGrad(session_.get()));
}

void TrainingSession::optimizer_step(float learning_rate) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ort::check(api().SetLearningRate(session_.get(), learning_rate));
  ort::check(api().OptimizerStep(session_.get(), nullptr));
}

void TrainingSession::save(const std::string& path) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  ort::check(api().SaveCheckpoint(state_.get(), native_path(path).c_str(), true));
}

}  // namespace sesd
