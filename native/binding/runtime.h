// open() of contract.ts.
#pragma once

#include <napi.h>

namespace sesd::binding {

Napi::Value open_runtime(const Napi::CallbackInfo& info);
// preload(files)
Napi::Value preload_libraries(const Napi::CallbackInfo& info);

}  // namespace sesd::binding
