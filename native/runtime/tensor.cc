#include "tensor.h"

#include "environment.h"
#include "errors.h"

namespace sesd {

namespace {

constexpr ElementType kElementTypes[] = {
    {"float32", ort::kFloat, 4}, {"int64", ort::kInt64, 8}, {"int32", ort::kInt32, 4},
    {"bool", ort::kBool, 1},     {"uint8", ort::kUint8, 1},
};

}  // namespace

const ElementType* element_type_named(const std::string& name) {
  for (const ElementType& type : kElementTypes) {
    if (name == type.name) return &type;
  }
  return nullptr;
}

const ElementType* element_type_of(int code) {
  for (const ElementType& type : kElementTypes) {
    if (code == type.code) return &type;
  }
  return nullptr;
}

size_t element_size(int code) {
  if (code == ort::kBfloat16) return 2;
  if (code == ort::kDouble) return sizeof(double);
  const ElementType* type = element_type_of(code);
  return type != nullptr ? type->size : 0;
}

std::string element_type_text(int code) {
  const ElementType* type = element_type_of(code);
  return type != nullptr ? type->name : "element type " + std::to_string(code);
}

std::string dims_text(const Dims& dims) {
  std::string text = "[";
  for (const int64_t dim : dims) {
    if (text.size() > 1) text += ", ";
    text += dim < 0 ? "?" : std::to_string(dim);
  }
  return text + "]";
}

size_t checked_count(const Dims& dims, const std::string& what) {
  constexpr size_t kMost = size_t{1} << 48;
  size_t count = 1;
  for (const int64_t dim : dims) {
    const auto d = static_cast<size_t>(dim);
    if (d != 0 && count > kMost / d) throw Error(what + " with dims " + dims_text(dims) + " is too large");
    count *= d;
  }
  return count;
}

ort::ValueHandle value_over(void* data, size_t bytes, const Dims& dims, int type) {
  return ort::ValueHandle(ort::make<ort::Value>(ort::api().CreateTensorWithDataAsOrtValue, Environment::get().cpu_memory(), data, bytes,
                                                dims.data(), dims.size(), type));
}

Block block_of(const std::shared_ptr<ort::Value>& value, std::shared_ptr<const void> session) {
  const TensorView view = view_of(value.get());
  const ort::MemoryInfo* memory = nullptr;  // belongs to the value
  ort::check(ort::api().GetTensorMemoryInfo(value.get(), &memory));
  struct Owner {
    std::shared_ptr<const void> session;  // frees the value's memory, so it goes last
    std::shared_ptr<ort::Value> value;
  };
  return {view.data, view.count, view.type, memory, std::make_shared<Owner>(Owner{std::move(session), value})};
}

TensorView view_of(ort::Value* value) {
  const ort::Api& api = ort::api();
  const ort::TensorInfoHandle info(ort::make<ort::TensorInfo>(api.GetTensorTypeAndShape, static_cast<const ort::Value*>(value)));
  TensorView view{};
  size_t rank = 0;
  ort::check(api.GetTensorElementType(info.get(), &view.type));
  ort::check(api.GetDimensionsCount(info.get(), &rank));
  view.dims.resize(rank);
  ort::check(api.GetDimensions(info.get(), view.dims.data(), rank));
  view.count = checked_count(view.dims, "a value");
  ort::check(api.GetTensorMutableData(value, &view.data));
  return view;
}

}  // namespace sesd
