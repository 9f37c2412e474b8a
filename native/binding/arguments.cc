#include "arguments.h"

#include <cmath>
#include <cstring>

#include "../runtime/errors.h"

namespace sesd::binding {

namespace {

[[noreturn]] void wrong(const std::string& name, const char* expected, const Napi::Value& value) {
  // ToString may run JavaScript or throw for objects; their type says enough.
  std::string found;
  switch (value.Type()) {
    case napi_undefined: found = "undefined"; break;
    case napi_null: found = "null"; break;
    case napi_boolean:
    case napi_number:
    case napi_string: found = value.ToString().Utf8Value(); break;
    case napi_function: found = "a function"; break;
    default: found = "an object"; break;
  }
  throw Error(name + " must be " + expected + ", found " + found);
}

// The typed array of a dtype; `bool` and `uint8` share one.
napi_typedarray_type array_of(const ElementType& type) {
  switch (type.code) {
    case ort::kFloat: return napi_float32_array;
    case ort::kInt64: return napi_bigint64_array;
    case ort::kInt32: return napi_int32_array;
    default: return napi_uint8_array;
  }
}

const char* array_name(const ElementType& type) {
  switch (type.code) {
    case ort::kFloat: return "Float32Array";
    case ort::kInt64: return "BigInt64Array";
    case ort::kInt32: return "Int32Array";
    default: return "Uint8Array";
  }
}

// All typed arrays start where their view of the buffer does.
const std::byte* start_of(const Napi::TypedArray& array) {
  return static_cast<const std::byte*>(array.ArrayBuffer().Data()) + array.ByteOffset();
}

Napi::TypedArray new_array(Napi::Env env, const ElementType& type, size_t count) {
  switch (type.code) {
    case ort::kFloat: return Napi::Float32Array::New(env, count);
    case ort::kInt64: return Napi::BigInt64Array::New(env, count);
    case ort::kInt32: return Napi::Int32Array::New(env, count);
    default: return Napi::Uint8Array::New(env, count);
  }
}

}  // namespace

double to_number(const Napi::Value& value, const std::string& name) {
  if (!value.IsNumber()) wrong(name, "a number", value);
  return value.As<Napi::Number>().DoubleValue();
}

size_t to_size(const Napi::Value& value, const std::string& name) {
  constexpr double kMaxSafeInteger = 9007199254740991.0;
  if (!value.IsNumber()) wrong(name, "a non-negative integer", value);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0 && number <= kMaxSafeInteger) || number != std::floor(number)) wrong(name, "a non-negative integer", value);
  return static_cast<size_t>(number);
}

int to_thread_count(const Napi::Value& value, const std::string& name) {
  const size_t threads = to_size(value, name);
  if (threads < 1 || threads > 1024) wrong(name, "from 1 to 1024", value);
  return static_cast<int>(threads);
}

std::string to_string(const Napi::Value& value, const std::string& name) {
  if (!value.IsString()) wrong(name, "a string", value);
  return value.As<Napi::String>().Utf8Value();
}

Napi::Object to_object(const Napi::Value& value, const std::string& name) {
  if (!value.IsObject()) wrong(name, "an object", value);
  return value.As<Napi::Object>();
}

Napi::Array to_array(const Napi::Value& value, const std::string& name) {
  if (!value.IsArray()) wrong(name, "an array", value);
  return value.As<Napi::Array>();
}

std::vector<std::string> to_strings(const Napi::Value& value, const std::string& name) {
  const Napi::Array array = to_array(value, name);
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); i++) strings.push_back(to_string(array.Get(i), name + "[" + std::to_string(i) + "]"));
  return strings;
}

Dims to_dims(const Napi::Value& value, const std::string& name) {
  const Napi::Array array = to_array(value, name);
  Dims dims;
  for (uint32_t i = 0; i < array.Length(); i++) {
    dims.push_back(static_cast<int64_t>(to_size(array.Get(i), name + "[" + std::to_string(i) + "]")));
  }
  return dims;
}

Bytes to_bytes(const Napi::Value& value, const std::string& name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) wrong(name, "a Uint8Array", value);
  const auto array = value.As<Napi::TypedArray>();
  return {start_of(array), array.ByteLength()};
}

Floats to_floats(const Napi::Value& value, const std::string& name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) wrong(name, "a Float32Array", value);
  const auto array = value.As<Napi::Float32Array>();
  return {const_cast<float*>(array.Data()), array.ElementLength()};
}

HostTensor to_tensor(const Napi::Value& value, const std::string& name) {
  const Napi::Object object = to_object(value, name);
  const std::string dtype = to_string(object.Get("dtype"), name + ".dtype");
  const ElementType* type = element_type_named(dtype);
  if (type == nullptr) throw Error(name + ".dtype must be float32, int64, int32, bool or uint8, found " + dtype);
  HostTensor tensor{type, to_dims(object.Get("dims"), name + ".dims"), 0, nullptr};
  const Napi::Value data = object.Get("data");
  if (!data.IsTypedArray() || data.As<Napi::TypedArray>().TypedArrayType() != array_of(*type)) {
    wrong(name + ".data", (std::string("a ") + array_name(*type) + ", as its dtype is " + dtype).c_str(), data);
  }
  const auto array = data.As<Napi::TypedArray>();
  const size_t count = checked_count(tensor.dims, name);
  if (array.ElementLength() != count) {
    throw Error(name + " with dims " + dims_text(tensor.dims) + " needs " + std::to_string(count) + " elements, found " +
                std::to_string(array.ElementLength()));
  }
  tensor.bytes = count * type->size;
  tensor.data.reset(new std::byte[tensor.bytes > 0 ? tensor.bytes : 1]);
  if (tensor.bytes > 0) std::memcpy(tensor.data.get(), start_of(array), tensor.bytes);
  return tensor;
}

Napi::Object from_value(Napi::Env env, ort::Value* value, const std::string& name) {
  const TensorView view = view_of(value);
  const ElementType* type = element_type_of(view.type);
  if (type == nullptr) throw Error("output '" + name + "' has " + element_type_text(view.type) + ", which cannot be fetched");
  const Napi::Array dims = Napi::Array::New(env, view.dims.size());
  for (uint32_t i = 0; i < dims.Length(); i++) dims.Set(i, static_cast<double>(view.dims[i]));
  const Napi::TypedArray data = new_array(env, *type, view.count);
  if (view.count > 0) std::memcpy(const_cast<std::byte*>(start_of(data)), view.data, view.count * type->size);
  Napi::Object tensor = Napi::Object::New(env);
  tensor.Set("dtype", type->name);
  tensor.Set("dims", dims);
  tensor.Set("data", data);
  return tensor;
}

Napi::Array from_strings(Napi::Env env, const std::vector<std::string>& strings) {
  const Napi::Array array = Napi::Array::New(env, strings.size());
  for (uint32_t i = 0; i < array.Length(); i++) array.Set(i, strings[i]);
  return array;
}

}  // namespace sesd::binding
