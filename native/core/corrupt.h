// Any bytes may stand in a shared arena: another process of the same user can write them. Every index read from it is
// range-checked and every walk bounded; a check that fails throws this, and the face reports ERR_FORELOCK_CORRUPT.
#pragma once

#include <exception>

namespace forelock::core {

class Corrupt : public std::exception {
 public:
  explicit Corrupt(const char* what) : what_(what) {}
  const char* what() const noexcept override { return what_; }

 private:
  const char* what_;
};

}  // namespace forelock::core
