#include "library.h"

#include <cstdlib>

#include "errors.h"
#include "ort.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace ort {

namespace {
Api table{};
}

const Api& api() { return table; }

void check(Status* status) {
  if (status == nullptr) return;
  const std::string message = api().GetErrorMessage(status);
  api().ReleaseStatus(status);
  throw Error(message);
}

Allocator* default_allocator() { return make<Allocator>(api().GetAllocatorWithDefaultOptions); }

std::string take_string(char* text) {
  const std::string copy = text;
  check(api().AllocatorFree(default_allocator(), text));
  return copy;
}

}  // namespace ort

namespace sesd {

using GetApiBase = const ort::ApiBase*(ORT_ABI_CALL*)();

#ifdef _WIN32

std::basic_string<ort::PathChar> native_path(const std::string& path) {
  const int size = MultiByteToWideChar(CP_UTF8, 0, path.data(), static_cast<int>(path.size()), nullptr, 0);
  std::wstring wide(static_cast<size_t>(size), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.data(), static_cast<int>(path.size()), wide.data(), size);
  return wide;
}

static HMODULE load(const std::string& path) {
  // The altered search path finds the DLLs that lie beside this one.
  const HMODULE library = LoadLibraryExW(native_path(path).c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
  if (library == nullptr) throw Error("cannot load " + path + ": Windows error " + std::to_string(GetLastError()));
  return library;
}

static void* find_entry(const std::string& path) { return reinterpret_cast<void*>(GetProcAddress(load(path), "OrtGetApiBase")); }

static void disable_telemetry() {
  if (std::getenv("ORT_DISABLE_TELEMETRY") == nullptr) _putenv_s("ORT_DISABLE_TELEMETRY", "1");
}

#else

std::basic_string<ort::PathChar> native_path(const std::string& path) { return path; }

static void* load(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw Error("cannot load " + path + ": " + dlerror());
  return library;
}

static void* find_entry(const std::string& path) { return dlsym(load(path), "OrtGetApiBase"); }

static void disable_telemetry() { setenv("ORT_DISABLE_TELEMETRY", "1", 0); }

#endif

void preload(const std::string& path) { load(path); }

std::string load_library(const std::string& path) {
  // Read when the library is loaded; without it a device id is written into the user's home.
  disable_telemetry();
  const auto entry = reinterpret_cast<GetApiBase>(find_entry(path));
  if (entry == nullptr) throw Error(path + " is not ONNX Runtime: it has no OrtGetApiBase");
  const ort::ApiBase& base = *entry();
  const std::string version = base.GetVersionString();
  if (!ort::load_api(base, ort::table)) {
    throw Error("ONNX Runtime " + version + " in " + path + " is too old: 1." + std::to_string(ort::kApiVersion) +
                " or later is needed");
  }
  return version;
}

}  // namespace sesd
