#include "worker_pool.h"

#include <system_error>

namespace sesd {

// More than a trainer has under way at a time; the work itself is spread over the runtime's threads.
constexpr size_t kMostThreads = 16;

bool WorkerPool::submit(Task* task) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return false;
  // Idle threads that tasks are waiting for already do not count.
  if (idle_ <= waiting_.size() && threads_.size() < kMostThreads) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      if (threads_.empty()) throw;
    }
  }
  waiting_.push_back(task);
  changed_.notify_one();
  return true;
}

void WorkerPool::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    idle_++;
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    idle_--;
    if (closed_) return;
    Task* const task = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    task->execute();
    lock.lock();
  }
}

void WorkerPool::close() {
  std::vector<std::thread> threads;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    waiting_.clear();
    threads.swap(threads_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace sesd
