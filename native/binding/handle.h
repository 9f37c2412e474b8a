// JavaScript objects that hold a native one until they are released.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <utility>

#include "../runtime/errors.h"
#include "errors.h"
#include "instance.h"

namespace sesd::binding {

// Derived is the class JavaScript sees. It has `kName` ("NativeArena"), `kTag` (a random number that tells its objects
// from all others) and `kNoun` ("arena", for messages).
template <class Derived, class Native>
class Handle : public Napi::ObjectWrap<Derived> {
 public:
  // `bytes`: native memory that goes with the object, made known to the garbage collector.
  static Napi::Object create(Napi::Env env, std::shared_ptr<Native> native, size_t bytes = 0) {
    pending = std::move(native);
    const Napi::Object object = Instance::of(env).constructors.at(Derived::kName).New({});
    object.TypeTag(&Derived::kTag);
    Derived* handle = Derived::Unwrap(object);
    handle->bytes_ = static_cast<int64_t>(bytes);
    Napi::MemoryManagement::AdjustExternalMemory(env, handle->bytes_);
    return object;
  }

  // The native object of an argument. Throws, naming the argument, when it is none or has been released.
  static std::shared_ptr<Native> get(const Napi::Value& value, const std::string& name) {
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&Derived::kTag)) {
      throw Error(name + " must be a " + Derived::kName + " of this addon");
    }
    return Derived::Unwrap(value.As<Napi::Object>())->native();
  }

  explicit Handle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Derived>(info), native_(std::move(pending)) {
    if (!native_) throw Napi::TypeError::New(info.Env(), std::string(Derived::kName) + " cannot be constructed");
  }

  void Finalize(Napi::BasicEnv env) override { drop(env); }

 protected:
  // Throws when it has been released.
  const std::shared_ptr<Native>& native() const {
    if (!native_) throw Error(std::string("the ") + Derived::kNoun + " has been released");
    return native_;
  }
  bool released() const { return !native_; }

  static void define(Napi::Env env, const std::vector<Napi::ClassPropertyDescriptor<Derived>>& properties) {
    Instance::of(env).constructors[Derived::kName] = Napi::Persistent(Derived::DefineClass(env, Derived::kName, properties));
  }

  void release(const Napi::CallbackInfo& info) { drop(info.Env()); }

  // Lets go of the native object, which is released if need be.
  std::shared_ptr<Native> drop(Napi::BasicEnv env) {
    if (bytes_ != 0) Napi::MemoryManagement::AdjustExternalMemory(env, -std::exchange(bytes_, 0));
    return std::exchange(native_, nullptr);
  }

 private:

  // Handed from create() to the constructor, which JavaScript can call too.
  static thread_local inline std::shared_ptr<Native> pending;

  std::shared_ptr<Native> native_;
  int64_t bytes_ = 0;
};

}  // namespace sesd::binding
