// NativeSession, NativeBinding, NativeStash and NativeTensor of contract.ts.
#pragma once

#include "../runtime/io_binding.h"
#include "../runtime/session.h"
#include "handle.h"

namespace sesd::binding {

class JsSession final : public Handle<JsSession, Session> {
 public:
  static constexpr const char* kName = "NativeSession";
  static constexpr const char* kNoun = "session";
  static constexpr napi_type_tag kTag = {0x3f6a92d17c0e4b85, 0xa81b5ce04f7d9632};

  using Handle::Handle;
  static void define(Napi::Env env);
  // createSession(model, options)
  static Napi::Value make(const Napi::CallbackInfo& info);

 private:
  Napi::Value Inputs(const Napi::CallbackInfo& info);
  Napi::Value Outputs(const Napi::CallbackInfo& info);
  Napi::Value Bind(const Napi::CallbackInfo& info);
  Napi::Value EndProfiling(const Napi::CallbackInfo& info);
  void Release(const Napi::CallbackInfo& info) { release(info); }
};

class JsBinding final : public Handle<JsBinding, IoBinding> {
 public:
  static constexpr const char* kName = "NativeBinding";
  static constexpr const char* kNoun = "binding";
  static constexpr napi_type_tag kTag = {0xc50d7e1983ba4f26, 0x8e2f61d4b9073ac5};

  using Handle::Handle;
  static void define(Napi::Env env);

 private:
  Napi::Value RunOnce(const Napi::CallbackInfo& info);
  void Cancel(const Napi::CallbackInfo& info);
  void Release(const Napi::CallbackInfo& info) { release(info); }

  std::weak_ptr<Run> run_;  // the one under way
};

class JsStash final : public Handle<JsStash, Stash> {
 public:
  static constexpr const char* kName = "NativeStash";
  static constexpr const char* kNoun = "stash";
  static constexpr napi_type_tag kTag = {0x14e8b3f75a6d4c09, 0xb7c9023e8d5f416a};

  using Handle::Handle;
  static void define(Napi::Env env);

 private:
  Napi::Value ByteCount(const Napi::CallbackInfo& info);
  Napi::Value Tensor(const Napi::CallbackInfo& info);
  void Release(const Napi::CallbackInfo& info) { release(info); }
};

class JsTensor final : public Handle<JsTensor, Block> {
 public:
  static constexpr const char* kName = "NativeTensor";
  static constexpr const char* kNoun = "tensor";
  static constexpr napi_type_tag kTag = {0x6c2e91d5f03b4a78, 0x95d7e13c4b8a02f6};

  using Handle::Handle;
  static void define(Napi::Env env);

 private:
  Napi::Value Length(const Napi::CallbackInfo& info);
  void Release(const Napi::CallbackInfo& info) { release(info); }
};

}  // namespace sesd::binding
