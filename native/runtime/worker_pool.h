// Threads that wait for ONNX Runtime and for passes over arenas, so that the JavaScript thread need not.
// They are our own, not libuv's: those are few, file and network access needs them, and Node waits for their work
// before it lets a worker_thread that is being terminated cancel it.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace sesd {

// Something to do. The pool does not own it.
class Task {
 public:
  virtual ~Task() = default;
  virtual void execute() noexcept = 0;
};

class WorkerPool {
 public:
  ~WorkerPool() { close(); }

  // Executes the task on an idle thread, else on a new one, else when one becomes idle. False once closed.
  // Throws std::system_error when there is no thread and the system gives none.
  bool submit(Task* task);
  // Drops what has not begun and waits for what has. May be called again.
  void close();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task*> waiting_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool closed_ = false;
};

}  // namespace sesd
