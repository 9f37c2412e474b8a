// ArenaSlice, RunRequest and RunResult of contract.ts.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "../runtime/io_binding.h"

namespace sesd::binding {

std::vector<Slice> to_slices(const Napi::Value& value, const std::string& name);
RunRequest to_request(const Napi::Value& value);
Napi::Object from_result(Napi::Env env, RunResult& result);

}  // namespace sesd::binding
