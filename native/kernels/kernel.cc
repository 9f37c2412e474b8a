#include "kernel.h"

namespace sesd {

int64_t element_count(const Dims& dims) {
  int64_t count = 1;
  for (const int64_t dim : dims) count *= dim;
  return count;
}

namespace {

// The library has no way to ask whether an attribute is there: reading one that is absent fails.
bool found(ort::Status* status) {
  if (status == nullptr) return true;
  ort::api().ReleaseStatus(status);
  return false;
}

}  // namespace

float Attributes::get_float(const char* name, float fallback) const {
  float value = 0;
  return found(ort::api().KernelInfoGetAttribute_float(info_, name, &value)) ? value : fallback;
}

int64_t Attributes::get_int(const char* name, int64_t fallback) const {
  int64_t value = 0;
  return found(ort::api().KernelInfoGetAttribute_int64(info_, name, &value)) ? value : fallback;
}

std::string Attributes::get_string(const char* name, const char* fallback) const {
  size_t size = 0;  // with the closing zero
  if (!found(ort::api().KernelInfoGetAttribute_string(info_, name, nullptr, &size))) return fallback;
  std::string value(size, '\0');
  ort::check(ort::api().KernelInfoGetAttribute_string(info_, name, value.data(), &size));
  value.resize(size > 0 ? size - 1 : 0);
  return value;
}

Dims Context::dims(size_t index) const {
  const ort::TensorInfoHandle info(ort::make<ort::TensorInfo>(ort::api().GetTensorTypeAndShape, input_value(index)));
  size_t rank = 0;
  ort::check(ort::api().GetDimensionsCount(info.get(), &rank));
  Dims dims(rank);
  ort::check(ort::api().GetDimensions(info.get(), dims.data(), rank));
  return dims;
}

const ort::Value* Context::input_value(size_t index) const {
  size_t count = 0;
  ort::check(ort::api().KernelContext_GetInputCount(context_, &count));
  if (index >= count) return nullptr;
  const ort::Value* value = nullptr;
  ort::check(ort::api().KernelContext_GetInput(context_, index, &value));
  return value;
}

ort::Value* Context::output_value(size_t index, const Dims& dims) const {
  size_t count = 0;
  ort::check(ort::api().KernelContext_GetOutputCount(context_, &count));
  if (index >= count) return nullptr;
  ort::Value* value = nullptr;
  ort::check(ort::api().KernelContext_GetOutput(context_, index, dims.data(), dims.size(), &value));
  return value;
}

void* Context::data_of(const ort::Value* value) {
  if (value == nullptr) return nullptr;
  void* data = nullptr;
  ort::check(ort::api().GetTensorMutableData(const_cast<ort::Value*>(value), &data));
  return data;
}

}  // namespace sesd
