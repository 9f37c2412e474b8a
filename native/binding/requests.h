// ArenaSlice, SessionOptions, RunRequest and RunResult of contract.ts.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "../runtime/environment.h"
#include "../runtime/io_binding.h"

namespace sesd::binding {

std::vector<Slice> to_slices(const Napi::Value& value, const std::string& name);
SessionSettings to_settings(const Napi::Value& value);
RunRequest to_request(const Napi::Value& value);
Napi::Object from_result(Napi::Env env, RunResult& result);

}  // namespace sesd::binding
