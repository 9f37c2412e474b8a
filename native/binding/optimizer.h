// Passes over arenas: mean, average, add and adamw of contract.ts.
#pragma once

#include <napi.h>

namespace sesd::binding {

Napi::Value mean_of(const Napi::CallbackInfo& info);
Napi::Value average_of(const Napi::CallbackInfo& info);
Napi::Value add_to(const Napi::CallbackInfo& info);
Napi::Value adamw_step(const Napi::CallbackInfo& info);

}  // namespace sesd::binding
