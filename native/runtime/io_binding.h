// Runs of a session: what is bound once, what comes and goes with each run, and how a run is ended early.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "arena.h"
#include "ort.h"
#include "session.h"
#include "tensor.h"

namespace sesd {

// The elements of an arena.
Block block_of(const std::shared_ptr<Arena>& arena);

// A tensor in an arena or another block, bound to an input or output.
struct Slice {
  std::string name;
  Block block;
  size_t offset;  // elements
  Dims dims;
};

// The tensor where it lies. Throws, with `what` for its name, when it does not fit its arena.
ort::ValueHandle value_of(const Slice& slice, const std::string& what);

struct NamedValue {
  std::string name;
  std::shared_ptr<ort::Value> value;
};

// Values of one run that stay in native memory.
struct Stash {
  std::shared_ptr<const void> session;  // made the values, so it outlives them
  std::vector<NamedValue> values;
  size_t bytes = 0;

  void add(const std::string& name, const std::shared_ptr<ort::Value>& value);
};

// A session with its weights. Immutable, so runs may share it.
class IoBinding {
 public:
  // Throws, naming the tensor, when a slice does not fit its arena or the model, or when an output overlaps
  // another slice: the runtime would then read what it is writing. `in_place` lets an output overlap inputs, for graphs
  // whose node that writes it is the last to read them, element by element.
  IoBinding(std::shared_ptr<Session> session, std::vector<Slice> inputs, std::vector<Slice> outputs, bool in_place = false);

  const std::shared_ptr<Session>& session() const { return session_; }
  bool binds_input(const std::string& name) const;
  bool binds_output(const std::string& name) const;

 private:
  friend class Run;

  std::shared_ptr<Session> session_;
  std::vector<std::shared_ptr<const void>> owners_;  // hold the memory of the values
  std::vector<NamedValue> inputs_, outputs_;
};

struct Feed {
  std::string name;
  HostTensor tensor;
};

struct RunRequest {
  std::vector<Feed> feeds;
  std::shared_ptr<Stash> stash;  // may be null
  std::vector<std::string> fetch;
  std::vector<std::string> keep;
};

struct RunResult {
  std::vector<NamedValue> fetched;
  std::shared_ptr<Stash> stash;  // null when nothing was to be kept
};

// One run. Owns what it reads until it ends.
class Run {
 public:
  // Throws, naming the tensor, when the request does not fit the binding.
  Run(std::shared_ptr<IoBinding> binding, RunRequest request);

  // Blocks. Throws Aborted when cancelled, ort::Error when the runtime fails.
  RunResult execute();
  // From any thread, any number of times, also before execute(). The runtime looks between two nodes.
  void cancel();

 private:
  void check_inputs() const;
  void bind_inputs(ort::IoBinding* io) const;
  RunResult collect(const ort::IoBinding* io, const std::vector<std::string>& wanted) const;

  std::shared_ptr<IoBinding> binding_;
  RunRequest request_;
  ort::RunOptionsHandle options_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace sesd
