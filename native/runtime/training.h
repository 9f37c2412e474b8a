// A session of ONNX Runtime's training API: parameters, their gradients and AdamW's moments in memory of its own.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "environment.h"
#include "io_binding.h"
#include "ort.h"
#include "training_abi.h"

namespace sesd {

// Whether the loaded library has the training API.
bool has_training_api();

struct Blob {
  const void* data;
  size_t size;
};

// What a session is made of: a checkpoint, which names the parameters, and three serialized ModelProtos.
struct TrainingModels {
  Blob checkpoint, train, eval, optimizer;  // eval may be null
};

// Calls block, and wait for each other. They throw ort::Error when the runtime fails, Error for what does not fit.
class TrainingSession : public std::enable_shared_from_this<TrainingSession> {
 public:
  TrainingSession(const TrainingModels& models, const SessionSettings& settings);

  // Gives the parameters of a nominal checkpoint, which has names only, their values: all of them, in the order in which
  // the training model has them as inputs.
  void initialize(const std::vector<Slice>& parameters);
  void write(const std::vector<Slice>& parameters);
  void read(const std::vector<Slice>& parameters) const;

  RunResult eval_step(const RunRequest& request);
  // `outputs`: those that go to arenas.
  RunResult train_step(const RunRequest& request, const std::vector<Slice>& outputs);
  // The next training step begins the gradients anew.
  void reset_gradients();
  void optimizer_step(float learning_rate);
  // A checkpoint of parameters and moments as a file.
  void save(const std::string& path) const;

 private:
  // Inputs the caller gives and outputs it gets.
  struct Signature {
    std::vector<std::string> inputs, outputs;
  };
  using Step = std::function<ort::Status*(size_t, const ort::Value* const*, size_t, ort::Value**)>;

  RunResult step(const Step& run, const Signature& model, const RunRequest& request, const std::vector<Slice>& outputs);

  struct ReleaseCheckpoint {
    void operator()(ort::CheckpointState* state) const;
  };
  struct ReleaseSession {
    void operator()(ort::TrainingSession* session) const;
  };
  // The session works on the state's parameters: it goes first.
  std::unique_ptr<ort::CheckpointState, ReleaseCheckpoint> state_;
  std::unique_ptr<ort::TrainingSession, ReleaseSession> session_;
  Signature train_, eval_;
  mutable std::mutex mutex_;
};

}  // namespace sesd
