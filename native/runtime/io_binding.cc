#include "io_binding.h"

#include <algorithm>

#include "environment.h"
#include "errors.h"

namespace sesd {

namespace {

std::string quoted(const std::string& name) { return "'" + name + "'"; }

NamedValue bind_slice(const Slice& slice, const char* role, const Signature* signature) {
  const std::string what = std::string(role) + " " + quoted(slice.name);
  if (signature == nullptr) throw Error("the model has no " + what);
  signature->check(role, slice.block.type, slice.dims);
  return {slice.name, value_of(slice, what)};
}

bool overlap(const Slice& a, const Slice& b) {
  const size_t a_end = a.offset + checked_count(a.dims, a.name), b_end = b.offset + checked_count(b.dims, b.name);
  return a.block.data == b.block.data && a.offset < b_end && b.offset < a_end;
}

bool contains(const std::vector<NamedValue>& values, const std::string& name) {
  return std::any_of(values.begin(), values.end(), [&](const NamedValue& v) { return v.name == name; });
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Block block_of(const std::shared_ptr<Arena>& arena) {
  return {arena->data(), arena->length(), ort::kFloat, Environment::get().cpu_memory(), arena};
}

ort::ValueHandle value_of(const Slice& slice, const std::string& what) {
  const size_t count = checked_count(slice.dims, what);
  const auto& [data, length, type, memory, owner] = slice.block;
  if (slice.offset > length || count > length - slice.offset) {
    throw Error(what + " needs elements " + std::to_string(slice.offset) + " to " + std::to_string(slice.offset + count) +
                " of an arena that has " + std::to_string(length));
  }
  const size_t size = element_size(type);
  return ort::ValueHandle(ort::make<ort::Value>(ort::api().CreateTensorWithDataAsOrtValue, memory, static_cast<void*>(static_cast<std::byte*>(data) + slice.offset * size),
                                                count * size, slice.dims.data(), slice.dims.size(), type));
}

void Stash::add(const std::string& name, const std::shared_ptr<ort::Value>& value) {
  const TensorView view = view_of(value.get());
  bytes += view.count * element_size(view.type);
  values.push_back({name, value});
}

IoBinding::IoBinding(std::shared_ptr<Session> session, std::vector<Slice> inputs, std::vector<Slice> outputs, bool in_place)
    : session_(std::move(session)) {
  for (const Slice& slice : inputs) {
    if (binds_input(slice.name)) throw Error("input " + quoted(slice.name) + " is bound twice");
    inputs_.push_back(bind_slice(slice, "input", session_->input(slice.name)));
    owners_.push_back(slice.block.owner);
  }
  for (size_t i = 0; i < outputs.size(); i++) {
    const Slice& slice = outputs[i];
    if (binds_output(slice.name)) throw Error("output " + quoted(slice.name) + " is bound twice");
    outputs_.push_back(bind_slice(slice, "output", session_->output(slice.name)));
    owners_.push_back(slice.block.owner);
    for (const Slice& input : inputs) {
      if (!in_place && overlap(slice, input)) throw Error("output " + quoted(slice.name) + " overlaps input " + quoted(input.name) + " in an arena");
    }
    for (size_t j = 0; j < i; j++) {
      if (overlap(slice, outputs[j])) throw Error("outputs " + quoted(outputs[j].name) + " and " + quoted(slice.name) + " overlap in an arena");
    }
  }
}

bool IoBinding::binds_input(const std::string& name) const { return contains(inputs_, name); }
bool IoBinding::binds_output(const std::string& name) const { return contains(outputs_, name); }

Run::Run(std::shared_ptr<IoBinding> binding, RunRequest request)
    : binding_(std::move(binding)), request_(std::move(request)), options_(ort::make<ort::RunOptions>(ort::api().CreateRunOptions)) {
  check_inputs();
  for (const auto* names : {&request_.fetch, &request_.keep}) {
    for (const std::string& name : *names) {
      if (binding_->session()->output(name) == nullptr) throw Error("the model has no output " + quoted(name));
      if (binding_->binds_output(name)) throw Error("output " + quoted(name) + " is bound to an arena: read it there");
    }
  }
}

void Run::check_inputs() const {
  const Session& session = *binding_->session();
  std::vector<std::string> given;
  for (const Feed& feed : request_.feeds) {
    const Signature* signature = session.input(feed.name);
    if (signature == nullptr) throw Error("the model has no input " + quoted(feed.name));
    if (binding_->binds_input(feed.name)) throw Error("input " + quoted(feed.name) + " is bound to an arena and cannot be fed too");
    signature->check("input", feed.tensor.type->code, feed.tensor.dims);
    given.push_back(feed.name);
  }
  for (const Signature& input : session.inputs()) {
    const bool stashed = request_.stash != nullptr && contains(request_.stash->values, input.name);
    if (!stashed && !contains(given, input.name) && !binding_->binds_input(input.name)) {
      throw Error("input " + quoted(input.name) + " has no value: it is neither bound, nor fed, nor in a stash");
    }
  }
}

void Run::cancel() {
  cancelled_ = true;
  // Fails for no input; a status would only say that memory ran out.
  if (ort::Status* status = ort::api().RunOptionsSetTerminate(options_.get())) ort::api().ReleaseStatus(status);
}

void Run::bind_inputs(ort::IoBinding* io) const {
  const auto bind = [&](const std::string& name, const ort::Value* value) { ort::check(ort::api().BindInput(io, name.c_str(), value)); };
  for (const NamedValue& weight : binding_->inputs_) bind(weight.name, weight.value.get());
  // What a run feeds and binds goes before what an earlier one kept.
  if (request_.stash != nullptr) {
    for (const NamedValue& kept : request_.stash->values) {
      if (binding_->session()->input(kept.name) != nullptr && !binding_->binds_input(kept.name)) bind(kept.name, kept.value.get());
    }
  }
  for (const Feed& feed : request_.feeds) {
    const HostTensor& tensor = feed.tensor;
    bind(feed.name, value_over(tensor.data.get(), tensor.bytes, tensor.dims, tensor.type->code).get());
  }
}

RunResult Run::execute() {
  const ort::Api& api = ort::api();
  ort::Session* const session = binding_->session()->handle();
  // A binding of its own for each run: one that is kept would hold on to the last run's stash and feeds.
  const ort::IoBindingHandle io(ort::make<ort::IoBinding>(api.CreateIoBinding, session));
  bind_inputs(io.get());
  for (const NamedValue& output : binding_->outputs_) ort::check(api.BindOutput(io.get(), output.name.c_str(), output.value.get()));
  std::vector<std::string> wanted;
  const auto want = [&](const std::vector<std::string>& names, const ort::MemoryInfo* memory) {
    for (const std::string& name : names) {
      if (contains(wanted, name)) continue;
      wanted.push_back(name);
      ort::check(api.BindOutputToDevice(io.get(), name.c_str(), memory));
    }
  };
  // What is fetched comes to the host, even if it is also kept.
  want(request_.fetch, Environment::get().cpu_memory());
  want(request_.keep, binding_->session()->memory());
  // Nothing to wait for where host and device are one.
  ort::check(api.SynchronizeBoundInputs(io.get()));

  ort::Status* status = cancelled_ ? nullptr : api.RunWithBinding(session, options_.get(), io.get());
  if (cancelled_) {
    api.ReleaseStatus(status);
    throw Aborted();
  }
  ort::check(status);
  ort::check(api.SynchronizeBoundOutputs(io.get()));
  return collect(io.get(), wanted);
}

RunResult Run::collect(const ort::IoBinding* io, const std::vector<std::string>& wanted) const {
  const ort::Api& api = ort::api();
  ort::Allocator* const allocator = ort::make<ort::Allocator>(api.GetAllocatorWithDefaultOptions);
  ort::Value** list = nullptr;
  size_t count = 0;
  ort::check(api.GetBoundOutputValues(io, allocator, &list, &count));
  // In the order in which they were bound: those in arenas, then those wanted.
  std::vector<std::shared_ptr<ort::Value>> values;
  for (size_t i = 0; i < count; i++) values.push_back(ort::ValueHandle(list[i]));
  if (list != nullptr) ort::check(api.AllocatorFree(allocator, list));

  RunResult result;
  if (!request_.keep.empty()) {
    result.stash = std::make_shared<Stash>();
    result.stash->session = binding_->session();
  }
  for (size_t i = 0; i < wanted.size(); i++) {
    const std::string& name = wanted[i];
    const std::shared_ptr<ort::Value>& value = values.at(binding_->outputs_.size() + i);
    if (contains(request_.fetch, name)) result.fetched.push_back({name, value});
    if (contains(request_.keep, name)) result.stash->add(name, value);
  }
  return result;
}

}  // namespace sesd
