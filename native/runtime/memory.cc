#include "memory.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "errors.h"

#ifdef _WIN32
#include <malloc.h>
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace sesd {

namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

void* allocate(size_t bytes) {
#ifdef _WIN32
  return _aligned_malloc(bytes, kCacheLine);
#else
  void* memory = nullptr;
  return posix_memalign(&memory, kCacheLine, bytes) == 0 ? memory : nullptr;
#endif
}

void deallocate(void* memory) {
#ifdef _WIN32
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

// A file's pages, and on Windows the file, which is deleted when its last handle is closed.
struct MappedFile {
  void* data;
  void* file;
};

#ifdef _WIN32

// Null when there are none.
void* take_pages(size_t bytes) { return VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE); }

void give_back(void* pages, size_t) { VirtualFree(pages, 0, MEM_RELEASE); }

std::wstring wide(const std::string& text) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, text.c_str(), -1, nullptr, 0);
  std::wstring result(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.c_str(), -1, result.data(), length);
  return result;
}

[[noreturn]] void fail(const std::string& folder, size_t bytes) {
  throw Error("a file of " + std::to_string(bytes) + " bytes cannot be made in " + folder + ": system error " + std::to_string(GetLastError()));
}

MappedFile map_file(size_t bytes, const std::string& folder) {
  wchar_t path[MAX_PATH];
  if (GetTempFileNameW(wide(folder).c_str(), L"ses", 0, path) == 0) fail(folder, bytes);
  const HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, nullptr, CREATE_ALWAYS, FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, nullptr);
  if (file == INVALID_HANDLE_VALUE) fail(folder, bytes);
  const uint64_t size = bytes;
  const HANDLE mapping =
      CreateFileMappingW(file, nullptr, PAGE_READWRITE, static_cast<DWORD>(size >> 32), static_cast<DWORD>(size & 0xffffffffu), nullptr);
  void* const data = mapping == nullptr ? nullptr : MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, bytes);
  const DWORD error = GetLastError();
  // The view keeps the mapping.
  if (mapping != nullptr) CloseHandle(mapping);
  if (data == nullptr) {
    CloseHandle(file);
    SetLastError(error);
    fail(folder, bytes);
  }
  return {data, file};
}

// In this order: a file that is mapped may not be deleted.
void unmap(MappedFile mapped, size_t) {
  UnmapViewOfFile(mapped.data);
  CloseHandle(mapped.file);
}

#else

size_t whole_pages(size_t bytes) { return (bytes + kHugePage - 1) / kHugePage * kHugePage; }

// Null when there are none.
void* take_pages(size_t bytes) {
  if (bytes > SIZE_MAX - 2 * kHugePage) return nullptr;
  const size_t size = whole_pages(bytes);
  // One more, as the mapping may begin anywhere.
  void* const mapping = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  char* const first = static_cast<char*>(mapping);
  const size_t before = whole_pages(reinterpret_cast<uintptr_t>(first)) - reinterpret_cast<uintptr_t>(first);
  if (before > 0) munmap(first, before);
  if (before < kHugePage) munmap(first + before + size, kHugePage - before);
#ifdef __linux__
  // Advice only: without huge pages everything works as before.
  madvise(first + before, size, MADV_HUGEPAGE);
#endif
  return first + before;
}

void give_back(void* pages, size_t bytes) { munmap(pages, whole_pages(bytes)); }

[[noreturn]] void fail(const std::string& folder, size_t bytes, int error) {
  throw Error("a file of " + std::to_string(bytes) + " bytes cannot be made in " + folder + ": " + std::strerror(error));
}

// Space for the whole file, so that writing to the mapping cannot find the disk full, which would end the process.
int reserve(int file, size_t bytes) {
#ifdef __APPLE__
  fstore_t store{F_ALLOCATEALL, F_PEOFPOSMODE, 0, static_cast<off_t>(bytes), 0};
  if (fcntl(file, F_PREALLOCATE, &store) != 0) return errno;
  return ftruncate(file, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
#else
  return posix_fallocate(file, 0, static_cast<off_t>(bytes));
#endif
}

MappedFile map_file(size_t bytes, const std::string& folder) {
  std::string path = folder + "/.snapshot-XXXXXX";
  const int file = mkstemp(path.data());
  if (file < 0) fail(folder, bytes, errno);
  unlink(path.c_str());  // nobody else can cut it short, and it goes with the process however that ends
  const int error = reserve(file, bytes);
  void* const data = error == 0 ? mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
  const int map_error = error == 0 ? errno : error;
  close(file);
  if (data == MAP_FAILED) fail(folder, bytes, map_error);
  return {data, nullptr};
}

void unmap(MappedFile mapped, size_t bytes) { munmap(mapped.data, bytes); }

#endif

}  // namespace

Memory::Memory(size_t bytes) : bytes_(bytes), kind_(bytes < kHugePage ? Kind::kHeap : Kind::kPages) {
  data_ = kind_ == Kind::kPages ? take_pages(bytes) : allocate(bytes > 0 ? bytes : kCacheLine);
  if (data_ == nullptr) throw Error("not enough memory for " + std::to_string(bytes) + " bytes");
  if (kind_ == Kind::kHeap) std::memset(data_, 0, bytes);
}

Memory::Memory(size_t bytes, const std::string& folder) : bytes_(bytes > 0 ? bytes : 1), kind_(Kind::kFile) {
  const MappedFile mapped = map_file(bytes_, folder);
  data_ = mapped.data, file_ = mapped.file;
}

Memory::~Memory() {
  switch (kind_) {
    case Kind::kHeap: deallocate(data_); break;
    case Kind::kPages: give_back(data_, bytes_); break;
    case Kind::kFile: unmap({data_, file_}, bytes_); break;
  }
}

}  // namespace sesd
