// ONNX Runtime's shared library.
#pragma once

#include <string>

#include "ort_abi.h"

namespace sesd {

// Loads the library and fills ort::api(). Returns its version, e.g. "1.30.0". The library is never unloaded:
// its threads may still run when the process ends. Throws sesd::Error when it cannot be loaded or is too old.
std::string load_library(const std::string& path);

// Loads any library, never to be unloaded. Throws sesd::Error with what the system says.
void preload(const std::string& path);

// A path as ONNX Runtime takes it: UTF-8, or UTF-16 on Windows.
std::basic_string<ort::PathChar> native_path(const std::string& path);

}  // namespace sesd
