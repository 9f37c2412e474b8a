// NativeArena and NativeBf16Arena of contract.ts.
#pragma once

#include "../optimizer/averaging.h"
#include "../runtime/arena.h"
#include "handle.h"

namespace sesd::binding {

class JsArena final : public Handle<JsArena, Arena> {
 public:
  static constexpr const char* kName = "NativeArena";
  static constexpr const char* kNoun = "arena";
  static constexpr napi_type_tag kTag = {0x7b1c0f4be9a24d37, 0x9d4e8a6153f0c2b8};

  using Handle::Handle;
  static void define(Napi::Env env);
  // createArena(length, folder?)
  static Napi::Value make(const Napi::CallbackInfo& info);

 private:
  Napi::Value Length(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  Napi::Value WriteBytes(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value CopyFrom(const Napi::CallbackInfo& info);
  Napi::Value Fill(const Napi::CallbackInfo& info);
  void Release(const Napi::CallbackInfo& info);
};

class JsBf16Arena final : public Handle<JsBf16Arena, Bf16Arena> {
 public:
  static constexpr const char* kName = "NativeBf16Arena";
  static constexpr const char* kNoun = "arena";
  static constexpr napi_type_tag kTag = {0x3d5a90e17c2b4f68, 0xb1f6c4927e08d35a};

  using Handle::Handle;
  static void define(Napi::Env env);
  // createBf16Arena(length)
  static Napi::Value make(const Napi::CallbackInfo& info);

 private:
  Napi::Value Length(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  void Release(const Napi::CallbackInfo& info);
};

// An arena of either kind.
AnyArena to_any_arena(const Napi::Value& value, const std::string& name);

// Throws, naming both, when the lengths differ.
void check_lengths(size_t a, const std::string& a_name, size_t b, const std::string& b_name);

}  // namespace sesd::binding
