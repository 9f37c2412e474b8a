#include "errors.h"

#include <new>
#include <string>

#include "../runtime/errors.h"

namespace sesd::binding {

Napi::Error to_js(Napi::Env env, std::exception_ptr error) {
  std::string message = "unknown failure of the native addon", code = "SESD_RUNTIME";
  try {
    std::rethrow_exception(error);
  } catch (const Aborted& aborted) {
    message = aborted.what();
    code = "SESD_ABORTED";
  } catch (const std::bad_alloc&) {
    message = "not enough memory";
  } catch (const std::exception& other) {
    message = other.what();
  } catch (...) {
  }
  Napi::Error js = Napi::Error::New(env, message);
  js.Set("code", code);
  return js;
}

}  // namespace sesd::binding
