#include "session.h"

#include "errors.h"

namespace sesd {

namespace {

template <class Count, class Name, class Type>
std::vector<Signature> signatures(const ort::Session* session, Count get_count, Name get_name, Type get_type) {
  const ort::Api& api = ort::api();
  ort::Allocator* const allocator = ort::default_allocator();
  size_t count = 0;
  ort::check(get_count(session, &count));
  std::vector<Signature> all(count);
  for (size_t i = 0; i < count; i++) {
    Signature& signature = all[i];
    signature.name = ort::take_string(ort::make<char>(get_name, session, i, allocator));
    const ort::TypeInfoHandle type(ort::make<ort::TypeInfo>(get_type, session, i));
    const ort::TensorInfo* info = nullptr;  // belongs to `type`
    ort::check(api.CastTypeInfoToTensorInfo(type.get(), &info));
    if (info == nullptr) continue;
    ort::check(api.GetTensorElementType(info, &signature.type));
    size_t rank = 0;
    ort::check(api.GetDimensionsCount(info, &rank));
    signature.dims.resize(rank);
    ort::check(api.GetDimensions(info, signature.dims.data(), rank));
  }
  return all;
}

const Signature* find(const std::vector<Signature>& all, const std::string& name) {
  for (const Signature& signature : all) {
    if (signature.name == name) return &signature;
  }
  return nullptr;
}

int device_of(const SessionSettings& settings) {
  for (const auto& [key, value] : settings.cuda_options) {
    if (key == "device_id") return std::stoi(value);
  }
  return 0;
}

}  // namespace

void Signature::check(const char* role, int given_type, const Dims& given_dims) const {
  // A tensor without a declared shape looks like a scalar here; the runtime checks it in the run.
  bool fits = type == given_type && (dims.empty() || dims.size() == given_dims.size());
  for (size_t i = 0; fits && i < dims.size(); i++) fits = dims[i] < 0 || dims[i] == given_dims[i];
  if (fits) return;
  throw Error(std::string(role) + " '" + name + "' is " + element_type_text(type) + dims_text(dims) + " in the model, given " +
              element_type_text(given_type) + dims_text(given_dims));
}

Session::Session(const void* model, size_t bytes, const SessionSettings& settings) : profiling_(!settings.profile.empty()) {
  const ort::Api& api = ort::api();
  Environment::get().make_session(settings, [&](const ort::Env* env, const ort::SessionOptions* options) {
    handle_.reset(ort::make<ort::Session>(api.CreateSessionFromArray, env, model, bytes, options));
  });
  if (settings.cuda) {
    device_memory_.reset(ort::make<ort::MemoryInfo>(api.CreateMemoryInfo, "Cuda", int{ort::kDeviceAllocator}, device_of(settings),
                                                    int{ort::kDefaultMemory}));
  }
  inputs_ = signatures(handle_.get(), api.SessionGetInputCount, api.SessionGetInputName, api.SessionGetInputTypeInfo);
  outputs_ = signatures(handle_.get(), api.SessionGetOutputCount, api.SessionGetOutputName, api.SessionGetOutputTypeInfo);
}

const ort::MemoryInfo* Session::memory() const { return device_memory_ ? device_memory_.get() : Environment::get().cpu_memory(); }

const Signature* Session::input(const std::string& name) const { return find(inputs_, name); }
const Signature* Session::output(const std::string& name) const { return find(outputs_, name); }

std::string Session::end_profiling() {
  if (!profiling_) throw Error("the session records no profile");
  profiling_ = false;
  ort::Allocator* const allocator = ort::default_allocator();
  return ort::take_string(ort::make<char>(ort::api().SessionEndProfiling, handle_.get(), allocator));
}

}  // namespace sesd
