#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace sesd {

void parallel_chunks(size_t count, int threads, void (*body)(void*, size_t), void* user) {
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t chunk = next++; chunk < count; chunk = next++) body(user, chunk);
  };
  std::vector<std::thread> others;
  const size_t wanted = std::min(count, static_cast<size_t>(std::max(threads, 1)));
  others.reserve(wanted);
  try {
    while (others.size() + 1 < wanted) others.emplace_back(work);
  } catch (const std::system_error&) {
    // The system gives no more threads: those there are do the work.
  }
  work();
  for (std::thread& thread : others) thread.join();
}

}  // namespace sesd
