// A few threads for passes over arenas, beside ONNX Runtime's.
#pragma once

#include <cstddef>

namespace sesd {

// Elements in a chunk: small enough to share out evenly, large enough that starting one costs nothing.
constexpr size_t kChunk = size_t{1} << 16;

inline size_t chunk_count(size_t length) { return (length + kChunk - 1) / kChunk; }

// Calls body(user, i) for every i < count on up to `threads` threads, the caller's among them, and waits.
// Chunks are handed out in no fixed order: each must write memory of its own.
void parallel_chunks(size_t count, int threads, void (*body)(void* user, size_t chunk), void* user);

template <class Body>
void parallel_chunks(size_t count, int threads, const Body& body) {
  parallel_chunks(
      count, threads, [](void* user, size_t chunk) { (*static_cast<const Body*>(user))(chunk); },
      const_cast<Body*>(&body));
}

// Calls body(first, last) for the chunks of `length` elements.
template <class Body>
void parallel_ranges(size_t length, int threads, const Body& body) {
  parallel_chunks(chunk_count(length), threads, [&](size_t chunk) {
    const size_t first = chunk * kChunk;
    body(first, length - first < kChunk ? length : first + kChunk);
  });
}

}  // namespace sesd
