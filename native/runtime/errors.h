// What a failed call of the addon is reported as.
#pragma once

#include <stdexcept>
#include <string>

namespace sesd {

// A caller's mistake or a failure of the system. Reported with code SESD_RUNTIME, as are ort::Error and every
// other std::exception.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The run was cancelled. Reported with code SESD_ABORTED.
class Aborted : public std::runtime_error {
 public:
  Aborted() : std::runtime_error("the run was cancelled") {}
};

}  // namespace sesd
