// Arguments as plain C++ values. Each reader throws sesd::Error that names the argument, what it must be, and what it is.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "../runtime/tensor.h"

namespace sesd::binding {

double to_number(const Napi::Value& value, const std::string& name);
// A non-negative integer that JavaScript holds exactly.
size_t to_size(const Napi::Value& value, const std::string& name);
// From 1 to 1024.
int to_thread_count(const Napi::Value& value, const std::string& name);
std::string to_string(const Napi::Value& value, const std::string& name);
std::vector<std::string> to_strings(const Napi::Value& value, const std::string& name);
Dims to_dims(const Napi::Value& value, const std::string& name);
Napi::Object to_object(const Napi::Value& value, const std::string& name);
Napi::Array to_array(const Napi::Value& value, const std::string& name);

// The elements of a typed array, where they lie. Good as long as the array is alive and attached.
struct Bytes {
  const void* data;
  size_t size;
};
Bytes to_bytes(const Napi::Value& value, const std::string& name);
// Elements of a Float32Array.
struct Floats {
  float* data;
  size_t length;
};
Floats to_floats(const Napi::Value& value, const std::string& name);

// A copy of a HostTensor of contract.ts: dtype, dims and data are held against each other.
HostTensor to_tensor(const Napi::Value& value, const std::string& name);
// A HostTensor of contract.ts with a copy of the value's elements.
Napi::Object from_value(Napi::Env env, ort::Value* value, const std::string& name);

Napi::Array from_strings(Napi::Env env, const std::vector<std::string>& strings);

}  // namespace sesd::binding
