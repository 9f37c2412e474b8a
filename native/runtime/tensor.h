// Tensors: element types, shapes, values in host memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ort.h"

namespace sesd {

using Dims = std::vector<int64_t>;

// An element type tensors of the host may have.
struct ElementType {
  const char* name;
  int code;  // ort::DataType
  size_t size;
};
// Null when there is no such type.
const ElementType* element_type_named(const std::string& name);
const ElementType* element_type_of(int code);
// Bytes of an element of a code, also of one that stays in native memory. 0 when it is of none we know.
size_t element_size(int code);
// "float32", or "element type 11" for one the host does not take.
std::string element_type_text(int code);

// "[2, ?, 128]"; a negative dimension is one the model leaves open.
std::string dims_text(const Dims& dims);

// The number of elements. Throws when it exceeds what memory can hold; `what` names the tensor.
size_t checked_count(const Dims& dims, const std::string& what);

// A tensor with memory of its own.
struct HostTensor {
  const ElementType* type;
  Dims dims;
  size_t bytes;
  std::unique_ptr<std::byte[]> data;
};

// A value over host memory that outlives it.
ort::ValueHandle value_over(void* data, size_t bytes, const Dims& dims, int type);

// Contiguous elements, in the host's memory or a device's, and what keeps them there.
struct Block {
  void* data;
  size_t length;  // elements
  int type;       // ort::DataType
  const ort::MemoryInfo* memory;
  std::shared_ptr<const void> owner;
};

// The memory of a value the runtime made, which `session` outlives no longer than the block does.
Block block_of(const std::shared_ptr<ort::Value>& value, std::shared_ptr<const void> session);

// What a value that the runtime made is.
struct TensorView {
  int type;
  Dims dims;
  size_t count;
  void* data;
};
TensorView view_of(ort::Value* value);

}  // namespace sesd
