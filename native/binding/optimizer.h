// Passes over arenas: mean, blend, add and adamw of contract.ts.
#pragma once

#include <napi.h>

namespace sesd::binding {

Napi::Value mean_of(const Napi::CallbackInfo& info);
Napi::Value blend_into(const Napi::CallbackInfo& info);
Napi::Value add_to(const Napi::CallbackInfo& info);
Napi::Value adamw_step(const Napi::CallbackInfo& info);

}  // namespace sesd::binding
