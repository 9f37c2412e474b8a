// NativeArena of contract.ts.
#pragma once

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
  // createArena(length)
  static Napi::Value make(const Napi::CallbackInfo& info);

 private:
  Napi::Value Length(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value CopyFrom(const Napi::CallbackInfo& info);
  Napi::Value Fill(const Napi::CallbackInfo& info);
  void Release(const Napi::CallbackInfo& info) { release(info); }
};

// Throws, naming both, when the lengths differ.
void check_lengths(const Arena& a, const char* a_name, const Arena& b, const std::string& b_name);

}  // namespace sesd::binding
